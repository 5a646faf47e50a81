//! A full pipe at stderr, and a flood of log lines.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::alone;
use crate::exporter::Exporter;

/// Number of scrapes, whose log lines fill the pipe many times.
const SCRAPES: usize = 300;

/// Maximum time between SIGTERM and the end.
const END_MAX: Duration = Duration::from_secs(10);

/// Duration of the flood.
const FLOOD: Duration = Duration::from_secs(6);

/// Maximum size of the log of a flood; without a limit it was 58 MB.
const FLOOD_MAX_BYTES: usize = 512 << 10;

/// An exporter of an empty /proc: more than 20 collectors fail in every scrape and log a line each.
fn failing(folder: &tempfile::TempDir) -> Exporter {
    Exporter::start(&[&format!("--path.procfs={}", folder.path().display()), "--web.max-requests=0"])
}

fn dropped_lines(page: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix("node_exporter_log_lines_dropped_total "));
    line.expect("a counter of dropped lines").parse().unwrap()
}

#[test]
fn an_unread_log_delays_no_scrape_and_no_shutdown() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut exporter = failing(&folder);
    let mut connection = exporter.connect();
    let begin = Instant::now();
    for _ in 0..SCRAPES {
        assert_eq!(connection.ask("GET", "/metrics").status, 200);
    }
    let page = connection.ask("GET", "/metrics").body;
    println!("{SCRAPES} scrapes with a full pipe: {:?}, {} lines dropped", begin.elapsed(), dropped_lines(&page));
    assert!(dropped_lines(&page) > 0);
    exporter.check("/-/ready", 200, "ready");
    let begin = Instant::now();
    kill_process(Pid::from_child(&exporter.child), Signal::TERM).unwrap();
    let status = exporter.child.wait().unwrap();
    println!("ended after {:?}", begin.elapsed());
    assert!(begin.elapsed() < END_MAX && status.code() == Some(0), "{status} after {:?}", begin.elapsed());
}

#[test]
fn a_flood_of_log_lines_is_limited_and_reported() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut exporter = failing(&folder);
    let (pid, mut connection) = (Pid::from_child(&exporter.child), exporter.connect());
    let (mut text, mut scrapes) = (String::new(), 0);
    thread::scope(|scope| {
        let (log, text) = (&mut exporter.log, &mut text);
        scope.spawn(move || log.read_to_string(text).unwrap());
        let begin = Instant::now();
        while begin.elapsed() < FLOOD {
            assert_eq!(connection.ask("GET", "/metrics").status, 200);
            scrapes += 1;
        }
        kill_process(pid, Signal::TERM).unwrap();
    });
    println!("{scrapes} failing scrapes in {FLOOD:?}: {} bytes of log", text.len());
    assert!(text.len() < FLOOD_MAX_BYTES, "{} bytes", text.len());
    assert!(text.contains(" dropped_lines="), "{text}");
}
