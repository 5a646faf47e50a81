//! Collectors whose files are pipes: one without a writer, and one whose writer is silent.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::exporter::Exporter;

const SCRAPES: usize = 100;
/// One runner works; another may start while the first returns from a scrape.
const RUNNERS_MAX: usize = 4;

/// Maximum time of all scrapes together, shorter than the timeout of one.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Number of threads that run collectors.
fn runners(exporter: &Exporter) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name == "scrape\n").count()
}

#[test]
fn pipes_instead_of_files_cost_their_collectors_and_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("loadavg"), "0.21 0.37 0.39 1/719 19737\n").unwrap();
    for name in ["vmstat", "meminfo"] {
        assert!(Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap().success());
    }
    let silent = std::fs::File::options().read(true).write(true).open(folder.path().join("meminfo")).unwrap();
    let exporter = Exporter::start(&[
        &format!("--path.procfs={}", folder.path().display()),
        "--collector.disable-defaults",
        "--collector.loadavg",
        "--collector.meminfo",
        "--collector.vmstat",
        "--web.scrape-timeout=60s",
    ]);
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
    let runners = runners(&exporter);
    assert!((1..=RUNNERS_MAX).contains(&runners), "{runners} threads run collectors");
    exporter.check("/", 200, "proc/meminfo: ");
    drop(silent);
}
