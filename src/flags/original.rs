//! The command line of node_exporter on Linux, as a list: this exporter accepts it with equal defaults.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use collectors::ALL;
use collectors::kit::options::{FlagInfo, FlagKind};

use super::table::{Meaning, Table};
use super::{absent, own, parse};

/// Collectors of node_exporter that are on by default, and those that are off.
const COLLECTORS: [(bool, &str); 2] = [
    (
        true,
        "arp bcache bcachefs bonding btrfs conntrack cpu cpufreq diskstats dmi dmmultipath edac entropy fibrechannel \
         filefd filesystem hwmon infiniband ipvs kernel_hung loadavg mdadm meminfo netclass netdev netstat nfs nfsd nvme \
         os powersupplyclass pressure rapl schedstat selinux sockstat softnet stat tapestats textfile thermal_zone time \
         timex udp_queues uname vmstat watchdog xfs zfs",
    ),
    (
        false,
        "buddyinfo cgroups cpu_vulnerabilities drbd drm ethtool interrupts ksmd lnstat logind meminfo_numa mountstats \
         network_route ntp nvmesubsystem pcidevice perf processes qdisc runit slabinfo softirqs supervisord swap sysctl \
         systemd tcpstat wifi xfrm zoneinfo",
    ),
];

/// Other flags of node_exporter, without those of [`absent`] collectors: kind and default.
const FLAGS: &[(&str, FlagKind, &str)] = {
    use FlagKind::{Duration, Switch, Text, Texts, Whole};
    &[
        ("collector.arp.device-exclude", Text, ""),
        ("collector.arp.device-include", Text, ""),
        ("collector.arp.netlink", Switch, "true"),
        ("collector.bcache.priorityStats", Switch, "false"),
        ("collector.cpu.guest", Switch, "true"),
        ("collector.cpu.info", Switch, "false"),
        ("collector.cpu.info.bugs-include", Text, ""),
        ("collector.cpu.info.flags-include", Text, ""),
        ("collector.disable-defaults", Switch, "false"),
        ("collector.diskstats.device-exclude", Text, r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$"),
        ("collector.diskstats.device-include", Text, ""),
        ("collector.ethtool.device-exclude", Text, ""),
        ("collector.ethtool.device-include", Text, ""),
        ("collector.ethtool.metrics-include", Text, ".*"),
        (
            "collector.filesystem.fs-types-exclude",
            Text,
            "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|\
             overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$",
        ),
        ("collector.filesystem.fs-types-include", Text, ""),
        (
            "collector.filesystem.mount-points-exclude",
            Text,
            "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
        ),
        ("collector.filesystem.mount-points-include", Text, ""),
        ("collector.filesystem.mount-timeout", Duration, "5s"),
        ("collector.filesystem.stat-workers", Whole, "4"),
        ("collector.hwmon.chip-exclude", Text, ""),
        ("collector.hwmon.chip-include", Text, ""),
        ("collector.hwmon.sensor-exclude", Text, ""),
        ("collector.hwmon.sensor-include", Text, ""),
        ("collector.infiniband.device-exclude", Text, ""),
        ("collector.infiniband.device-include", Text, ""),
        ("collector.interrupts.include-zeros", Switch, "true"),
        ("collector.interrupts.name-exclude", Text, ""),
        ("collector.interrupts.name-include", Text, ""),
        ("collector.ipvs.backend-labels", Text, "local_address,local_port,remote_address,remote_port,proto,local_mark"),
        ("collector.netclass.ignore-invalid-speed", Switch, "false"),
        ("collector.netclass.ignored-devices", Text, "^$"),
        ("collector.netclass.netlink", Switch, "false"),
        ("collector.netclass_rtnl.with-stats", Switch, "false"),
        ("collector.netdev.address-info", Switch, "false"),
        ("collector.netdev.device-exclude", Text, ""),
        ("collector.netdev.device-include", Text, ""),
        ("collector.netdev.enable-detailed-metrics", Switch, "false"),
        ("collector.netdev.label-ifalias", Switch, "false"),
        ("collector.netdev.netlink", Switch, "true"),
        (
            "collector.netstat.fields",
            Text,
            "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|\
             Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|\
             PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
        ),
        ("collector.ntp.ip-ttl", Whole, "1"),
        ("collector.ntp.local-offset-tolerance", Duration, "1ms"),
        ("collector.ntp.max-distance", Duration, "3.46608s"),
        ("collector.ntp.protocol-version", Whole, "4"),
        ("collector.ntp.server", Text, "127.0.0.1"),
        ("collector.ntp.server-is-local", Switch, "false"),
        ("collector.ntp.server-port", Whole, "123"),
        ("collector.pcidevice.idsfile", Text, ""),
        ("collector.pcidevice.names", Switch, "false"),
        ("collector.perf.cache-profilers", Texts, ""),
        ("collector.perf.cpus", Text, ""),
        ("collector.perf.disable-cache-profilers", Switch, "false"),
        ("collector.perf.disable-hardware-profilers", Switch, "false"),
        ("collector.perf.disable-software-profilers", Switch, "false"),
        ("collector.perf.hardware-profilers", Texts, ""),
        ("collector.perf.software-profilers", Texts, ""),
        ("collector.perf.tracepoint", Texts, ""),
        ("collector.powersupply.ignored-supplies", Text, "^$"),
        ("collector.qdisc.device-exclude", Text, ""),
        ("collector.qdisc.device-include", Text, ""),
        ("collector.qdisc.fixtures", Text, ""),
        ("collector.rapl.enable-zone-label", Switch, "false"),
        ("collector.runit.servicedir", Text, "/etc/service"),
        ("collector.slabinfo.slabs-exclude", Text, ""),
        ("collector.slabinfo.slabs-include", Text, ".*"),
        ("collector.stat.softirq", Switch, "false"),
        ("collector.sysctl.include", Texts, ""),
        ("collector.sysctl.include-info", Texts, ""),
        ("collector.systemd.enable-restarts-metrics", Switch, "false"),
        ("collector.systemd.enable-start-time-metrics", Switch, "false"),
        ("collector.systemd.enable-task-metrics", Switch, "false"),
        ("collector.systemd.private", Switch, "false"),
        ("collector.systemd.unit-exclude", Text, r".+\.(automount|device|mount|scope|slice)"),
        ("collector.systemd.unit-include", Text, ".+"),
        ("collector.tapestats.ignored-devices", Text, "^$"),
        ("collector.textfile.directory", Texts, ""),
        ("collector.vmstat.fields", Text, "^(oom_kill|pgpg|pswp|pg.*fault).*"),
        ("collector.wifi.fixtures", Text, ""),
        ("log.format", Text, "logfmt"),
        ("log.level", Text, "info"),
        ("path.procfs", Text, "/proc"),
        ("path.rootfs", Text, "/"),
        ("path.sysfs", Text, "/sys"),
        ("path.udev.data", Text, "/run/udev/data"),
        ("runtime.gomaxprocs", Whole, "1"),
        ("web.config.file", Text, ""),
        ("web.disable-exporter-metrics", Switch, "false"),
        ("web.listen-address", Texts, ":9100"),
        ("web.max-requests", Whole, "40"),
        ("web.systemd-socket", Switch, "false"),
        ("web.telemetry-path", Text, "/metrics"),
    ]
};

/// Old names of flags that node_exporter still accepts.
const OLD_NAMES: [(&str, &str); 9] = [
    ("collector.diskstats.ignored-devices", "collector.diskstats.device-exclude"),
    ("collector.filesystem.ignored-fs-types", "collector.filesystem.fs-types-exclude"),
    ("collector.filesystem.ignored-mount-points", "collector.filesystem.mount-points-exclude"),
    ("collector.netdev.device-blacklist", "collector.netdev.device-exclude"),
    ("collector.netdev.device-whitelist", "collector.netdev.device-include"),
    ("collector.qdisk.device-exclude", "collector.qdisc.device-exclude"),
    ("collector.qdisk.device-include", "collector.qdisc.device-include"),
    ("collector.systemd.unit-blacklist", "collector.systemd.unit-exclude"),
    ("collector.systemd.unit-whitelist", "collector.systemd.unit-include"),
];

/// A name of older versions that node_exporter 1.12 no longer accepts.
const OLDER_NAME: (&str, &str) = ("web.config", "web.config.file");

/// Pairs of mutually exclusive flags; an include pattern replaces the default of its exclude pattern.
const EXCLUSIVE: [(&str, &str); 10] = [
    ("collector.arp.device-include", "collector.arp.device-exclude"),
    ("collector.diskstats.device-include", "collector.diskstats.device-exclude"),
    ("collector.filesystem.fs-types-include", "collector.filesystem.fs-types-exclude"),
    ("collector.filesystem.mount-points-include", "collector.filesystem.mount-points-exclude"),
    ("collector.hwmon.chip-include", "collector.hwmon.chip-exclude"),
    ("collector.hwmon.sensor-include", "collector.hwmon.sensor-exclude"),
    ("collector.infiniband.device-include", "collector.infiniband.device-exclude"),
    ("collector.interrupts.name-include", "collector.interrupts.name-exclude"),
    ("collector.netdev.device-include", "collector.netdev.device-exclude"),
    ("collector.qdisc.device-include", "collector.qdisc.device-exclude"),
];

/// Flags that node_exporter does not have.
const OURS: [&str; 31] = [
    "auth.pass",
    "auth.user",
    "config.check",
    "config.file",
    "push.cron",
    "push.drop",
    "push.instance",
    "push.interval",
    "push.jitter",
    "push.job",
    "push.keep",
    "push.label",
    "push.once",
    "push.queue",
    "push.queue-max-bytes",
    "push.scrape",
    "push.spread",
    "push.time-zone",
    "push.timeout",
    "push.to",
    "replay",
    "sandbox",
    "simulate",
    "simulate.scenario",
    "simulate.seed",
    "simulate.set",
    "simulate.speed",
    "web.enable-lifecycle",
    "web.enable-openmetrics",
    "web.scrape-timeout",
    "web.scrape-timeout-offset",
];

fn ours() -> BTreeMap<&'static str, FlagInfo> {
    let declarations = ALL.iter().map(|registration| registration.declaration).chain([own::DECLARATION]);
    declarations.flat_map(|declaration| declaration.flags).map(|flag| (flag.name, *flag)).collect()
}

/// The error of building a scraper of this command line.
fn refusal(arguments: &[String]) -> Option<String> {
    let scraper = |settings: Box<super::Settings>| {
        let tree = std::sync::Arc::new(collectors::host::root::tree::Tree::new());
        let kernel = std::sync::Arc::new(collectors::host::kernel::canned::Canned::default());
        collectors::kit::scraper::Scraper::build(ALL, &settings.values, tree.roots(), kernel).map(drop)
    };
    match parse(ALL, arguments.iter().map(OsString::from)) {
        Ok(super::Command::Serve(settings)) => scraper(settings).err(),
        Ok(other) => panic!("{arguments:?} gave {other:?}"),
        Err(error) => Some(error),
    }
}

#[test]
fn collectors_have_the_defaults_of_node_exporter() {
    let names = |is_on: bool| {
        let names = COLLECTORS.iter().filter(move |(known, _)| *known == is_on).flat_map(|(_, names)| names.split(' '));
        names.filter(|name| !absent::NAMES.contains(name)).collect::<BTreeSet<_>>()
    };
    for is_on in [true, false] {
        let declarations = ALL.iter().map(|registration| registration.declaration);
        let here: BTreeSet<&str> =
            declarations.filter(|found| found.is_enabled == is_on).map(|found| found.name).collect();
        assert_eq!(here, names(is_on), "on: {is_on}");
    }
    let all: BTreeSet<&str> = COLLECTORS.iter().flat_map(|(_, names)| names.split(' ')).collect();
    assert!(absent::NAMES.iter().all(|name| all.contains(name)), "an absent collector is unknown to node_exporter");
}

#[test]
fn flags_have_the_kinds_and_defaults_of_node_exporter() {
    let ours = ours();
    for &(name, kind, default) in FLAGS {
        let Some(flag) = ours.get(name) else { panic!("--{name} is missing") };
        assert_eq!((flag.kind, flag.default), (kind, default), "--{name}");
    }
    let known: BTreeSet<&str> = FLAGS.iter().map(|(name, ..)| *name).chain(OURS).collect();
    assert_eq!(known.len(), FLAGS.len() + OURS.len(), "a flag is listed twice");
    assert_eq!(ours.keys().copied().collect::<BTreeSet<_>>(), known, "a flag is in neither list");
}

#[test]
fn old_names_set_the_current_flags() {
    let table = Table::new(ALL);
    let ours = ours();
    let known = || OLD_NAMES.into_iter().chain([OLDER_NAME]);
    for (old, new) in known() {
        let found = table.find(old).map(|(entry, _)| entry.meaning);
        assert!(matches!(found, Some(Meaning::Flag(flag)) if flag.name == new), "--{old}: {found:?}");
    }
    let old_names = ours.values().flat_map(|flag| flag.old_names.iter().map(|old| (*old, flag.name)));
    assert_eq!(old_names.collect::<BTreeSet<_>>(), known().collect());
}

#[test]
fn include_and_exclude_patterns_are_mutually_exclusive() {
    for (include, exclude) in EXCLUSIVE {
        let collector = include.split('.').nth(1).expect("a collector's flag");
        let on = format!("--collector.{collector}");
        let [include, exclude] = [include, exclude].map(|name| (name, format!("--{name}=^x$")));
        for (_, one) in [&include, &exclude] {
            assert_eq!(refusal(&[on.clone(), one.clone()]), None, "{one}");
        }
        let expected = format!(
            "collector {collector}: --{} and --{} are mutually exclusive; give one of them",
            include.0, exclude.0
        );
        assert_eq!(refusal(&[on, include.1, exclude.1]), Some(expected));
    }
}
