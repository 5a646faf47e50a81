//! procfs-core parses the simulator's files and finds the machine's values.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

#[path = "second_opinion/process.rs"]
mod process;

use std::time::Duration;

use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::{Tree, What};
use procfs_core::net::{
    ArpEntries, InterfaceDeviceStatus, RouteEntries, Snmp, Snmp6, TcpNetEntries, TcpState, UdpNetEntries,
};
use procfs_core::process::{MountInfos, MountStats};
use procfs_core::{
    CpuInfo, CpuPressure, DiskStat, DiskStats, ExplicitSystemInfo, FromBufRead, FromBufReadSI, FromRead, IoPressure,
    KernelStats, LoadAverage, Meminfo, MemoryPressure, PartitionEntry, Uptime, VmStat,
};
use proptest::prelude::*;
use simulator::{Host, Machine, profiles};

struct Frozen(Tree);

impl Frozen {
    #[track_caller]
    fn bytes(&self, path: &str) -> &[u8] {
        self.0.content(path).unwrap_or_else(|| panic!("{path} is there"))
    }

    /// File of the reading process.
    fn own(&self, path: &str) -> String {
        match self.0.get("proc/self").unwrap().what() {
            What::Link(process) => format!("proc/{}/{path}", std::str::from_utf8(process).unwrap()),
            other => panic!("proc/self is {other:?}"),
        }
    }

    #[track_caller]
    fn parse<T: FromBufRead>(&self, path: &str) -> T {
        T::from_buf_read(self.bytes(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[track_caller]
    fn text(&self, path: &str) -> &str {
        std::str::from_utf8(self.bytes(path)).unwrap()
    }

    /// Number of the line with a given first word.
    #[track_caller]
    fn number(&self, path: &str, name: &str) -> u64 {
        let line = self.text(path).lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("{path}: {name}")).split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn the_second_opinion_agrees(seed: u64, seconds in 1_700_000_000_u64..1_900_000_000) {
        for profile in profiles() {
            agree(profile.machine(seed, profile.small).unwrap(), seconds);
        }
        vm(&frozen(Machine::vm(seed), seconds));
    }
}

fn frozen(machine: Machine, seconds: u64) -> Frozen {
    Frozen(Host::new(machine, || Duration::ZERO).tree_at(seconds))
}

fn agree(machine: Machine, seconds: u64) {
    let booted = machine.booted_seconds();
    let host = frozen(machine, seconds);
    let kernel: &dyn Kernel = &Canned::parse(|entry| host.0.content(entry)).unwrap();
    stat(&host, booted);
    meminfo(&host, kernel.page_size_bytes());
    cpuinfo(&host);
    disks(&host);
    network(&host, kernel);
    mounts(&host);
    mount_statistics(&host);
    averages(&host, seconds - booted);
    vmstat(&host);
    process::agree(&host, kernel.page_size_bytes());
}

/// Kernels and architectures beyond the defaults of profiles.
#[test]
fn the_second_opinion_agrees_on_old_kernels_and_other_architectures() {
    for kernel in ["3.10", "4.18", "5.14", "6.12"] {
        agree(Machine::of("vm", 2, &[("kernel", kernel)]).unwrap(), 1_710_000_000);
    }
    for architecture in ["aarch64", "aarch64-64k", "ppc64le", "s390x"] {
        agree(Machine::of("vm", 3, &[("architecture", architecture)]).unwrap(), 1_720_000_000);
    }
}

/// Known values of one host.
fn vm(host: &Frozen) {
    let memory: Meminfo = host.parse("proc/meminfo");
    assert_eq!((memory.mem_total, memory.swap_total), (2_037_076 * 4096, 262_143 * 4096));
    assert_eq!(memory.direct_map_1G, Some(4 << 30));
    let info: CpuInfo = host.parse("proc/cpuinfo");
    assert_eq!(info.num_cores(), 4);
    for cpu in 0..4 {
        assert_eq!((info.vendor_id(cpu), info.physical_id(cpu)), (Some("GenuineIntel"), Some(0)));
        assert_eq!(info.get_field(cpu, "core id").unwrap(), (cpu / 2).to_string());
        assert!(info.flags(cpu).unwrap().contains(&"hypervisor"));
    }
    let DiskStats(disks) = host.parse("proc/diskstats");
    let names: Vec<_> = disks.iter().map(|disk| (disk.name.as_str(), disk.major, disk.minor)).collect();
    assert_eq!(names, [("vda", 254, 0), ("vda1", 254, 1), ("vda2", 254, 2), ("vdb", 254, 16), ("dm-0", 253, 0)]);
    let ArpEntries(neighbours) = host.parse(&host.own("net/arp"));
    assert_eq!(neighbours.len(), 6);
    let MountInfos(mounts) = host.parse("proc/1/mountinfo");
    let root = mounts.iter().find(|mount| mount.mount_point.as_os_str() == "/").unwrap();
    assert_eq!((root.majmin.as_str(), root.mount_source.as_deref()), ("254:2", Some("/dev/vda2")));
    for expected in ["ext4", "xfs", "tmpfs", "overlay"] {
        assert!(mounts.iter().any(|mount| mount.fs_type == expected), "{expected} is mounted");
    }
}

fn stat(host: &Frozen, booted: u64) {
    let system =
        ExplicitSystemInfo { boot_time_secs: booted, ticks_per_second: 100, page_size: 4096, is_little_endian: true };
    let stat = KernelStats::from_buf_read(host.bytes("proc/stat"), &system).unwrap();
    assert_eq!((stat.btime, stat.cpu_time.len()), (booted, cpus(host)));
    let idle: u64 = stat.cpu_time.iter().map(|cpu| cpu.idle).sum();
    assert_eq!(stat.total.idle, idle);
    let steal: u64 = stat.cpu_time.iter().filter_map(|cpu| cpu.steal).sum();
    assert_eq!(stat.total.steal, Some(steal));
    assert_eq!(stat.ctxt, host.number("proc/stat", "ctxt"));
    assert!(stat.procs_running.unwrap() >= 1 && stat.procs_blocked.is_some());
}

/// procfs-core supports cpuinfo of all architectures except s390x.
fn cpus(host: &Frozen) -> usize {
    if host.text("proc/cpuinfo").starts_with("vendor_id       : IBM/S390") {
        return host.text("proc/cpuinfo").lines().filter(|line| line.starts_with("cpu number")).count();
    }
    host.parse::<CpuInfo>("proc/cpuinfo").num_cores()
}

fn meminfo(host: &Frozen, page_bytes: u64) {
    let memory: Meminfo = host.parse("proc/meminfo");
    assert_eq!(memory.mem_free, host.number("proc/vmstat", "nr_free_pages") * page_bytes);
    assert!(memory.mem_available.unwrap() > memory.mem_free);
}

fn cpuinfo(host: &Frozen) {
    if host.text("proc/cpuinfo").starts_with("vendor_id       : IBM/S390") {
        return;
    }
    let info: CpuInfo = host.parse("proc/cpuinfo");
    let count = |field: &str| (0..info.num_cores()).filter(|&cpu| info.get_field(cpu, field).is_some()).count();
    assert!([0, info.num_cores()].contains(&count("core id")) && info.num_cores() > 0);
}

fn disks(host: &Frozen) {
    let DiskStats(disks) = host.parse("proc/diskstats");
    let rows = host.text("proc/diskstats").lines();
    assert!(disks.iter().zip(rows).all(|(disk, row)| row.contains(&format!(" {} {} ", disk.name, disk.reads))));
    assert!(!disks.is_empty());
    let partitions: Vec<PartitionEntry> = host.parse("proc/partitions");
    let names = |disk: &DiskStat| disk.name.clone();
    assert_eq!(
        partitions.iter().map(|row| row.name.clone()).collect::<Vec<_>>(),
        disks.iter().map(names).collect::<Vec<_>>()
    );
}

fn network(host: &Frozen, kernel: &dyn Kernel) {
    let InterfaceDeviceStatus(devices) = host.parse(&host.own("net/dev"));
    let mut known = 0;
    kernel
        .links(&mut |link| {
            let (device, statistics) = (&devices[std::str::from_utf8(link.name).unwrap()], link.statistics.unwrap());
            assert_eq!([device.recv_bytes, device.sent_bytes], [statistics.rx_bytes, statistics.tx_bytes]);
            assert_eq!([device.recv_drop, device.recv_multicast], [statistics.rx_dropped, statistics.multicast]);
            known += 1;
        })
        .unwrap();
    assert_eq!(known, devices.len());
    let ArpEntries(neighbours) = host.parse(&host.own("net/arp"));
    assert!(neighbours.iter().all(|entry| devices.contains_key(&entry.device)));
    sockets(host);
    protocols(host);
    // procfs-core assumes the word size of the machine that it runs on.
    if !host.text("proc/cpuinfo").starts_with("vendor_id       : IBM/S390") && cfg!(target_endian = "little") {
        routes(host, kernel);
    }
}

fn routes(host: &Frozen, kernel: &dyn Kernel) {
    let RouteEntries(routes) = host.parse(&host.own("net/route"));
    let ArpEntries(neighbours) = host.parse(&host.own("net/arp"));
    let outward = routes.iter().filter(|route| !route.gateway.is_unspecified());
    for route in outward {
        assert!(neighbours.iter().any(|entry| entry.ip_address == route.gateway && entry.device == route.iface));
    }
    let mut of_devices = 0;
    kernel
        .addresses(&mut |address| {
            let std::net::IpAddr::V4(own) = address.network.address else { return };
            let device = std::str::from_utf8(address.device).unwrap();
            if own.is_loopback() || device == "kube-ipvs0" {
                return;
            }
            of_devices += 1;
            let is_within = |route: &procfs_core::net::RouteEntry| {
                let mask = route.mask.to_bits();
                route.iface == device && mask != 0 && own.to_bits() & mask == route.destination.to_bits()
            };
            assert!(routes.iter().any(is_within), "{own} of {device} is in a network");
        })
        .unwrap();
    assert_eq!(routes.iter().filter(|route| route.gateway.is_unspecified()).count(), of_devices);
}

fn sockets(host: &Frozen) {
    let is_mainframe = host.text("proc/cpuinfo").starts_with("vendor_id       : IBM/S390");
    let system = ExplicitSystemInfo {
        boot_time_secs: 0,
        ticks_per_second: 100,
        page_size: 4096,
        is_little_endian: !is_mainframe,
    };
    let tcp = |file: &str| TcpNetEntries::from_buf_read(host.bytes(&host.own(file)), &system).unwrap().0;
    for (file, row) in [("net/tcp", "TCP:"), ("net/tcp6", "TCP6:")] {
        let sockets = tcp(file);
        let in_use = sockets.iter().filter(|socket| !matches!(socket.state, TcpState::TimeWait | TcpState::SynRecv));
        let sockstat = host.own(if row == "TCP:" { "net/sockstat" } else { "net/sockstat6" });
        let line = host.text(&sockstat).lines().find(|line| line.starts_with(row)).unwrap();
        assert_eq!(in_use.count().to_string(), line.split_whitespace().nth(2).unwrap(), "{row}");
        let listens = |port: u16| {
            sockets.iter().any(|socket| socket.state == TcpState::Listen && socket.local_address.port() == port)
        };
        assert!(listens(22) && listens(9_100));
    }
    for file in ["net/udp", "net/udp6"] {
        let UdpNetEntries(sockets) = UdpNetEntries::from_buf_read(host.bytes(&host.own(file)), &system).unwrap();
        assert!(sockets.iter().any(|socket| socket.local_address.port() == 53), "{file}");
    }
}

fn protocols(host: &Frozen) {
    let snmp: Snmp = host.parse(&host.own("net/snmp"));
    let Snmp6 { ip_in_receives, ip_in_delivers, udp_in_datagrams, .. } = host.parse(&host.own("net/snmp6"));
    assert_eq!(snmp.ip_in_receives, snmp.ip_in_delivers + snmp.ip_forw_datagrams);
    assert!(snmp.tcp_in_segs + snmp.udp_in_datagrams <= snmp.ip_in_delivers + ip_in_delivers);
    assert!(ip_in_delivers <= ip_in_receives && udp_in_datagrams <= ip_in_delivers);
}

fn mounts(host: &Frozen) {
    let MountInfos(mounts) = host.parse("proc/1/mountinfo");
    let types: Vec<_> = mounts.iter().map(|mount| mount.fs_type.as_str()).collect();
    for expected in ["tmpfs", "proc", "sysfs", "cgroup2"] {
        assert!(types.contains(&expected), "{expected} is mounted");
    }
    assert!(mounts.iter().any(|mount| mount.mount_point.as_os_str() == "/"));
}

fn mount_statistics(host: &Frozen) {
    let MountStats(mounts) = host.parse(&host.own("mountstats"));
    let MountInfos(infos) = host.parse("proc/1/mountinfo");
    assert_eq!(mounts.len(), infos.len());
    for (mount, info) in mounts.iter().zip(&infos) {
        assert_eq!((&mount.mount_point, &mount.fs), (&info.mount_point, &info.fs_type));
        let Some(statistics) = &mount.statistics else {
            assert!(!mount.fs.starts_with("nfs"));
            continue;
        };
        assert!(statistics.opts.iter().any(|option| option.starts_with("vers=")));
        let read = &statistics.per_op_stats["READ"];
        assert!(read.bytes_recv >= statistics.bytes.server_read && read.operations == read.transmissions);
        assert!(read.cum_total_req_time >= read.cum_queue_time + read.cum_resp_time);
    }
}

fn averages(host: &Frozen, uptime: u64) {
    let load = LoadAverage::from_read(host.bytes("proc/loadavg")).unwrap();
    let most = 2.0 * cpus(host) as f32;
    assert!([load.one, load.five, load.fifteen].iter().all(|load| (0.0..most).contains(load)));
    assert!(load.cur >= 1 && load.cur < load.max);
    let up: Uptime = Uptime::from_read(host.bytes("proc/uptime")).unwrap();
    assert_eq!(up.uptime_duration().as_secs(), uptime);
    if host.0.get("proc/pressure").is_none() {
        return;
    }
    let cpu: CpuPressure = host.parse("proc/pressure/cpu");
    let memory: MemoryPressure = host.parse("proc/pressure/memory");
    let io: IoPressure = host.parse("proc/pressure/io");
    assert!(memory.some.total >= memory.full.total && io.some.total >= io.full.total && cpu.some.total > 0);
}

fn vmstat(host: &Frozen) {
    let VmStat(rows) = host.parse("proc/vmstat");
    assert_eq!(rows.len(), host.text("proc/vmstat").lines().count(), "no row stands twice");
    assert_eq!(rows["oom_kill"], 0);
    assert!(rows["pgfault"] > rows["pgmajfault"]);
}
