#![expect(clippy::disallowed_methods, reason = "what changes is changed here")]

use std::net::UdpSocket;
use std::time::Duration;

use super::state::{ABSENT_MAX, UNUSED_SCRAPES_MAX};
use super::*;
use crate::host::root::dir::Dir;

const CAP_BYTES: usize = 1 << 20;
/// Time in which counters of the kernel are updated.
const TRIES: usize = 2_000;

fn read(root: &impl Root, path: &str) -> Result<String, RootError> {
    let mut bytes = Vec::new();
    root.read(path.as_bytes(), &mut bytes, CAP_BYTES)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn kept_count(kept: &Kept) -> usize {
    kept.lock().count
}

/// A kept file returns what a newly opened one returns, before and after a change.
#[track_caller]
fn check_fresh(folder: &str, path: &str, mut change: impl FnMut()) {
    let (kept, fresh) = (Kept::open(folder).unwrap(), Dir::open(folder).unwrap());
    kept.begin_scrape();
    let Ok(before) = read(&kept, path) else { return println!("{folder}/{path} is not here") };
    assert_eq!(kept_count(&kept), 1, "{path} is kept");
    let has_changed = (0..TRIES).any(|_| {
        change();
        kept.begin_scrape();
        read(&kept, path).unwrap() != before
    });
    assert!(has_changed, "{folder}/{path} stays as it was: {before}");
    // Two equal results before and after exclude a change in between.
    let is_like_fresh = (0..TRIES).any(|_| {
        let found = [read(&fresh, path), read(&kept, path), read(&fresh, path)];
        found[0] == found[1] && found[1] == found[2]
    });
    let changes_by_itself = ["sys/kernel/random/uuid", "stat", "uptime"].contains(&path);
    assert!(is_like_fresh || changes_by_itself, "{folder}/{path} is not what it is to others");
    assert_eq!(kept_count(&kept), 1, "{path} was kept all the time");
}

fn sends() -> impl FnMut() {
    let sockets = [0; 2].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    move || {
        sockets[0].send_to(b"x", sockets[1].local_addr().unwrap()).unwrap();
        sockets[1].recv(&mut [0]).unwrap();
    }
}

#[test]
fn created_and_removed_files_are_detected() {
    const NUMBER: i32 = 700;
    let kept = Kept::open("/proc").unwrap();
    let path = format!("self/fdinfo/{NUMBER}");
    kept.begin_scrape();
    for _ in 0..3 {
        assert_eq!(read(&kept, &path), Err(Errno::ENOENT.into()));
        let file = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), NUMBER).unwrap();
        assert!(read(&kept, &path).unwrap().contains("flags:"));
        drop(file);
        assert_eq!(read(&kept, &path), Err(Errno::ENOENT.into()));
        assert_eq!(read(&kept, &path), Err(Errno::ENOENT.into()), "it is remembered now");
    }
}

#[test]
fn missing_paths_beyond_the_limit_of_the_cache_are_missing_too() {
    let kept = Kept::open("/proc").unwrap();
    for number in 0..ABSENT_MAX + 2 {
        assert_eq!(read(&kept, &format!("missing{number}")), Err(Errno::ENOENT.into()));
        assert_eq!(kept.lock().absent.len(), (number + 1).min(ABSENT_MAX));
    }
}

fn binds() -> impl FnMut() {
    let mut sockets = Vec::new();
    move || sockets.push(UdpSocket::bind("127.0.0.1:0").unwrap())
}

fn waits() {
    std::thread::sleep(Duration::from_millis(1));
}

fn spawns() {
    std::thread::spawn(|| ()).join().unwrap();
}

/// Checks a file of each kind of rendering in /proc.
#[test]
fn files_of_proc_that_stay_open_are_fresh() {
    check_fresh("/proc", "uptime", waits);
    check_fresh("/proc", "loadavg", spawns);
    check_fresh("/proc", "stat", spawns);
    check_fresh("/proc", "vmstat", spawns);
    check_fresh("/proc", "interrupts", waits);
    check_fresh("/proc", "softirqs", waits);
    check_fresh("/proc", "meminfo", || drop(std::hint::black_box(vec![1_u8; 1 << 20])));
    check_fresh("/proc", "sys/kernel/random/uuid", || ());
    check_fresh("/proc", "net/dev", sends());
    check_fresh("/proc", "net/snmp", sends());
    check_fresh("/proc", "net/netstat", sends());
    check_fresh("/proc", "net/softnet_stat", sends());
    check_fresh("/proc", "net/sockstat", binds());
    check_fresh("/proc", "net/udp", binds());
}

#[test]
fn attributes_of_devices_that_stay_open_are_fresh() {
    check_fresh("/sys", "class/net/lo/statistics/tx_packets", sends());
}

#[test]
fn every_way_of_reading_returns_the_whole_file() {
    for (folder, paths) in [
        ("/proc", ["cpuinfo", "mounts", "net/netstat", "sys/kernel/osrelease", "filesystems", "version"].as_slice()),
        (
            "/sys",
            ["class/net/lo/mtu", "class/net/lo/operstate", "devices/system/cpu/online", "kernel/notes"].as_slice(),
        ),
    ] {
        let kept = Kept::open(folder).unwrap();
        kept.begin_scrape();
        for path in paths {
            let Ok(expected) = std::fs::read(format!("{folder}/{path}")) else { continue };
            for _ in 0..2 {
                let found = read(&kept, path).map(|found| found.len());
                assert_eq!(found, Ok(String::from_utf8_lossy(&expected).len()), "{folder}/{path}");
            }
        }
    }
}

#[test]
fn files_of_processes_are_not_kept() {
    let kept = Kept::open("/proc").unwrap();
    kept.begin_scrape();
    let own = std::process::id().to_string();
    for path in [format!("{own}/stat"), "self/limits".to_owned()] {
        assert!(read(&kept, &path).is_ok(), "{path}");
    }
    assert_eq!(kept_count(&kept), 0);
    // The first process ends with its host.
    for (directory, expected) in
        [("1", false), ("12", true), ("self/net", true), ("thread-self", true), ("net", false), ("", false)]
    {
        assert_eq!(is_of_process(Rendered::Proc, directory.as_bytes()), expected, "{directory}");
    }
    assert!(!is_of_process(Rendered::Sys, b"12"));
}

#[test]
fn errors_of_drivers_are_kept_and_missing_files_are_looked_up_again() {
    let kept = Kept::open("/sys").unwrap();
    kept.begin_scrape();
    for _ in 0..3 {
        // A virtual device has no speed.
        let speed = read(&kept, "class/net/lo/speed");
        assert!(matches!(speed, Err(RootError::Errno(Errno::EINVAL | Errno::ENOENT))), "{speed:?}");
        assert_eq!(read(&kept, "class/net/lo/none"), Err(Errno::ENOENT.into()));
    }
    assert!(kept_count(&kept) <= 1);
}

#[test]
fn unused_descriptors_are_closed() {
    let kept = Kept::open("/proc").unwrap();
    assert_eq!((read(&kept, "uptime").is_ok(), kept_count(&kept)), (true, 0), "no scrape has begun");
    kept.begin_scrape();
    for path in ["uptime", "loadavg", "sys/kernel/osrelease"] {
        read(&kept, path).unwrap();
    }
    assert_eq!(kept_count(&kept), 3);
    for _ in 0..2 * UNUSED_SCRAPES_MAX {
        kept.begin_scrape();
        read(&kept, "uptime").unwrap();
    }
    assert_eq!(kept_count(&kept), 2, "the files beside one that is read stay");
    (0..2 * UNUSED_SCRAPES_MAX).for_each(|_| kept.begin_scrape());
    assert_eq!((kept_count(&kept), kept.lock().directories.len()), (0, 0));
}

#[test]
fn the_number_of_kept_descriptors_is_limited() {
    let kept = Kept::open("/proc").unwrap();
    kept.begin_scrape();
    kept.lock().count_max = 1;
    assert!(["uptime", "loadavg", "uptime", "loadavg"].iter().all(|path| read(&kept, path).is_ok()));
    assert_eq!(kept_count(&kept), 1);
}

#[test]
fn a_replaced_file_is_detected_in_the_next_scrape() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept::open(folder.path()).unwrap();
    let place = |name: &str| folder.path().join(name);
    for round in 0..3 {
        std::fs::create_dir(place("new")).unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(place("new").join(name), format!("{name}{round}")).unwrap();
        }
        if round > 0 {
            std::fs::rename(place("device"), place(&format!("old{round}"))).unwrap();
        }
        std::fs::rename(place("new"), place("device")).unwrap();
        kept.begin_scrape();
        for name in ["a", "b", "c"] {
            assert_eq!(read(&kept, &format!("device/{name}")), Ok(format!("{name}{round}")));
        }
    }
    std::fs::write(place("device/d"), "new").unwrap();
    std::fs::rename(place("device/d"), place("device/c")).unwrap();
    assert_eq!(read(&kept, "device/c"), Ok("new".to_owned()), "within a scrape, too");
    assert_eq!(kept_count(&kept), 0);
}
