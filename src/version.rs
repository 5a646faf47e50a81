//! Version and build information.

/// Package version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The source's revision, where whoever built it has said so in `NODE_EXPORTER_REVISION`.
pub const REVISION: &str = match option_env!("NODE_EXPORTER_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
/// The source's branch, where whoever built it has said so in `NODE_EXPORTER_BRANCH`.
pub const BRANCH: &str = match option_env!("NODE_EXPORTER_BRANCH") {
    Some(branch) => branch,
    None => "unknown",
};
/// Compiler: `rustc1.90.0`.
pub const COMPILER: &str = env!("NODE_EXPORTER_COMPILER");

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
         compiler:         {COMPILER}\n  platform:         {}/{}\n  features:         {}\n",
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
