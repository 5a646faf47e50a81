//! CPU times, tables and topology.

use std::collections::BTreeMap;

use super::{Frozen, numbers};

pub(crate) fn agree(host: &Frozen) {
    cpus_add_up(host);
    cpu_counts_agree(host);
}

fn cpus_add_up(host: &Frozen) {
    let stat = host.text("proc/stat");
    let rows: Vec<Vec<u64>> = stat.lines().filter(|line| line.starts_with("cpu")).map(numbers).collect();
    let (all, each) = rows.split_first().unwrap();
    // The sum includes offline CPUs, which have no rows.
    let is_whole = host.cpu_list("sys/devices/system/cpu/offline").is_empty();
    for (column, sum) in all.iter().enumerate() {
        let of_rows = each.iter().map(|row| row[column]).sum::<u64>();
        assert!(of_rows == *sum || !is_whole && of_rows < *sum, "column {column}: {of_rows} of {sum}");
    }
    let uptime = host.text("proc/uptime").replace('.', "");
    let [up, idle] = numbers(&uptime)[..] else { panic!("{uptime}") };
    assert_eq!(idle, all[3]);
    for row in each {
        // Each column is truncated to whole ticks.
        let spent: u64 = row.iter().take(8).sum();
        assert!(spent <= up && (up - spent <= 8 || host.may(&["cpu-hotplug"])), "{spent} ticks of {up}");
    }
    for line in stat.lines().filter(|line| line.starts_with("softirq")) {
        let counts = numbers(line);
        assert_eq!(counts[0], counts[1..].iter().sum::<u64>());
    }
    let of_all = stat.lines().find(|line| line.starts_with("softirq")).map(numbers).unwrap();
    for (line, sum) in host.text("proc/softirqs").lines().skip(1).zip(&of_all[1..]) {
        let (_, counts) = line.split_once(':').unwrap();
        assert_eq!(numbers(counts).iter().sum::<u64>(), *sum, "{line}");
    }
    for line in stat.lines().filter(|line| line.starts_with("intr")) {
        let counts = numbers(line);
        assert!(counts[0] >= counts[1..].iter().sum::<u64>());
    }
}

fn cpu_counts_agree(host: &Frozen) {
    let in_stat = host.text("proc/stat").lines().filter(|line| line.starts_with("cpu")).count() - 1;
    let cpuinfo = host.text("proc/cpuinfo");
    let of_field = |name: &str| -> Vec<u64> {
        let lines = cpuinfo.lines().filter(|line| line.split(':').next().unwrap().trim() == name);
        lines.flat_map(numbers).collect()
    };
    // The key differs on s390x.
    assert_eq!(of_field("processor").len() + of_field("cpu number").len(), in_stat);
    let columns = |path: &str| -> Vec<String> {
        host.text(path).lines().next().unwrap().split_whitespace().map(str::to_lowercase).collect()
    };
    let rows = |path: &str| -> Vec<&str> {
        let names = host.text(path).lines().filter_map(|line| line.split(' ').next());
        names.filter(|name| name.starts_with("cpu") && *name != "cpu").collect()
    };
    assert_eq!(columns("proc/interrupts"), rows("proc/stat"));
    interrupts_add_up(host, in_stat);
    let is_cpu = |name: &&String| name.strip_prefix("cpu").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let folders = host.names("sys/devices/system/cpu").iter().filter(is_cpu).count();
    let list = |name: &str| host.cpu_list(&format!("sys/devices/system/cpu/{name}"));
    let (online, offline) = (list("online"), list("offline"));
    assert_eq!(online.len(), in_stat);
    assert_eq!(online.union(&offline).copied().collect::<Vec<_>>(), (0..folders).collect::<Vec<_>>());
    assert_eq!([list("present"), list("possible")].map(|cpus| cpus.len()), [folders; 2]);
    assert_eq!(columns("proc/softirqs").len(), folders, "alone with a column for those that are away");
    assert_eq!(host.text("proc/net/softnet_stat").lines().count(), in_stat);
    assert_eq!(rows("proc/schedstat"), rows("proc/stat"));
    for cpu in 0..folders {
        let folder = format!("sys/devices/system/cpu/cpu{cpu}");
        let switch = format!("{folder}/online");
        assert!(host.tree.get(&switch).is_none() || host.numbers(&switch) == [u64::from(online.contains(&cpu))]);
        assert_eq!(host.tree.get(format!("{folder}/topology/core_id")).is_some(), online.contains(&cpu), "{cpu}");
    }
    let (cores, sockets) = (of_field("core id"), of_field("physical id"));
    assert_eq!(host.text("proc/net/stat/nf_conntrack").lines().count() - 1, folders);
    for (place, &cpu) in online.iter().enumerate() {
        let topology = |name: &str| host.numbers(&format!("sys/devices/system/cpu/cpu{cpu}/topology/{name}"))[0];
        // cpuinfo has them on x86 only.
        assert!(cores.is_empty() || cores[place] == topology("core_id"), "core of {cpu}");
        assert!(sockets.is_empty() || sockets[place] == topology("physical_package_id"), "socket of {cpu}");
        let siblings = host.text(&format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"));
        let first = siblings.split(['-', ',', '\n']).next().unwrap();
        let same = format!("sys/devices/system/cpu/cpu{first}/topology/thread_siblings_list");
        assert_eq!(siblings, host.text(&same), "threads of one core name the same threads");
    }
}

fn interrupts_add_up(host: &Frozen, cpus: usize) {
    let (mut sum, mut by_number) = (0, BTreeMap::new());
    for line in host.text("proc/interrupts").lines().skip(1) {
        let (name, rest) = line.split_once(':').unwrap();
        let counts: Vec<u64> = rest.split_whitespace().take(cpus).filter_map(|word| word.parse().ok()).collect();
        let is_class = matches!(name, "EXT" | "I/O" | "AIO");
        if counts.len() == cpus && !matches!(name.trim(), "ERR" | "MIS" | "Err" | "NMI" | "RST")
            || name.trim() == "NMI" && !host.is_mainframe()
        {
            let of_line = counts.iter().sum::<u64>();
            // On s390x the first lines are totals of classes.
            sum += if host.is_mainframe() && !is_class { 0 } else { of_line };
            if let Ok(number) = name.trim().parse::<usize>() {
                by_number.insert(number, of_line);
            }
        }
    }
    let stat = host.text("proc/stat").lines().find(|line| line.starts_with("intr ")).map(numbers).unwrap();
    // An offline CPU has no column.
    let is_whole = host.cpu_list("sys/devices/system/cpu/offline").is_empty();
    let agrees = |all: u64, told: u64| all == told || !is_whole && told < all;
    let has_wrapped = host.may(&["interrupts-beyond-32-bits"]) && sum % (1 << 32) == stat[0];
    assert!(agrees(stat[0], sum) || has_wrapped, "the interrupts of all lines and CPUs: {sum} of {}", stat[0]);
    for (number, of_line) in by_number {
        assert!(agrees(stat[number + 1], of_line), "line {number}");
    }
}
