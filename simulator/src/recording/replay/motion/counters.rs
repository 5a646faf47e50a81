//! Which numbers the kernel counts: they never fall, and go on rising.

/// Files in which every number is one that the kernel counts, but for the exceptions of [`is_level`].
const COUNTING: &[&str] = &[
    "proc/stat",
    "proc/diskstats",
    "proc/interrupts",
    "proc/softirqs",
    "proc/vmstat",
    "proc/schedstat",
    "proc/uptime",
    "proc/pressure/",
    "/net/dev",
    "/net/netstat",
    "/net/snmp",
    "/net/snmp6",
    "/net/softnet_stat",
    "/net/stat/",
    "/net/rpc/",
    "/net/xfrm_stat",
    "/net/ip_vs_stats",
    "/mountstats",
    "/statistics/",
    "/stats/",
    "/energy_uj",
    "_count",
    "_changes",
    "/numastat",
    "kernel/links",
    "kernel/qdiscs",
    "/io.stat",
    "/cpu.stat",
    "/hw_counters/",
    "/counters/",
];

/// Files whose numbers are written in hexadecimal digits.
const HEXADECIMAL: &[&str] = &["/net/softnet_stat", "/net/stat/", "/net/ip_vs_stats"];

/// What the columns of one file are.
pub(super) struct Columns<'a> {
    path: &'a str,
    is_counting: bool,
    is_hexadecimal: bool,
}

impl<'a> Columns<'a> {
    pub(super) fn of(path: &'a str) -> Self {
        let is_one_of = |names: &[&str]| names.iter().any(|name| is_named(path, name));
        Self { path, is_counting: is_one_of(COUNTING), is_hexadecimal: is_one_of(HEXADECIMAL) }
    }

    pub(super) fn radix(&self) -> u32 {
        if self.is_hexadecimal { 16 } else { 10 }
    }

    /// Whether the number in a column is counted. `key` is the line's first word, `label` the name right before the
    /// number, `column` the number of words before it.
    pub(super) fn counts(&self, key: &[u8], label: &[u8], column: usize) -> bool {
        self.is_counting && !is_level(self.path, key, label, column)
    }
}

/// A name that begins with `/` is a part of the path, one that begins with `_` its end, any other all of it.
fn is_named(path: &str, name: &str) -> bool {
    match name {
        name if name.starts_with('_') => path.ends_with(name),
        name if name.ends_with('/') => path.contains(name),
        name if name.starts_with('/') => path.ends_with(name),
        name => path == name,
    }
}

/// The exceptions: what goes up and down in files that count.
fn is_level(path: &str, key: &[u8], label: &[u8], column: usize) -> bool {
    match path {
        "proc/stat" => matches!(key, b"procs_running" | b"procs_blocked" | b"btime"),
        "proc/diskstats" => column == 11,
        "proc/vmstat" => key.starts_with(b"nr_"),
        "kernel/qdiscs" => !matches!(label, b"bytes" | b"packets" | b"drops" | b"requeues" | b"overlimits"),
        "kernel/links" => {
            !(label.starts_with(b"rx_")
                || label.starts_with(b"tx_")
                || label.ends_with(b"changes")
                || matches!(label, b"multicast" | b"collisions"))
        }
        path if path.contains("proc/pressure/") => label != b"total",
        // The established connections of now.
        path if path.ends_with("/net/snmp") => key == b"Tcp:" && column == 9,
        path if path.ends_with("/net/softnet_stat") => column >= 11,
        _ => false,
    }
}
