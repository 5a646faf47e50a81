//! Passes the compiler's version to the program, for `node_exporter_build_info` and `--version`.
#![expect(clippy::disallowed_methods, reason = "cargo passes the compiler's path in the environment")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build_script.rs");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output().ok();
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    // `rustc 1.90.0 (1159e78c4 2025-09-14)`
    let version = text.split_ascii_whitespace().nth(1).unwrap_or("-unknown");
    println!("cargo::rustc-env=NODE_EXPORTER_COMPILER=rustc{version}");
}
