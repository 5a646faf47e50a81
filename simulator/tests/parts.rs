//! Every part of a machine is used by some profile and visible in its files.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

use std::time::Duration;

use collectors::host::glob;
use collectors::host::root::tree::{Tree, What};
use simulator::{Host, Machine};

const AT: u64 = 1_700_000_000;

/// A part, a profile with settings that has it, a path of its files, and text in one of them or in a link's target.
type Part = (&'static str, &'static str, Settings, &'static str, &'static str);

type Settings = &'static [(&'static str, &'static str)];

/// `*` in a path matches part of one name. Without text the existence of the path is sufficient.
const PARTS: &[Part] = &[
    ("sockets", "epyc256", &[], "sys/devices/system/cpu/cpu*/topology/physical_package_id", "1\n"),
    ("NUMA nodes", "epyc256", &[], "sys/devices/system/node/node7/distance", "10"),
    ("threads of a core", "epyc256", &[], "sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,128"),
    ("caches", "epyc256", &[], "sys/devices/system/cpu/cpu0/cache/index3/size", "32768K"),
    ("frequencies", "laptop", &[], "sys/devices/system/cpu/cpufreq/policy0/scaling_driver", "intel_pstate"),
    ("idle states", "laptop", &[], "sys/devices/system/cpu/cpu0/cpuidle/state*/name", "C8"),
    ("zones of memory", "vm", &[], "proc/zoneinfo", "zone   Normal"),
    ("small free blocks", "vm", &[], "proc/buddyinfo", "DMA32"),
    ("transparent huge pages", "vm", &[], "proc/meminfo", "AnonHugePages:"),
    ("huge pages", "epyc256", &[], "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "131072\n"),
    ("swap", "laptop", &[], "proc/swaps", "partition"),
    ("disks of virtio", "vm", &[], "proc/partitions", "vda2"),
    ("disks of SCSI", "jbod60", &[], "sys/block/sdaa", "/block/sdaa"),
    ("disks of NVMe", "laptop", &[], "proc/diskstats", "nvme0n1p1"),
    ("disks of mainframes", "s390x", &[], "proc/diskstats", "dasda1"),
    ("cards", "pi4", &[], "proc/diskstats", "mmcblk0p2"),
    ("LVM", "vm", &[], "sys/devices/virtual/block/dm-0/dm/uuid", "LVM-"),
    ("paths to one disk", "jbod60", &[], "sys/devices/virtual/block/dm-*/dm/uuid", "mpath-"),
    ("compressed memory as a disk", "laptop", &[], "proc/diskstats", "zram0"),
    ("RAID", "jbod60", &[], "proc/mdstat", "raid6"),
    ("bcache", "jbod60", &[], "sys/fs/bcache/*/cache_available_percent", ""),
    ("bcachefs", "laptop", &[], "sys/fs/bcachefs/*/compression_stats", ""),
    ("btrfs", "laptop", &[], "sys/fs/btrfs/*/label", ""),
    ("XFS", "vm", &[], "sys/fs/xfs/*/stats/stats", "extent_alloc"),
    ("ZFS", "jbod60", &[], "proc/spl/kstat/zfs/*/state", "ONLINE"),
    ("NFS, mounted", "epyc256", &[], "proc/*/mountstats", "nfs4 statvers"),
    ("NFS, served", "jbod60", &[], "proc/*/net/rpc/nfsd", "proc4ops"),
    ("DRBD", "epyc256", &[], "proc/drbd", "Connected"),
    ("tapes", "jbod60", &[], "sys/class/scsi_tape/st0", "st0"),
    ("Fibre Channel", "jbod60", &[], "sys/class/fc_host/host*", "fc_host"),
    ("InfiniBand", "ib-hpc", &[], "sys/class/infiniband/mlx5_0", "infiniband"),
    ("virtual networks", "epyc256", &[], "proc/*/net/dev", ".120:"),
    ("bonds", "vm", &[], "proc/*/net/bonding/bond0", "Slave Interface: eth1"),
    ("bridges", "vm", &[], "sys/class/net/docker0", "virtual/net/docker0"),
    ("veths", "k8s-dense", &[], "sys/class/net/veth*", "virtual/net/veth"),
    ("wireless networks", "laptop", &[], "kernel/wifi_networks", "ssid="),
    ("routes", "vm", &[], "proc/*/net/route", "00000000"),
    ("neighbours", "vm", &[], "proc/*/net/arp", "0x2"),
    ("sockets of TCP", "vm", &[], "proc/*/net/tcp", " 0A "),
    ("local sockets", "vm", &[], "proc/*/net/unix", "/run/dbus/system_bus_socket"),
    ("load balancing", "k8s-dense", &[], "proc/*/net/ip_vs", "TCP"),
    ("tracked connections", "vm", &[], "proc/sys/net/netfilter/nf_conntrack_count", ""),
    ("sensors", "epyc256", &[], "sys/class/hwmon/hwmon0", "hwmon"),
    ("thermal zones", "laptop", &[], "sys/class/thermal/thermal_zone0", "thermal"),
    ("batteries", "laptop", &[], "sys/class/power_supply/BAT0", "BAT0"),
    ("meters of energy", "laptop", &[], "sys/class/powercap/intel-rapl:0", "intel-rapl:0"),
    ("corrected memory", "epyc256", &[], "sys/devices/system/edac/mc/mc0/ce_count", ""),
    ("watchdogs", "epyc256", &[], "sys/class/watchdog/watchdog0", "watchdog0"),
    ("graphics", "epyc256", &[], "sys/class/drm/card1", "card1"),
    ("firmware", "laptop", &[], "sys/class/dmi/id", "dmi/id"),
    ("PCI", "laptop", &[], "sys/bus/pci/devices/0000:00:00.0", "0000:00:00.0"),
    ("SELinux", "jbod60", &[], "rootfs/etc/selinux/config", "enforcing"),
    ("one hierarchy of groups", "k8s-dense", &[], "sys/fs/cgroup/kubepods.slice/*/*-pod*/cri-*/cpu.stat", "usage_usec"),
    (
        "a hierarchy of groups for each controller",
        "k8s-dense",
        &[("kernel", "4.18")],
        "sys/fs/cgroup/memory/kubepods.slice/*/*-pod*/cri-*/memory.usage_in_bytes",
        "",
    ),
    ("containers", "vm", &[], "proc/mounts", ""),
    ("pods", "k8s-dense", &[], "sys/fs/cgroup/kubepods.slice/*/*-pod*", ""),
    ("supervised services", "pi4", &[], "host/etc/service/*/supervise/status", ""),
    ("processes", "vm", &[], "proc/1/status", "Name:\tsystemd"),
    ("interrupts", "ib-hpc", &[], "proc/interrupts", "mlx5_comp"),
    ("kernel 3.10", "vm", &[("kernel", "3.10")], "proc/version", "Linux version 3.10."),
    ("kernel 4.18", "vm", &[("kernel", "4.18")], "proc/version", "Linux version 4.18."),
    ("kernel 5.14", "vm", &[("kernel", "5.14")], "proc/version", "Linux version 5.14."),
    ("kernel 6.12", "vm", &[("kernel", "6.12")], "proc/version", "Linux version 6.12."),
    ("x86-64", "vm", &[], "kernel/uname", "machine x86_64"),
    ("aarch64", "pi4", &[], "kernel/uname", "machine aarch64"),
    ("pages of 64 KiB", "vm", &[("architecture", "aarch64-64k")], "kernel/system", "page_size_bytes 65536"),
    ("ppc64le", "vm", &[("architecture", "ppc64le")], "proc/cpuinfo", "POWER"),
    ("s390x", "s390x", &[], "proc/cpuinfo", "IBM/S390"),
];

fn frozen(profile: &str, overrides: &[(&str, &str)]) -> Tree {
    Host::new(Machine::of(profile, 1, overrides).unwrap(), || Duration::ZERO).tree_at(AT)
}

/// Whether a path matches a pattern whose `*` match parts of one name.
fn is_of(path: &[u8], form: &str) -> bool {
    let path = std::str::from_utf8(path).unwrap();
    let (mut names, mut forms) = (path.split('/'), form.split('/'));
    loop {
        match (names.next(), forms.next()) {
            (None, None) => return true,
            (Some(name), Some(form)) if glob::matches(form.as_bytes(), name.as_bytes()) => {}
            _ => return false,
        }
    }
}

fn says(tree: &Tree, form: &str, words: &str) -> bool {
    let mut found = tree.iter().filter(|(path, _)| is_of(path, form));
    found.any(|(_, node)| match node.what() {
        What::File(content) | What::Link(content) => String::from_utf8_lossy(content).contains(words),
        What::Directory | What::Special(_) => words.is_empty(),
    })
}

#[test]
fn every_part_is_used_by_a_profile() {
    let mut hosts: Vec<(&str, Settings, Tree)> = Vec::new();
    let mut missing = Vec::new();
    for &(part, profile, overrides, form, words) in PARTS {
        let known = hosts.iter().position(|(name, of, _)| (*name, *of) == (profile, overrides));
        let at = known.unwrap_or_else(|| {
            hosts.push((profile, overrides, frozen(profile, overrides)));
            hosts.len() - 1
        });
        if !says(&hosts[at].2, form, words) {
            missing.push(format!("{part}: {profile} {overrides:?} has no {form} with {words:?}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(!says(&hosts[0].2, "proc/version", "Plan 9") && !is_of(b"proc/stat", "proc/*/stat"));
}
