//! Path patterns of declared reads: `proc/net/dev`, `sys/class/net/*/mtu`, `proc/sys/**`.

use collectors::host::glob;
use collectors::host::root::Mount;
use collectors::kit::read::ReadInfo;

/// The pattern of a read, with its mount. A path from a flag, declared as one name, may have any depth.
pub fn of(read: &ReadInfo) -> String {
    match read.pattern.strip_prefix('*') {
        Some(rest) if read.mount == Mount::Host => format!("{}/**{rest}", read.mount.name()),
        _ => format!("{}/{}", read.mount.name(), read.pattern),
    }
}

/// Whether a path matches a pattern or is a parent folder of a match. A trailing `**` matches everything below.
pub fn leads_to(pattern: &str, path: &str) -> bool {
    fits(&names(pattern), &names(path), true)
}

/// Whether a path matches a pattern.
pub fn is_one(pattern: &str, path: &str) -> bool {
    fits(&names(pattern), &names(path), false)
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

/// `**` matches one or more names.
fn fits(pattern: &[&str], path: &[&str], is_way_enough: bool) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (_, []) => is_way_enough,
        (["**", rest @ ..], _) => {
            (1..=path.len()).any(|taken| path.get(taken..).is_some_and(|path| fits(rest, path, is_way_enough)))
        }
        ([wanted, pattern @ ..], [name, path @ ..]) => {
            glob::matches(wanted.as_bytes(), name.as_bytes()) && fits(pattern, path, is_way_enough)
        }
        ([], _) => false,
    }
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(pattern: &str, path: &str, is_one: bool, leads_to: bool) {
        assert_eq!(
            (super::is_one(pattern, path), super::leads_to(pattern, path)),
            (is_one, leads_to),
            "{pattern} {path}"
        );
    }

    #[test]
    fn patterns_match_paths_and_their_parents() {
        check("proc/stat", "proc/stat", true, true);
        check("proc/stat", "proc", false, true);
        check("proc/stat", "proc/stats", false, false);
        check("proc/stat", "proc/stat/x", false, false);
        check("sys/class/net/*/mtu", "sys/class/net/eth0/mtu", true, true);
        check("sys/class/net/*/mtu", "sys/class/net", false, true);
        check("sys/class/net/*/mtu", "sys/class/net/eth0/speed", false, false);
        check("sys/block/md*/md/dev-*/state", "sys/block/md0/md/dev-sda/state", true, true);
        check("host/**", "host/var/lib/x", true, true);
        check("host/**", "host", false, true);
        check("host/**/down", "host/etc/service/web/down", true, true);
        check("host/**/down", "host/down", false, true);
    }
}
