//! Collectors that block on pipes in place of files: one pipe without a writer, and one whose writer sends nothing.

use std::io::BufRead;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::exporter::Exporter;

const SCRAPES: usize = 100;

/// The leader and two standbys.
const THREADS_MAX: usize = 3;

/// Maximum time of all scrapes together: less than the timeout of one.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Maximum time of a request while a scrape blocks: the 20 ms after which the standby takes over, and a margin for a busy
/// machine.
const TAKEOVER_MAX: Duration = Duration::from_secs(1);

/// Number of serving threads.
fn threads(exporter: &Exporter) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name == "serve\n").count()
}

fn piped() -> (tempfile::TempDir, std::fs::File) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("loadavg"), "0.21 0.37 0.39 1/719 19737\n").unwrap();
    for name in ["vmstat", "meminfo"] {
        assert!(Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap().success());
    }
    let silent = std::fs::File::options().read(true).write(true).open(folder.path().join("meminfo")).unwrap();
    (folder, silent)
}

fn start(folder: &tempfile::TempDir) -> Exporter {
    Exporter::start(&[
        &format!("--path.procfs={}", folder.path().display()),
        "--collector.disable-defaults",
        "--collector.loadavg",
        "--collector.meminfo",
        "--collector.vmstat",
        "--web.scrape-timeout=60s",
    ])
}

#[test]
fn collectors_blocked_on_pipes_fail_and_cost_no_further_thread() {
    let (folder, silent) = piped();
    let exporter = start(&folder);
    let begin = Instant::now();
    for _ in 0..SCRAPES {
        let answer = exporter.get("/metrics");
        assert_eq!(answer.status, 200);
        for expected in [
            "\nnode_load1 0.21\n",
            "success{collector=\"loadavg\"} 1\n",
            "success{collector=\"meminfo\"} 0\n",
            "success{collector=\"vmstat\"} 0\n",
        ] {
            assert!(answer.body.contains(expected), "{expected} is not in {}", answer.body);
        }
    }
    assert!(begin.elapsed() < TIME_MAX, "{:?}", begin.elapsed());
    let threads = threads(&exporter);
    assert!((2..=THREADS_MAX).contains(&threads), "{threads} threads serve");
    exporter.check("/", 200, "proc/meminfo: ");
    drop(silent);
}

/// Number of threads by name.
fn all_threads(exporter: &Exporter) -> std::collections::BTreeMap<String, usize> {
    let mut threads = std::collections::BTreeMap::new();
    for task in std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap() {
        let Ok(name) = std::fs::read_to_string(task.unwrap().path().join("comm")) else { continue };
        *threads.entry(name.trim().to_owned()).or_default() += 1;
    }
    threads
}

#[test]
fn two_thousand_requests_of_a_client_need_as_many_threads_as_the_first_ones() {
    const REQUESTS: usize = 2_000;
    let exporter = Exporter::simulated(&[]);
    let mut connection = exporter.connect();
    let mut ask = |count: usize| {
        for number in 0..count {
            let path = ["/metrics?collect[]=loadavg", "/metrics?collect[]=stat", "/metrics", "/"][number % 4];
            assert_eq!(connection.ask("GET", path).status, 200);
        }
    };
    ask(8);
    let mut expected = all_threads(&exporter);
    ask(REQUESTS);
    let mut found = all_threads(&exporter);
    // On a busy machine a scrape may take longer than the time after which a standby takes over.
    for threads in [&mut expected, &mut found] {
        let serving = threads.remove("serve").unwrap();
        assert!((2..=THREADS_MAX).contains(&serving), "{serving} threads serve");
    }
    // These end when they are idle.
    let names = |threads: &std::collections::BTreeMap<String, usize>| threads.keys().cloned().collect::<Vec<_>>();
    assert!(names(&found).iter().all(|name| expected.contains_key(name)), "{expected:?} {found:?}");
    assert!(found.values().sum::<usize>() <= expected.values().sum::<usize>() + 1, "{expected:?} {found:?}");
}

#[test]
fn a_blocked_scrape_does_not_delay_other_requests() {
    const TIMEOUT_SECONDS: f64 = 3.0;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hang.toml");
    std::fs::write(&file, "profile = 'vm'\nfaults = '''\nproc/meminfo hanging\nproc/stat hanging\n'''\n").unwrap();
    let mut exporter = Exporter::start(&[&format!("--simulate.scenario={}", file.display())]);
    let mut scraper = exporter.connect();
    let begin = Instant::now();
    scraper.send_with("GET", "/metrics", &format!("X-Prometheus-Scrape-Timeout-Seconds: {TIMEOUT_SECONDS}\r\n"));
    let mut waits = Vec::new();
    while begin.elapsed() < Duration::from_secs_f64(TIMEOUT_SECONDS / 2.0) {
        let asked = Instant::now();
        exporter.check("/-/healthy", 200, "healthy");
        waits.push(asked.elapsed());
    }
    let longest = waits.iter().max().unwrap();
    println!("{} requests while a scrape blocks: {longest:?} at most", waits.len());
    assert!(*longest < TAKEOVER_MAX, "{longest:?}");
    let page = scraper.receive("GET");
    assert!(begin.elapsed() < Duration::from_secs_f64(TIMEOUT_SECONDS), "{:?}", begin.elapsed());
    for (collector, success) in [("meminfo", 0), ("stat", 0), ("loadavg", 1), ("vmstat", 1), ("cpu", 0)] {
        let expected = format!("success{{collector=\"{collector}\"}} {success}\n");
        assert!(page.body.contains(&expected), "{expected} is not in {}", page.body);
    }
    assert!(page.body.contains("\nnode_load1 "), "{}", page.body);
    // One line for each scrape, not one for each collector that is late.
    let mut line = String::new();
    while !line.contains("msg=\"scrape ended without its late collectors\"") {
        line.clear();
        assert_ne!(exporter.log.read_line(&mut line).unwrap(), 0);
        assert!(!line.contains("name=meminfo") && !line.contains("name=stat"), "{line}");
    }
}

#[test]
#[cfg(feature = "simulator")]
fn the_status_page_names_the_mount_whose_statfs_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dead.toml");
    std::fs::write(&file, "profile = 'epyc256'\nfaults = '''\nkernel/statfs/home hanging\n'''\n[set]\ncpus = 8\nnodes = 4\nmemory_gib = 64\n")
        .unwrap();
    let scenario = format!("--simulate.scenario={}", file.display());
    let exporter = Exporter::start(&[&scenario, "--collector.filesystem.mount-timeout=200ms"]);
    let page = exporter.get("/metrics?collect[]=filesystem").body;
    let error = "device_error=\"mountpoint timeout\"";
    assert!(page.lines().any(|line| line.contains(error) && line.contains("mountpoint=\"/home\"")), "{page}");
    let status = exporter.get("/").body;
    assert!(status.contains("mounts that do not answer statfs: 1, the first is /home"), "{status}");
    assert!(!status.contains("All collectors are well"), "{status}");
}
