//! Passes the compiler's version and the revision of the checkout to the program: `--version` and
//! `node_exporter_build_info` show them.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo hands over the compiler and the package's place by the environment"
)]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build_script.rs");
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let text = output(&compiler, &["--version"]).unwrap_or_default();
    // `rustc 1.90.0 (1159e78c4 2025-09-14)`
    let version = text.split_ascii_whitespace().nth(1).unwrap_or("-unknown");
    println!("cargo::rustc-env=NODE_EXPORTER_COMPILER=rustc{version}");
    let checkout = checkout();
    for (name, found) in ["BRANCH", "DATE", "REVISION"].into_iter().zip(checkout.unwrap_or_default()) {
        let name = format!("NODE_EXPORTER_{name}");
        println!("cargo::rerun-if-env-changed={name}");
        println!("cargo::rustc-env={name}={}", std::env::var(&name).unwrap_or(found));
    }
}

/// Branch, commit date and revision of the checkout that this package is the top of; `None` for an unpacked archive, also
/// inside of another checkout.
fn checkout() -> Option<[String; 3]> {
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let own = std::env::var("CARGO_MANIFEST_DIR").ok()?;
    if Path::new(&top).canonicalize().ok()? != Path::new(&own).canonicalize().ok()? {
        return None;
    }
    let branch = git(&["rev-parse", "--abbrev-ref", "HEAD"])?;
    // A commit changes one of them.
    for place in ["HEAD", &format!("refs/heads/{branch}"), "packed-refs"] {
        if let Some(path) = git(&["rev-parse", "--git-path", place]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    Some([branch, git(&["show", "--no-patch", "--format=%cs", "HEAD"])?, git(&["rev-parse", "HEAD"])?])
}

fn git(arguments: &[&str]) -> Option<String> {
    output("git", arguments).map(|text| text.trim_end().to_owned())
}

/// The output of a program that succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
