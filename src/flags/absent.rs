//! Collectors of node_exporter on Linux that are not here: a command line that switches them off has what it wants.

/// Their names.
pub(super) const NAMES: [&str; 8] =
    ["ethtool", "logind", "network_route", "ntp", "perf", "supervisord", "systemd", "timex"];

/// What to tell of a flag that switches one of them off.
pub(super) fn warning(flag: &str) -> Option<String> {
    let collector = flag.strip_prefix("no-collector.")?;
    NAMES.contains(&collector).then(|| format!("--{flag}: this exporter does not have that collector"))
}

/// Why any other flag of theirs is not known, so that nobody looks for a slip of the pen.
pub(super) fn reason(flag: &str) -> Option<String> {
    let name = flag.strip_prefix("no-").unwrap_or(flag).strip_prefix("collector.")?;
    let collector = NAMES.into_iter().find(|collector| name.split('.').next() == Some(collector))?;
    Some(format!("unknown flag --{flag}: this exporter does not have the collector {collector}; leave the flag out"))
}
