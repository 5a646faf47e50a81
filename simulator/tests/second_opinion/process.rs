//! procfs-core on process files and the tables of cgroups, mounts and Unix sockets.

use procfs_core::net::{UnixNetEntries, UnixState};
use procfs_core::process::{Io, LimitValue, Limits, MountInfos, Schedstat, Stat, StatM, Status};
use procfs_core::{CGroupControllers, FromRead, LoadAverage, MountEntry, ProcessCGroups};

use super::Frozen;

/// Length of a tick.
const TICK_NANOSECONDS: u64 = 10_000_000;

pub(crate) fn agree(host: &Frozen, page_bytes: u64) {
    let numbers: Vec<String> = processes(host);
    let own = host.own("stat");
    assert!(own.contains(&format!("/{}/", numbers.last().unwrap())), "the last process is the one that asks");
    let mut threads = 0;
    for number in &numbers {
        let path = |file: &str| format!("proc/{number}/{file}");
        let stat = Stat::from_read(host.bytes(&path("stat"))).unwrap();
        let status: Status = host.parse(&path("status"));
        identity(&stat, &status, number);
        assert_eq!(host.text(&path("comm")).trim_end(), stat.comm);
        memory(&stat, &status, &StatM::from_read(host.bytes(&path("statm"))).unwrap(), page_bytes);
        let times = Schedstat::from_read(host.bytes(&path("schedstat"))).unwrap();
        assert_eq!(times.sum_exec_runtime, (stat.utime + stat.stime) * TICK_NANOSECONDS, "{number}");
        let turns = status.voluntary_ctxt_switches.zip(status.nonvoluntary_ctxt_switches).unwrap();
        assert_eq!(times.pcount, turns.0 + turns.1, "{number}");
        let io: Io = host.parse(&path("io"));
        assert!(io.read_bytes <= io.rchar && io.write_bytes <= io.wchar && io.cancelled_write_bytes == 0, "{number}");
        assert_eq!(io.rchar > 0, io.syscr > 0, "{number}");
        let limits: Limits = host.parse(&path("limits"));
        assert_eq!(number_of(limits.max_processes.soft_limit), status.sigq.1, "{number}");
        assert_eq!(number_of(limits.max_open_files.soft_limit), 1_024);
        groups(host, &host.parse(&path("cgroup")), &stat);
        threads += status.threads;
    }
    let load = LoadAverage::from_read(host.bytes("proc/loadavg")).unwrap();
    assert_eq!(u64::from(load.max), threads);
    mounts(host);
    local_sockets(host);
}

fn processes(host: &Frozen) -> Vec<String> {
    let paths = host.0.iter().filter_map(|(path, _)| std::str::from_utf8(path).unwrap().strip_prefix("proc/"));
    let mut numbers: Vec<u32> = paths.filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.iter().map(u32::to_string).collect()
}

fn identity(stat: &Stat, status: &Status, number: &str) {
    assert_eq!(stat.pid.to_string(), number);
    // procfs-core truncates a name in status at a colon.
    assert_eq!(stat.comm.split(':').next(), Some(&*status.name), "{number}");
    assert_eq!((stat.pid, stat.ppid, stat.num_threads), (status.pid, status.ppid, status.threads.cast_signed()));
    assert!(status.state.starts_with(stat.state), "{number}: {} and {}", status.state, stat.state);
    let allowed = status.cpus_allowed_list.as_ref().unwrap();
    assert!(allowed.iter().any(|(first, last)| (*first..=*last).contains(&stat.processor.unwrap().cast_unsigned())));
}

/// Units: pages, KiB and bytes.
fn memory(stat: &Stat, status: &Status, statm: &StatM, page_bytes: u64) {
    let of_status = |kilobytes: Option<u64>| kilobytes.unwrap_or_default() * 1_024;
    let of_statm = |pages: u64| pages * page_bytes;
    let place = &stat.comm;
    assert_eq!((stat.vsize, stat.rss), (of_statm(statm.size), statm.resident), "{place}");
    assert_eq!(of_status(status.vmsize), of_statm(statm.size), "{place}");
    assert_eq!(of_status(status.vmrss), of_statm(statm.resident), "{place}");
    assert_eq!(of_status(status.rssanon) + of_status(status.rssfile), of_status(status.vmrss), "{place}");
    assert_eq!(of_status(status.rssfile), of_statm(statm.shared), "{place}");
    assert_eq!(of_status(status.vmexe), of_statm(statm.text), "{place}");
    assert_eq!(of_status(status.vmdata) + of_status(status.vmstk), of_statm(statm.data), "{place}");
}

#[track_caller]
fn number_of(limit: LimitValue) -> u64 {
    match limit {
        LimitValue::Value(value) => value,
        LimitValue::Unlimited => panic!("there is a limit"),
    }
}

/// Every hierarchy of /proc/cgroups contains the process, and so does systemd's own with cgroup v1.
fn groups(host: &Frozen, ProcessCGroups(own): &ProcessCGroups, stat: &Stat) {
    let CGroupControllers(known) = host.parse("proc/cgroups");
    assert!(known.iter().all(|controller| controller.enabled && controller.num_cgroups > 0));
    assert!(own.iter().all(|group| group.pathname == own[0].pathname), "{}", stat.comm);
    if known.iter().all(|controller| controller.hierarchy == 0) {
        assert!(own.len() == 1 && own[0].hierarchy == 0 && own[0].controllers.is_empty(), "{own:?}");
    } else {
        for controller in &known {
            let group = own.iter().find(|group| group.hierarchy == controller.hierarchy).unwrap();
            assert!(group.controllers.contains(&controller.name), "{group:?}");
        }
        let of_controllers: usize = own.iter().map(|group| group.controllers.len()).sum();
        assert_eq!(of_controllers, known.len() + 1, "{own:?}");
    }
    let is_of_kernel = stat.pid == 2 || stat.ppid == 2;
    assert_eq!(own[0].pathname == "/", is_of_kernel, "{}: {}", stat.comm, own[0].pathname);
}

/// /proc/mounts has the rows of mountinfo in the same order.
fn mounts(host: &Frozen) {
    let mounts: Vec<MountEntry> = host.parse(&host.own("mounts"));
    let MountInfos(infos) = host.parse(&host.own("mountinfo"));
    assert_eq!(mounts.len(), infos.len());
    for (mount, info) in mounts.iter().zip(&infos) {
        let info_source = info.mount_source.as_deref().unwrap_or("none");
        assert_eq!((&*mount.fs_spec, &mount.fs_vfstype), (info_source, &info.fs_type), "{}", mount.fs_file);
        assert_eq!(mount.fs_file, info.mount_point.to_string_lossy());
        let is_there =
            |option: &String| info.mount_options.contains_key(option) || info.super_options.contains_key(option);
        assert!(mount.fs_mntops.keys().all(is_there), "{}: {:?}", mount.fs_file, mount.fs_mntops);
    }
}

fn local_sockets(host: &Frozen) {
    let UnixNetEntries(local) = host.parse(&host.own("net/unix"));
    let sockstat = host.text(&host.own("net/sockstat"));
    let used: usize = sockstat.lines().next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(local.len() < used, "{} of {used} sockets", local.len());
    let inodes: std::collections::BTreeSet<u64> = local.iter().map(|socket| socket.inode).collect();
    assert_eq!(inodes.len(), local.len());
    let connected = local.iter().filter(|socket| socket.state == UnixState::CONNECTED);
    assert!(connected.count().is_multiple_of(2), "who is connected is so with another");
}
