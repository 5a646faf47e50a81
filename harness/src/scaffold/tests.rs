use super::*;
use crate::load;

fn current(path: &str) -> io::Result<String> {
    load::bytes(&load::workspace().join(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn changes(name: &str, reads: &[&str]) -> Vec<Change> {
    Plan::new(name, reads).expect("a plan").changes(current).expect("changes")
}

#[track_caller]
fn check(changes: &[Change], path: &str, expected: &str) {
    let change = changes.iter().find(|change| change.path == path).unwrap_or_else(|| panic!("no {path}: {changes:#?}"));
    assert!(change.content.contains(expected), "{path}:\n{}", change.content);
}

#[track_caller]
fn check_paths(changes: &[Change], expected: &[&str]) {
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, expected);
    assert!(changes.iter().all(|change| !change.content.contains("{mark}")));
}

#[test]
fn a_file_of_proc_is_registered_everywhere() {
    let changes = changes("frobs", &["proc/frobs"]);
    check_paths(
        &changes,
        &[
            "collectors/src/frobs.rs",
            "simulator/src/proc/frobs.rs",
            "collectors/src/lib.rs",
            "simulator/src/proc.rs",
            "fixtures/hosts/laptop.tree",
        ],
    );
    check(&changes, "collectors/src/lib.rs", "pub mod filesystem;\npub mod frobs;\npub mod host;\n");
    let registrations = "    Registration::of::<filesystem::Filesystem>(),\n    Registration::of::<frobs::Frobs>(),\n    Registration::of::<hwmon";
    check(&changes, "collectors/src/lib.rs", registrations);
    check(&changes, "simulator/src/proc.rs", "mod disks;\nmod frobs;\nmod interrupts;\n");
    check(&changes, "simulator/src/proc.rs", "    frobs::GROUPS,\n");
    let entry = format!("\n== proc/frobs\n{MARK}: the content that the kernel writes\n== proc/");
    check(&changes, "fixtures/hosts/laptop.tree", &entry);
    check(&changes, "collectors/src/frobs.rs", "        FROBS: File Proc \"frobs\";\n");
    check(&changes, "collectors/src/frobs.rs", "        FROBS_VALUE: Gauge \"node_frobs\" () \"Value of frobs.\";\n");
    check(&changes, "collectors/src/frobs.rs", "given(\"== proc/frobs\\n\\n\").emits::<Frobs>(\"\");");
    check(&changes, "collectors/src/frobs.rs", "pub struct Frobs;");
    check(&changes, "simulator/src/proc/frobs.rs", "entries: &[(\"frobs\", Content::File(frobs))],");
}

#[test]
fn a_class_of_sys_is_listed() {
    let changes = changes("old_frobs", &["/sys/class/frobs/*/in-use", "sys/class/frobs/*/2max"]);
    let collector = "collectors/src/old_frobs.rs";
    check(&changes, collector, "pub struct OldFrobs {\n    names: Names,\n}");
    check(
        &changes,
        collector,
        "        FROBS_DIRECTORY: Directory Sys \"class/frobs\";\n        IN_USE: File Sys \"class/frobs/*/in-use\";\n        OF_2MAX: File Sys",
    );
    check(&changes, collector, "\"node_old_frobs_in_use\" PerItem \"Value of class/frobs for each item: in-use.\"");
    check(&changes, collector, "    labels {\n        PerItem { name }\n    }\n");
    check(&changes, collector, "cx.files.list(FROBS_DIRECTORY, [], &mut self.names)?;");
    check(&changes, collector, "cx.page.gauge(IN_USE_VALUE, PerItem { name: &name }, value);");
    check(&changes, "simulator/src/sys/old_frobs.rs", "        path: |_, _| \"old_frobs0\".into(),\n");
    check(&changes, "simulator/src/sys/old_frobs.rs", "entries: &[(\"in-use\", Content::File(in_use))],");
    check(&changes, "fixtures/hosts/laptop.tree", "\n== sys/class/frobs/old_frobs0/in-use\n");
}

#[test]
fn files_of_several_mounts_share_one_generator() {
    let changes = changes("frobs", &["sys/class/frobs/*/level", "proc/frobs", "rootfs/etc/frobs.conf"]);
    check_paths(
        &changes,
        &[
            "collectors/src/frobs.rs",
            "simulator/src/sys/frobs.rs",
            "collectors/src/lib.rs",
            "simulator/src/proc.rs",
            "simulator/src/sys.rs",
            "simulator/src/rootfs.rs",
            "fixtures/hosts/laptop.tree",
        ],
    );
    check(&changes, "simulator/src/sys.rs", "pub(crate) mod frobs;\nmod hwmon;\n");
    check(&changes, "simulator/src/sys.rs", "    frobs::GROUPS,\n");
    check(&changes, "simulator/src/proc.rs", "    crate::sys::frobs::PROC_GROUPS,\n");
    check(&changes, "simulator/src/rootfs.rs", "&[crate::sys::frobs::ROOTFS_GROUPS, GROUPS, ");
    check(&changes, "simulator/src/sys/frobs.rs", "pub(crate) const PROC_GROUPS: Table = &[&Group::<Machine> {");
    let by_hand: Vec<&str> =
        changes.iter().filter(|change| change.content.contains(MARK)).map(|change| change.path.as_str()).collect();
    assert_eq!(by_hand, ["collectors/src/frobs.rs", "simulator/src/sys/frobs.rs", "fixtures/hosts/laptop.tree"]);
}

#[test]
fn simulated_files_need_no_generator() {
    check_paths(&changes("frobs", &["proc/loadavg"]), &["collectors/src/frobs.rs", "collectors/src/lib.rs"]);
    let changes = changes("frobs", &["sys/class/net/*/mtu"]);
    assert!(changes.iter().all(|change| !change.path.starts_with("simulator/")), "{changes:#?}");
}

#[test]
fn marked_lines_are_listed() {
    let places = places(&changes("frobs", &["proc/frobs"]));
    let files: Vec<&str> = places.iter().filter_map(|place| place.split(':').next()).collect();
    let expected = [
        ["collectors/src/frobs.rs"; 4].as_slice(),
        &["simulator/src/proc/frobs.rs"; 2],
        &["fixtures/hosts/laptop.tree"],
    ];
    assert_eq!(files, expected.concat(), "{places:#?}");
    assert!(places.iter().any(|place| place == "collectors/src/frobs.rs:1: what is exported, and from which files."));
}

#[test]
fn an_invalid_plan_is_refused_with_advice() {
    for (name, reads, problem) in [
        ("Frobs", &["proc/x"][..], "`Frobs`: expected lower-case letters"),
        ("1x", &["proc/x"], "beginning with a letter"),
        ("type", &["proc/x"], "`type` is a keyword of Rust"),
        ("cpu", &["proc/x"], "the collector `cpu` exists"),
        ("frobs", &[], "--reads is required"),
        ("frobs", &["prc/x"], "(did you mean proc/x?)"),
        ("frobs", &["proc/x/*"], "a file below it"),
        ("frobs", &["proc/*/x"], "a directory before `*`"),
        ("frobs", &["sys/x/*/y/*/z"], "at most one `*`"),
        ("frobs", &["sys/x/y*/z"], "`*` for a whole name"),
        ("frobs", &["proc/../x"], "expected names of letters"),
        ("frobs", &["udev/x"], "at least one file below proc/ or sys/"),
        ("frobs", &["proc/x/a", "proc/y/a"], "two files are named `a`"),
    ] {
        let error = Plan::new(name, reads).expect_err(problem);
        assert!(error.contains(problem), "{error}");
    }
    let existing = Plan::new("frobs", &["proc/frobs"]).expect("a plan").changes(|_| Ok(String::new()));
    assert_eq!(existing, Err("collectors/src/frobs.rs exists".to_owned()));
}
