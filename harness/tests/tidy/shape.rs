//! Direct access to files, sockets and clocks is limited to listed files, and every public item is documented.

use std::collections::BTreeSet;

use harness::load;

use crate::{Source, assert_none, sources};

/// Files that may call functions disallowed in clippy.toml; the reason is beside each entry.
const DIRECT_ACCESS: &[&str] = &[
    "collectors/src/host/kernel/clock.rs",
    "collectors/src/host/kernel/linux.rs",
    "collectors/src/host/kernel/linux/bus/address.rs",
    "collectors/src/host/kernel/linux/ntp.rs",
    "collectors/src/host/kernel/linux/zone.rs",
    "collectors/src/host/root/agreement.rs",
    "collectors/src/host/root/dir/portable.rs",
    "collectors/src/host/root/host.rs",
    "collectors/src/host/root/kept/tests.rs",
    "harness/src/bench/client.rs",
    "harness/src/conformance/directory.rs",
    "harness/src/fetch.rs",
    "harness/src/load.rs",
    "harness/src/peer.rs",
    "harness/src/plain_reads.rs",
    "harness/tests/kept.rs",
    "harness/tests/live.rs",
    "harness/tests/network/inside.rs",
    "harness/tests/network/time.rs",
    "harness/tests/peer/compression.rs",
    "harness/tests/promtool.rs",
    "harness/tests/push/main.rs",
    "harness/tests/readers.rs",
    "harness/tests/replay.rs",
    "harness/tests/sandbox.rs",
    "harness/tests/soak.rs",
    "harness/tests/web.rs",
    "src/bin/minimal.rs",
    "src/build_script.rs",
    "src/host.rs",
    "src/host/deferred.rs",
    "src/host/fixtures.rs",
    "src/host/scenario.rs",
    "src/main.rs",
    "src/push/client.rs",
    "src/push/queue/tests.rs",
    "src/push/storage.rs",
    "src/push/target.rs",
    "src/push/trust.rs",
    "src/push/worker/tests.rs",
    "src/sandbox.rs",
    "src/serve.rs",
    "src/serve/front/connection.rs",
    "src/serve/front/connections.rs",
    "src/serve/listen.rs",
    "src/serve/listen/inherited.rs",
    "src/serve/listen/unix.rs",
    "src/serve/web_config/watched_files.rs",
    "tests/attacks/main.rs",
    "tests/push/main.rs",
    "tests/server/main.rs",
    "tests/simulation/main.rs",
    "tests/web/main.rs",
];

#[test]
fn direct_access_is_in_listed_files_only() {
    let opens = |source: &&Source| source.text.contains("clippy::disallowed_methods");
    let found: BTreeSet<String> = sources().iter().filter(opens).map(|source| source.path.clone()).collect();
    let rooms: BTreeSet<String> = DIRECT_ACCESS.iter().map(|&room| room.to_owned()).collect();
    let new: Vec<String> = found.difference(&rooms).cloned().collect();
    assert_none(
        &new,
        "ask `cx.files`, `cx.kernel` or harness/src/load.rs, or list the file in harness/tests/tidy/shape.rs",
    );
    let gone: Vec<String> = rooms.difference(&found).cloned().collect();
    assert_none(&gone, "has no direct access: remove it from the list in harness/tests/tidy/shape.rs");
}

/// Files with one undocumented item, whose field or variant names are self-explanatory.
const UNDOCUMENTED: [&str; 3] =
    ["collectors/src/host/kernel/systemd.rs", "collectors/src/host/kernel.rs", "collectors/src/kit/options.rs"];

/// The compiler checks each item; this test checks that the lint is on everywhere.
#[test]
fn missing_docs_is_on_everywhere() {
    let text = |path: &str| {
        let bytes = load::bytes(&load::workspace().join(path)).expect("a manifest");
        String::from_utf8(bytes).expect("TOML is text")
    };
    assert!(
        text("Cargo.toml").contains("\nmissing_docs = \"warn\"\n"),
        "ask for missing_docs in [workspace.lints.rust]"
    );
    for manifest in ["Cargo.toml", "collectors/Cargo.toml", "simulator/Cargo.toml", "harness/Cargo.toml"] {
        assert!(text(manifest).contains("\n[lints]\nworkspace = true\n"), "{manifest}: take the workspace's lints");
    }
    let silent = sources();
    let silent = silent.iter().filter(|source| source.text.contains("(missing_docs"));
    let silent: Vec<&str> = silent.map(|source| source.path.as_str()).collect();
    assert_eq!(silent, UNDOCUMENTED, "document the item instead of disabling missing_docs");
}

/// CI must not update snapshots.
#[test]
fn ci_does_not_update_snapshots() {
    let bytes = load::bytes(&load::workspace().join(".ci/run")).expect(".ci/run");
    let text = String::from_utf8(bytes).expect("a script is text");
    let export = text.lines().find(|line| line.starts_with("export "));
    assert!(
        export.is_some_and(|line| line.contains("INSTA_UPDATE=no")),
        "export INSTA_UPDATE=no at the top of .ci/run"
    );
}
