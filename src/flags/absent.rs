//! Flags of node_exporter's collectors that this exporter does not have: those of other systems, and those that are not
//! implemented. They are accepted with a warning, so that command lines written for node_exporter work.

/// Collectors of node_exporter on Linux that are not implemented.
pub(super) const NAMES: [&str; 1] = ["supervisord"];

/// Collectors of node_exporter on other systems.
pub(super) const OTHER_SYSTEMS: [&str; 6] = ["boottime", "devstat", "exec", "netisr", "partition", "thermal"];

/// A flag of an absent collector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct AbsentFlag {
    /// Warning for the operator.
    pub(super) warning: String,
    /// Whether it has a value.
    pub(super) takes_value: bool,
}

/// The flag of this name, if it belongs to an absent collector.
pub(super) fn find(flag: &str) -> Option<AbsentFlag> {
    let name = flag.strip_prefix("no-").unwrap_or(flag).strip_prefix("collector.")?;
    let collector = name.split('.').next()?;
    let reason = if NAMES.contains(&collector) {
        "this exporter does not have that collector"
    } else if OTHER_SYSTEMS.contains(&collector) {
        "that collector is for another system"
    } else {
        return None;
    };
    let is_switch = name == collector || flag.starts_with("no-");
    Some(AbsentFlag { warning: format!("--{flag} has no effect: {reason}"), takes_value: !is_switch })
}
