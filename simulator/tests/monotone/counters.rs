//! Counters of a frozen host: all numbers of listed files except gauges.

use std::collections::BTreeMap;

use collectors::host::root::tree::{Tree, What};

/// Gauges of a file, which may fall. All other numbers of the files below are counters.
enum Levels {
    None,
    /// Columns of a line, from 0.
    Columns(&'static [usize]),
    /// Lines with these first words.
    Lines(&'static [&'static str]),
    /// All lines from an index on, from 0.
    From(usize),
}

fn levels(path: &str) -> Option<Levels> {
    // Files below a process directory are alike for all processes.
    let own =
        path.strip_prefix("proc/").and_then(|path| path.split_once('/')).filter(|(process, _)| is_number(process));
    let levels = match own.map_or(path, |(_, own)| own) {
        "proc/stat" => Levels::Lines(&["btime", "procs_running", "procs_blocked"]),
        "proc/diskstats" => Levels::Columns(&[11]),
        "proc/uptime" | "proc/interrupts" | "proc/softirqs" | "proc/schedstat" | "net/dev" | "net/netstat"
        | "net/snmp6" | "net/xfrm_stat" | "io" | "schedstat" => Levels::None,
        "net/stat/nf_conntrack" | "net/stat/arp_cache" | "net/stat/ndisc_cache" => Levels::Columns(&[0]),
        // Totals, then rates per second.
        "net/ip_vs_stats" => Levels::From(3),
        // The count of open connections is a gauge.
        "net/snmp" => Levels::Lines(&["Tcp:"]),
        "proc/vmstat" => Levels::Lines(&["nr_", "workingset_nodes"]),
        "proc/pressure/cpu" | "proc/pressure/io" | "proc/pressure/memory" => Levels::Columns(&[1, 2, 3]),
        _ if path.ends_with("/stat") && path.starts_with("sys/") => Levels::Columns(&[8]),
        "proc/drbd" | "net/rpc/nfs" | "net/rpc/nfsd" => Levels::None,
        // Idle time of a transport.
        "mountstats" => Levels::Lines(&["\txprt:", "\topts:", "\tcaps:"]),
        // All columns except bytes wrap at 32 bits.
        _ if path.starts_with("sys/fs/xfs/") => Levels::Lines(&[
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
        _ if path.contains("/scsi_tape/") && path.contains("/stats/") && !path.ends_with("in_flight") => Levels::None,
        _ if path.starts_with("proc/spl/kstat/zfs/") && path.contains("/objset-") => Levels::None,
        _ if path.starts_with("proc/spl/kstat/zfs/") && path.ends_with("/io") => Levels::None,
        _ if path.contains("/bcache/stats_total/cache_") => Levels::None,
        _ if path.starts_with("sys/fs/btrfs/") && path.ends_with("/commit_stats") => Levels::Lines(&["last_commit_ms"]),
        _ if path.starts_with("sys/fs/bcachefs/") && path.contains("/counters/") => Levels::None,
        _ if path.starts_with("sys/fs/bcachefs/") && path.ends_with("/io_done") => Levels::None,
        _ if path.contains("counters/") || path.contains("/counters_ext/") => Levels::None,
        _ if path.starts_with("sys/fs/cgroup/") && (path.ends_with("cpu.stat") || path.ends_with("cpuacct.usage")) => {
            Levels::None
        }
        _ if path.contains("/statistics/") || path.contains("/thermal_throttle/") => Levels::None,
        _ => return None,
    };
    Some(levels)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Every counter by path, row name and column, which identify it although other rows come and go.
pub(crate) fn counters(tree: &Tree) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for (path, node) in tree.iter() {
        let path = std::str::from_utf8(path).unwrap();
        if let (What::File(content), Some(levels)) = (node.what(), levels(path)) {
            of_file(path, std::str::from_utf8(content).unwrap(), &levels, &mut found);
        }
    }
    found
}

fn of_file(path: &str, text: &str, levels: &Levels, found: &mut BTreeMap<String, u64>) {
    let is_hexadecimal = path.contains("/net/stat/") || path.ends_with("ip_vs_stats");
    let head: Vec<&str> = text.lines().next().unwrap_or_default().split_whitespace().collect();
    // Prefix of indented and per-CPU rows.
    let mut owner = String::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_part = line.starts_with(['\t', ' ']) && path.ends_with("mountstats") || line.starts_with("domain");
        let row = match words[..] {
            [_, _, name, ..] if path == "proc/diskstats" => name.to_owned(),
            ["device", name, ..] => name.to_owned(),
            [name, ..] if is_part => format!("{owner}/{name}"),
            // Header and value rows of one name.
            [name, ..] if !path.starts_with("sys/") && !is_hexadecimal && !is_number(&name.replace('.', "")) => {
                name.to_owned()
            }
            _ => number.to_string(),
        };
        if !is_part {
            owner.clone_from(&row);
        }
        let is_level = match levels {
            Levels::Lines(names) => names.iter().any(|name| line.starts_with(name)),
            Levels::From(first) => number >= *first,
            Levels::None | Levels::Columns(_) => false,
        };
        if is_level {
            continue;
        }
        for (place, word) in words.iter().enumerate() {
            let value = match word.strip_prefix("total=").unwrap_or(word) {
                // Decimals lose their point.
                word if is_hexadecimal => u64::from_str_radix(word, 16),
                word => word.replace('.', "").parse(),
            };
            // The header of a per-CPU table has one column less.
            let cpu = place.checked_sub(1).and_then(|cpu| head.get(cpu)).filter(|cpu| cpu.starts_with("CPU"));
            let column = cpu.map_or_else(|| place.to_string(), |cpu| (*cpu).to_owned());
            let is_level = matches!(levels, Levels::Columns(columns) if columns.contains(&place));
            if let (Ok(value), false) = (value, is_level) {
                let name = format!("{path} {row} {column}");
                assert_eq!(found.insert(name.clone(), value), None, "{name} is there twice");
            }
        }
    }
}
