//! Version and build information.

/// Package version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The version of node_exporter whose flags and metrics this exporter has.
pub const FOLLOWS: &str = "1.12.1";
/// Revision of the checkout, or what `NODE_EXPORTER_REVISION` was at the build.
pub const REVISION: &str = or_unknown(env!("NODE_EXPORTER_REVISION"));
/// Branch of the checkout, or what `NODE_EXPORTER_BRANCH` was at the build.
pub const BRANCH: &str = or_unknown(env!("NODE_EXPORTER_BRANCH"));
/// Date of the revision, as `2026-07-14`; empty if unknown.
pub const DATE: &str = env!("NODE_EXPORTER_DATE");
/// Compiler: `rustc1.90.0`.
pub const COMPILER: &str = env!("NODE_EXPORTER_COMPILER");

const fn or_unknown(text: &'static str) -> &'static str {
    if text.is_empty() { "unknown" } else { text }
}

/// Where the source came from.
fn source() -> String {
    if REVISION == "unknown" {
        "an archive, without its revision; set NODE_EXPORTER_REVISION when building".to_owned()
    } else {
        format!("revision {REVISION} of {}", if DATE.is_empty() { "an unknown date" } else { DATE })
    }
}

/// The operating system, by the name that Go has for it.
pub fn system() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// The architecture, by the name that Go has for it.
pub fn architecture() -> &'static str {
    let is_little = cfg!(target_endian = "little");
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "loongarch64" => "loong64",
        "powerpc64" if is_little => "ppc64le",
        "powerpc64" => "ppc64",
        "mips" if is_little => "mipsle",
        "mips64" if is_little => "mips64le",
        other => other,
    }
}

/// The optional features that are compiled in.
pub fn features() -> String {
    let features = [
        ("compression", cfg!(feature = "compression")),
        ("push", cfg!(feature = "push")),
        ("simulator", cfg!(feature = "simulator")),
        ("tls", cfg!(feature = "tls")),
    ];
    let names: Vec<_> = features.iter().filter(|(_, is_in)| *is_in).map(|(name, _)| *name).collect();
    names.join(",")
}

/// Version line of the log at start.
pub fn line() -> String {
    format!("(version={VERSION}, branch={BRANCH}, revision={REVISION})")
}

/// Output of `--version`.
pub fn text() -> String {
    format!(
        "node_exporter, version {VERSION} (branch: {BRANCH}, revision: {REVISION})\n  \
         source:           {}\n  follows:          node_exporter {FOLLOWS}\n  \
         compiler:         {COMPILER}\n  platform:         {}/{}\n  features:         {}\n",
        source(),
        system(),
        architecture(),
        features(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_says_what_this_is() {
        assert!(text().starts_with("node_exporter, version "), "{}", text());
        assert!(line().starts_with("(version="), "{}", line());
        let digits = COMPILER.strip_prefix("rustc").unwrap_or_default();
        assert!(digits.starts_with(|c: char| c.is_ascii_digit()), "{COMPILER}");
    }

    /// Of a checkout, revision, branch and date are known; of an archive none of them is, and that is said.
    #[test]
    fn the_version_names_the_revision_of_the_checkout() {
        let mut git = std::process::Command::new("git");
        git.current_dir(env!("CARGO_MANIFEST_DIR")).args(["rev-parse", "--show-prefix", "HEAD"]);
        let told = git.output().ok().filter(|output| output.status.success());
        let told = told.and_then(|output| String::from_utf8(output.stdout).ok());
        let revision = told.as_deref().and_then(|told| told.strip_prefix('\n')).map(str::trim_end);
        let text = text();
        assert!(text.contains("\n  follows:          node_exporter 1.12.1\n"), "{text}");
        if let Some(revision) = revision {
            assert_eq!(REVISION, revision, "unless NODE_EXPORTER_REVISION was set");
            assert!(BRANCH != "unknown" && DATE.len() == 10, "{text}");
            assert!(text.contains(&format!("  source:           revision {REVISION} of {DATE}\n")), "{text}");
        } else {
            assert!(REVISION == "unknown" && text.contains("an archive, without its revision"), "{text}");
        }
    }

    #[test]
    fn each_optional_feature_is_told() {
        let manifest = include_str!("../Cargo.toml");
        let default = manifest.lines().find_map(|line| line.strip_prefix("default = ")).unwrap();
        let features = features();
        let told: Vec<_> = features.split(',').filter(|name| !name.is_empty()).collect();
        assert!(told.iter().all(|name| default.contains(&format!("\"{name}\""))), "{features}");
        let is_in = ["compression", "push", "simulator", "tls"].map(|name| told.contains(&name));
        let compiled =
            [cfg!(feature = "compression"), cfg!(feature = "push"), cfg!(feature = "simulator"), cfg!(feature = "tls")];
        assert_eq!(is_in, compiled);
        assert_eq!(default.matches('"').count(), 2 * is_in.len(), "tell of the feature that has come in");
    }
}
