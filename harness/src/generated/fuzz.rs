//! The package that libFuzzer's tool builds: a binary for each target, all of one source file.

use std::fmt::Write as _;

use crate::fuzz::Target;

const HEAD: &str = r#"# Written by `cargo run -p harness -- accept` from the table of targets (harness/src/fuzz.rs).
[package]
name = "fuzz"
version = "0.0.0"
edition = "2024"
publish = false

[package.metadata]
cargo-fuzz = true

[dependencies]
harness = { path = ".." }
libfuzzer-sys = "0.4"

[workspace]
"#;

pub(super) fn manifest(targets: &[Target]) -> String {
    let mut manifest = HEAD.to_owned();
    for target in targets {
        let _ = write!(
            manifest,
            "\n# {}\n[[bin]]\nname = \"{}\"\npath = \"fuzz_targets/target.rs\"\ntest = false\ndoc = false\nbench = false\n",
            target.law, target.name
        );
    }
    manifest
}
