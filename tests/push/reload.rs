//! SIGHUP and POST `/-/reload`: another configuration without losing a scrape or a queued sample.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::exporter::Exporter;
use crate::receiver::{Receiver, Reply};

/// A folder with a configuration file.
struct Config {
    folder: tempfile::TempDir,
}

impl Config {
    fn new(text: &str) -> Self {
        let config = Self { folder: tempfile::tempdir().unwrap() };
        config.write(text);
        config
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("node_exporter.yml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn start(&self) -> Exporter {
        self.start_with(&[])
    }

    fn start_with(&self, flags: &[&str]) -> Exporter {
        let file = format!("--config.file={}", self.path().display());
        Exporter::simulated(&[&["--web.enable-lifecycle", &file], flags].concat())
    }
}

const HEAD: &str = "collectors:\n  disable-defaults: true\n  loadavg: true\n";

fn target(address: &std::net::SocketAddr, more: &str) -> String {
    format!(
        "push:\n  interval: 200ms\n  targets:\n  - to: import\n    url: http://{address}\n    compression: none\n{more}"
    )
}

/// A receiver that takes every request once the switch is set. Before, it replies with `down`.
fn switched(down: impl Fn() -> Reply + Send + Sync + 'static) -> (Receiver, Arc<AtomicBool>) {
    let is_up = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_up);
    let receiver = Receiver::start(move |_, _| if switch.load(Ordering::SeqCst) { Reply::status(204) } else { down() });
    (receiver, is_up)
}

#[track_caller]
fn reload(exporter: &Exporter, status: u16, expected: &str) {
    let answer = exporter.connect().ask("POST", "/-/reload");
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(expected), "{expected}\nis not in\n{}", answer.body);
}

#[track_caller]
fn eventually(mut is_so: impl FnMut() -> bool, what: &str) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_reload_changes_collectors_paths_and_targets() {
    let receiver = Receiver::start(|_, _| Reply::status(204));
    let config = Config::new(HEAD);
    let exporter = config.start();
    exporter.check("/metrics", 200, "\nnode_load1 ");
    exporter.check("/metrics?collect[]=vmstat", 400, "");
    config.write(&format!(
        "{HEAD}  vmstat: true\nlabels: {{node: n1}}\nweb: {{telemetry-path: /m}}\n{}",
        target(&receiver.address, "")
    ));
    reload(&exporter, 200, "The configuration was read again.");
    exporter.check("/m?collect[]=vmstat", 200, "\nnode_vmstat_");
    exporter.check("/metrics", 404, "");
    exporter.check("/m", 200, "\nnode_exporter_config_last_reload_successful 1\n");
    let request = receiver.wait_for(2).remove(1);
    assert!(request.target.starts_with("/api/v1/import/prometheus?timestamp="), "{}", request.target);
    let page = request.text();
    assert!(page.contains("node_load1{node=\"n1\",job=\"node_exporter\",instance=\""), "{page}");
    exporter.check("/", 200, "<h2>Push</h2>");
}

#[test]
fn a_broken_file_changes_nothing_and_is_told() {
    let config = Config::new(HEAD);
    let exporter = config.start();
    config.write(&format!("{HEAD}pusch: {{}}\n"));
    reload(&exporter, 500, "node_exporter.yml:4:1: unknown key `pusch` in the file; did you mean `push`?");
    exporter.check("/metrics", 200, "\nnode_load1 ");
    exporter.check("/metrics", 200, "\nnode_exporter_config_last_reload_successful 0\n");
    config.write(&format!("{HEAD}web: {{listen-address: ['127.0.0.1:1']}}\n"));
    // The command line's address is in force, and wins.
    reload(&exporter, 200, "");
    config.write(&format!("{HEAD}push: {{queue: /other}}\n"));
    reload(&exporter, 500, "--push.queue cannot change while the exporter runs; restart it");
    config.write(&format!("{HEAD}push: {{targets: [{{to: import, url: 'http://h', ca-file: /missing}}]}}\n"));
    reload(&exporter, 500, "/missing: ");
    config.write(HEAD);
    reload(&exporter, 200, "");
    exporter.check("/metrics", 200, "\nnode_exporter_config_last_reload_successful 1\n");
}

#[test]
fn a_reload_has_to_be_allowed() {
    let exporter = Exporter::simulated(&[]);
    reload(&exporter, 403, "--web.enable-lifecycle");
    exporter.check("/-/reload", 405, "POST");
}

#[cfg(unix)]
#[test]
fn sighup_reads_the_file_again() {
    use rustix::process::{Pid, Signal, kill_process};
    let config = Config::new(HEAD);
    let mut exporter = config.start();
    config.write(&format!("{HEAD}  vmstat: true\n"));
    let pid = Pid::from_child(&exporter.child);
    kill_process(pid, Signal::HUP).unwrap();
    eventually(|| exporter.get("/metrics").body.contains("\nnode_vmstat_"), "the file was not read again");
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(exporter.child.wait().unwrap().code(), Some(0));
}

/// Timestamps of the requests that were answered with success, in the order they came.
fn delivered(receiver: &Receiver, path: &Path) -> Vec<u64> {
    let requests = receiver.received();
    let prefix = format!("{}?timestamp=", path.display());
    let timestamp = |target: &str| target.strip_prefix(&prefix).map(|rest| rest.parse().unwrap());
    requests.iter().filter_map(|request| timestamp(&request.target)).collect()
}

#[test]
fn what_waits_survives_a_reload_and_no_tick_is_left_out() {
    let (receiver, is_up) = switched(|| Reply::status(503));
    let config = Config::new(&format!("{HEAD}{}", target(&receiver.address, "    name: t\n")));
    let exporter = config.start();
    receiver.wait_for(1);
    std::thread::sleep(Duration::from_secs(1));
    // The target gets another option: its queue goes over to a new thread.
    config.write(&format!("{HEAD}{}", target(&receiver.address, "    name: t\n    headers: {X-New: 'yes'}\n")));
    reload(&exporter, 200, "");
    std::thread::sleep(Duration::from_secs(1));
    is_up.store(true, Ordering::SeqCst);
    let failures = receiver.received().len();
    let later = receiver.wait_for(failures + 12);
    assert!(later[failures..].iter().all(|request| request.header("x-new") == Some("yes")));
    let mut times = delivered(&receiver, Path::new("/api/v1/import/prometheus"));
    let first = times[0];
    times.sort_unstable();
    times.dedup();
    assert_eq!(times[0], first, "the oldest was sent first");
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (1..390).contains(gap)), "a tick is missing: {gaps:?}");
}

/// A configuration with a target that takes all and one that does what a test wants.
fn two_targets(good: &Receiver, other: &Receiver, more: &str) -> String {
    let text = target(&good.address, "    name: good\n");
    let address = other.address;
    format!("{HEAD}{text}  - {{to: import, url: 'http://{address}', compression: none, name: other, {more}}}\n")
}

/// Checks that the second target got every tick of the first one, up to the ticks of the last moments.
#[track_caller]
fn check_same_ticks(good: &Receiver, other: &Receiver) {
    let path = Path::new("/api/v1/import/prometheus");
    let expected = delivered(good, path);
    eventually(
        || {
            let found = delivered(other, path);
            expected.iter().all(|tick| found.contains(tick))
        },
        "a tick is missing",
    );
}

#[test]
fn ticks_wait_for_a_replaced_target_that_hangs() {
    let good = Receiver::start(|_, _| Reply::status(204));
    let (other, is_up) = switched(|| Reply::Silence);
    let config = Config::new(&two_targets(&good, &other, "timeout: 3s"));
    let exporter = config.start();
    other.wait_for(1);
    config.write(&two_targets(&good, &other, "timeout: 3s, headers: {X-New: 'yes'}"));
    let before = good.received().len();
    reload(&exporter, 200, "");
    assert!(good.received().len() >= before + 2, "no ticks while the thread of the target ended");
    is_up.store(true, Ordering::SeqCst);
    check_same_ticks(&good, &other);
}

#[cfg(unix)]
#[test]
fn reloads_in_quick_succession_lose_no_tick() {
    use rustix::process::{Pid, Signal, kill_process};
    let good = Receiver::start(|_, _| Reply::status(204));
    let other = Receiver::start(|number, _| Reply::status(if number % 2 == 0 { 503 } else { 204 }));
    let config = Config::new(&two_targets(&good, &other, ""));
    let exporter = config.start();
    good.wait_for(1);
    let pid = Pid::from_child(&exporter.child);
    for number in 0..20 {
        config.write(&two_targets(&good, &other, &format!("headers: {{X-Number: '{number}'}}")));
        kill_process(pid, Signal::HUP).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
        reload(&exporter, 200, "");
    }
    good.wait_for(good.received().len() + 3);
    check_same_ticks(&good, &other);
    eventually(
        || other.received().last().unwrap().header("x-number") == Some("19"),
        "the last configuration is not in force",
    );
}

#[test]
fn the_backlog_of_a_removed_target_waits_on_disk() {
    let good = Receiver::start(|_, _| Reply::status(204));
    let (other, is_up) = switched(|| Reply::status(503));
    let config = Config::new(&two_targets(&good, &other, ""));
    let queue = format!("--push.queue={}", config.folder.path().join("queue").display());
    let mut exporter = config.start_with(&[&queue]);
    other.wait_for(1);
    let expected = delivered(&other, Path::new("/api/v1/import/prometheus"))[0];
    for _ in 0..5 {
        config.write(&format!("{HEAD}{}", target(&good.address, "    name: good\n")));
        reload(&exporter, 200, "");
        config.write(&two_targets(&good, &other, ""));
        reload(&exporter, 200, "");
    }
    let before = other.received().len();
    is_up.store(true, Ordering::SeqCst);
    other.wait_for(before + 2);
    let times = delivered(&other, Path::new("/api/v1/import/prometheus"));
    assert!(times[before..].contains(&expected), "{expected} is not in {times:?}");
    exporter.child.kill().unwrap();
    let mut log = String::new();
    std::io::Read::read_to_string(&mut exporter.log, &mut log).unwrap();
    assert!(log.contains("Samples wait in a queue of no target") && log.contains("name=other"), "{log}");
}

#[test]
fn a_push_that_could_not_begin_begins_with_the_next_reload() {
    let receiver = Receiver::start(|_, _| Reply::status(204));
    let config = Config::new(HEAD);
    let exporter = config.start();
    for _ in 0..2 {
        config.write(&format!("{HEAD}{}", target(&receiver.address, "    ca-file: /missing\n")));
        reload(&exporter, 500, "/missing: ");
    }
    config.write(&format!("{HEAD}{}", target(&receiver.address, "")));
    reload(&exporter, 200, "");
    receiver.wait_for(2);
}

#[test]
fn scrapes_go_on_while_the_configuration_changes() {
    let config = Config::new(HEAD);
    let exporter = config.start();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = exporter.connect();
                    for _ in 0..100 {
                        let answer = connection.ask("GET", "/metrics");
                        assert_eq!(answer.status, 200);
                        assert!(answer.head.contains("Content-Type: text/plain"), "{}", answer.head);
                        assert!(answer.body.contains("\nnode_load1 "), "{}", answer.body);
                    }
                })
            })
            .collect();
        for number in 0..10 {
            config.write(&format!("{HEAD}  vmstat: {}\n", number % 2 == 0));
            reload(&exporter, 200, "");
        }
        for client in clients {
            client.join().unwrap();
        }
    });
}
