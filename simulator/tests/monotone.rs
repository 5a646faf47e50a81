//! Counters never fall.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

use std::time::Duration;

use collectors::kit::root::tree::{Tree, What};
use proptest::prelude::*;
use simulator::{Host, Machine, Profile, profiles};

/// Numbers of a file that may fall. Every other number of the files below never does.
enum Falls {
    None,
    /// These columns of a line, counted from 0.
    Columns(&'static [usize]),
    /// Lines that begin with one of these.
    Lines(&'static [&'static str]),
    /// All lines from this one on, counted from 0.
    From(usize),
}

fn falls(path: &str) -> Option<Falls> {
    // What stands below the folder of a process is the same for all of them.
    let own =
        path.strip_prefix("proc/").and_then(|path| path.split_once('/')).filter(|(process, _)| is_number(process));
    let falls = match own.map_or(path, |(_, own)| own) {
        "proc/stat" => Falls::Lines(&["procs_running", "procs_blocked"]),
        "proc/diskstats" => Falls::Columns(&[11]),
        "proc/uptime" | "proc/interrupts" | "proc/softirqs" | "proc/schedstat" | "net/dev" | "net/netstat"
        | "net/snmp6" | "net/xfrm_stat" | "io" | "schedstat" => Falls::None,
        "net/stat/nf_conntrack" | "net/stat/arp_cache" | "net/stat/ndisc_cache" => Falls::Columns(&[0]),
        // What went through in all, then what goes through in a second.
        "net/ip_vs_stats" => Falls::From(3),
        // Connections that are open stand among the counts.
        "net/snmp" => Falls::Lines(&["Tcp:"]),
        "proc/vmstat" => Falls::Lines(&["nr_", "workingset_nodes"]),
        "proc/pressure/cpu" | "proc/pressure/io" | "proc/pressure/memory" => Falls::Columns(&[1, 2, 3]),
        _ if path.ends_with("/stat") && path.starts_with("sys/") => Falls::Columns(&[8]),
        "proc/drbd" | "net/rpc/nfs" | "net/rpc/nfsd" => Falls::None,
        // How long a transport had nothing to do.
        "mountstats" => Falls::Lines(&["\txprt:", "\topts:", "\tcaps:"]),
        // All but bytes begin again after 32 bits.
        _ if path.starts_with("sys/fs/xfs/") => Falls::Lines(&[
            "extent_alloc",
            "abt",
            "blk_map",
            "bmbt",
            "dir",
            "trans",
            "ig",
            "log",
            "push_ail",
            "xstrat",
            "rw",
            "attr",
            "icluster",
            "vnodes",
            "buf",
            "ibt2",
            "fibt2",
            "rmapbt",
            "refcntbt",
            "qm",
            "debug",
        ]),
        _ if path.contains("/scsi_tape/") && path.contains("/stats/") && !path.ends_with("in_flight") => Falls::None,
        _ if path.starts_with("proc/spl/kstat/zfs/") && path.contains("/objset-") => Falls::None,
        _ if path.starts_with("proc/spl/kstat/zfs/") && path.ends_with("/io") => Falls::None,
        _ if path.contains("/bcache/stats_total/cache_") => Falls::None,
        _ if path.starts_with("sys/fs/btrfs/") && path.ends_with("/commit_stats") => Falls::Lines(&["last_commit_ms"]),
        _ if path.starts_with("sys/fs/bcachefs/") && path.contains("/counters/") => Falls::None,
        _ if path.starts_with("sys/fs/bcachefs/") && path.ends_with("/io_done") => Falls::None,
        _ if path.contains("counters/") || path.contains("/counters_ext/") => Falls::None,
        _ if path.starts_with("sys/fs/cgroup/") && (path.ends_with("cpu.stat") || path.ends_with("cpuacct.usage")) => {
            Falls::None
        }
        _ if path.contains("/statistics/") || path.contains("/thermal_throttle/") => Falls::None,
        _ => return None,
    };
    Some(falls)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Every counter of a frozen host, with what it is called in an error.
fn counters(tree: &Tree) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for (path, node) in tree.iter() {
        let path = std::str::from_utf8(path).unwrap();
        let (What::File(content), Some(falls)) = (node.what(), falls(path)) else { continue };
        let is_hexadecimal = path.contains("/net/stat/") || path.ends_with("ip_vs_stats");
        for (number, line) in std::str::from_utf8(content).unwrap().lines().enumerate() {
            if matches!(falls, Falls::Lines(names) if names.iter().any(|name| line.starts_with(name))) {
                continue;
            }
            if matches!(falls, Falls::From(first) if number >= first) {
                continue;
            }
            for (column, word) in line.split_whitespace().enumerate() {
                let value = match word.strip_prefix("total=").unwrap_or(word) {
                    // Hundredths lose their point.
                    word if is_hexadecimal => u64::from_str_radix(word, 16),
                    word => word.replace('.', "").parse(),
                };
                let may_fall = matches!(falls, Falls::Columns(columns) if columns.contains(&column));
                if let (Ok(value), false) = (value, may_fall) {
                    found.push((format!("{path}:{number}:{column}"), value));
                }
            }
        }
    }
    found
}

#[track_caller]
fn check(seed: u64, first: u64, then: u64) {
    for profile in profiles() {
        check_profile(profile, seed, first, then);
    }
}

fn check_profile(profile: &'static Profile, seed: u64, first: u64, then: u64) {
    let host = Host::new(profile.machine(seed, profile.small).unwrap(), || Duration::ZERO);
    let (before, after) = (counters(&host.tree_at(first)), counters(&host.tree_at(then)));
    assert_eq!(before.len(), after.len());
    for ((name, before), (same, after)) in before.iter().zip(&after) {
        assert_eq!(name, same);
        let host = profile.name;
        assert!(after >= before, "{host} {seed}: {name} falls from {before} to {after} between {first} and {then}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn no_counter_falls(seed: u64, first in 1_680_000_000_u64..1_900_000_000, after in 0_u64..100_000_000) {
        check(seed, first, first + after);
    }

    #[test]
    fn no_counter_falls_within_a_minute(seed: u64, first in 1_680_000_000_u64..1_900_000_000, after in 0_u64..60) {
        check(seed, first, first + after);
    }
}

#[test]
fn there_are_counters_and_they_rise() {
    let host = Host::new(Machine::vm(1), || Duration::ZERO);
    let (before, after) = (counters(&host.tree_at(1_700_000_000)), counters(&host.tree_at(1_700_086_400)));
    let risen = before.iter().zip(&after).filter(|((_, before), (_, after))| after > before).count();
    assert!(before.len() > 600 && risen > 250, "{risen} of {} rise in a day", before.len());
}
