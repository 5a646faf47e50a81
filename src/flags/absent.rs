//! Collectors of node_exporter on Linux that are not here: a command line that switches them off has what it wants.

/// Their names.
pub(super) const NAMES: [&str; 8] =
    ["ethtool", "logind", "network_route", "ntp", "perf", "supervisord", "systemd", "timex"];

/// What to tell of a flag that switches one of them off.
pub(super) fn warning(flag: &str) -> Option<String> {
    let collector = flag.strip_prefix("no-collector.")?;
    NAMES.contains(&collector).then(|| format!("--{flag}: this exporter does not have that collector"))
}
