//! Files of a host that are far larger than those of any real one.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::exporter::{Answer, Exporter};
use crate::{alone, status_kilobytes};

/// Size of the mount table: 500,000 mounts.
const MOUNTS_BYTES: usize = 61 << 20;

const PROCESSES: usize = 60_000;

/// Timeout of the client; its page is sent 500 ms earlier.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Memory that may stay after a large scrape.
const KEPT_MAX_KILOBYTES: u64 = 64 << 10;

/// How long a collector may go on after its scrape has ended, on a busy machine.
const END_MAX: Duration = Duration::from_secs(60);

/// Scrapes with a timeout, and asserts that the page arrives within it and has what the host has besides.
#[track_caller]
fn scrape(exporter: &Exporter, timeout: Duration) -> Answer {
    let mut connection = exporter.connect();
    let begin = Instant::now();
    let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {}\r\n", timeout.as_secs());
    connection.send_with("GET", "/metrics", &header);
    let answer = connection.receive("GET");
    let took = begin.elapsed();
    println!("{} bytes in {took:?}", answer.body.len());
    assert_eq!(answer.status, 200);
    assert!(took < timeout, "{took:?}");
    assert!(answer.body.contains("\nnode_load1 0.21\n"), "the other collectors are on the page");
    answer
}

/// Waits until the memory of large scrapes has been returned.
#[track_caller]
fn returns_memory(exporter: &Exporter, before: u64) {
    let deadline = Instant::now() + END_MAX;
    loop {
        let kept = status_kilobytes(exporter, "VmRSS").saturating_sub(before);
        if kept < KEPT_MAX_KILOBYTES {
            let peak = status_kilobytes(exporter, "VmHWM");
            return println!("{kept} kB more than {before} kB are kept, {peak} kB were needed");
        }
        assert!(Instant::now() < deadline, "{kept} kB are kept");
        thread::sleep(Duration::from_millis(100));
    }
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn start(proc: &Path, arguments: &[&str]) -> (Exporter, u64) {
    write(&proc.join("loadavg"), "0.21 0.37 0.39 1/719 19737\n");
    let procfs = format!("--path.procfs={}", proc.display());
    let usual = [procfs.as_str(), "--collector.disable-defaults", "--collector.loadavg"];
    let exporter = Exporter::start(&[&usual, arguments].concat());
    assert_eq!(exporter.get("/metrics?collect[]=loadavg").status, 200);
    let before = status_kilobytes(&exporter, "VmRSS");
    (exporter, before)
}

#[test]
fn a_mount_table_of_61_mb_costs_its_collector_and_no_memory_that_stays() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::with_capacity(MOUNTS_BYTES + 200);
    let mut number = 0_u32;
    while table.len() < MOUNTS_BYTES {
        number += 1;
        let _ = writeln!(
            table,
            "{number} 29 0:30 / /mnt/volumes/node-{number:07}/data rw shared:{number} - ext4 /dev/mapper/vg0-lv{number:07} rw"
        );
    }
    write(&folder.path().join("1/mountinfo"), table);
    let (exporter, before) = start(folder.path(), &["--collector.filesystem"]);
    for _ in 0..3 {
        scrape(&exporter, TIMEOUT);
    }
    returns_memory(&exporter, before);
    // With time enough, the mounts up to the limit are on the page.
    let page = scrape(&exporter, Duration::from_secs(50)).body;
    let mounts = page.lines().filter(|line| line.starts_with("node_filesystem_device_error{")).count();
    assert_eq!(mounts, 100_000);
    assert!(page.contains("node_scrape_collector_success{collector=\"filesystem\"} 0\n"));
    assert!(page.contains("\nnode_exporter_collector_overloaded{collector=\"filesystem\"} 1\n"));
    drop(page);
    returns_memory(&exporter, before);
}

/// A folder in memory, where there is one: a disk takes a minute for 120,000 files.
fn fast_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

#[test]
fn sixty_thousand_processes_cost_their_collector_and_no_memory_that_stays() {
    let _alone = alone();
    let folder = fast_folder();
    for number in 1..=PROCESSES {
        let stat = format!("{number} (a b) S 1 1 1 0 -1 1 0 0 0 0 1 2 0 0 20 0 1 0 17 0 0\n");
        write(&folder.path().join(format!("{number}/task/{number}/stat")), &stat);
        std::fs::write(folder.path().join(format!("{number}/stat")), &stat).unwrap();
    }
    write(&folder.path().join("sys/kernel/threads-max"), "100000\n");
    write(&folder.path().join("sys/kernel/pid_max"), "100000\n");
    let (exporter, before) = start(folder.path(), &["--collector.processes"]);
    for _ in 0..3 {
        scrape(&exporter, TIMEOUT);
    }
    returns_memory(&exporter, before);
    let page = scrape(&exporter, Duration::from_secs(50)).body;
    assert!(page.contains(&format!("\nnode_processes_pids {PROCESSES}\n")));
    returns_memory(&exporter, before);
}

#[test]
fn an_input_that_is_always_too_large_is_logged_once_and_counted() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (mut exporter, _) = start(folder.path(), &["--collector.time"]);
    // Sparse: it takes no space.
    let loadavg = folder.path().join("loadavg");
    std::fs::File::create(&loadavg).unwrap().set_len((64 << 20) + 1).unwrap();
    let overloaded = |value| format!("\nnode_exporter_collector_overloaded{{collector=\"loadavg\"}} {value}\n");
    for _ in 0..5 {
        let page = exporter.get("/metrics").body;
        assert!(page.contains("node_scrape_collector_success{collector=\"loadavg\"} 0\n"), "{page}");
        assert!(page.contains(&overloaded(1)), "{page}");
    }
    write(&loadavg, "0.21 0.37 0.39 1/719 19737\n");
    exporter.check("/metrics", 200, &overloaded(0));
    exporter.child.kill().unwrap();
    let mut log = String::new();
    exporter.log.read_to_string(&mut log).unwrap();
    for line in
        ["msg=\"collector is overloaded", "msg=\"collector failed\"", "msg=\"collector is no longer overloaded\""]
    {
        assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
    }
}
