//! Shutdown of the process.

use std::io::{BufRead, Read};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::exporter::{Connection, Exporter};

fn end(exporter: &mut Exporter, signal: Signal) -> Option<i32> {
    kill_process(Pid::from_child(&exporter.child), signal).unwrap();
    exporter.child.wait().unwrap().code()
}

#[test]
fn signals_stop_it_despite_kept_connections() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut exporter = Exporter::start(&["--no-collector.vmstat"]);
        let mut connection = exporter.connect();
        assert_eq!(connection.ask("GET", "/").status, 200);
        let _silent = exporter.connect();
        assert_eq!(end(&mut exporter, signal), Some(0));
        let mut rest = String::new();
        exporter.log.read_to_string(&mut rest).unwrap();
        assert!(rest.ends_with("msg=\"Shutting down\"\n"), "{rest}");
    }
}

/// A scenario in which reading one file takes a second.
fn slow() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let scenario = "profile = 'vm'\nfaults = '''\nproc/vmstat slow=1s\n'''\n";
    std::fs::write(folder.path().join("slow.toml"), scenario).unwrap();
    folder
}

const CLIENTS: usize = 2;

/// An exporter with scrapes in progress, and their clients.
fn scraping(folder: &tempfile::TempDir) -> (Exporter, Vec<Connection>) {
    let scenario = format!("--simulate.scenario={}", folder.path().join("slow.toml").display());
    let collectors = ["--collector.disable-defaults", "--collector.vmstat", "--collector.loadavg"];
    let exporter = Exporter::start(&[&[scenario.as_str()], &collectors[..]].concat());
    let connected = |_| {
        let mut client = exporter.connect();
        client.send("GET", "/metrics?collect[]=vmstat");
        client
    };
    let clients: Vec<_> = (0..CLIENTS).map(connected).collect();
    let all = format!("promhttp_metric_handler_requests_in_flight {}\n", CLIENTS + 1);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !exporter.get("/metrics?collect[]=loadavg").body.contains(&all) {
        assert!(Instant::now() < deadline, "the scrapes were never in flight together");
    }
    (exporter, clients)
}

#[test]
fn running_scrapes_are_answered() {
    let folder = slow();
    let (mut exporter, clients) = scraping(&folder);
    assert_eq!(end(&mut exporter, Signal::TERM), Some(0));
    for mut client in clients {
        let answer = client.receive("GET");
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("\nnode_vmstat_pgpgin "), "{}", answer.body);
    }
}

#[test]
fn a_second_signal_stops_it_at_once() {
    let folder = slow();
    let (mut exporter, _clients) = scraping(&folder);
    kill_process(Pid::from_child(&exporter.child), Signal::TERM).unwrap();
    let mut line = String::new();
    while !line.ends_with("msg=\"Shutting down\"\n") {
        assert_ne!(exporter.log.read_line(&mut line).unwrap(), 0, "it ended after {line}");
    }
    assert_eq!(end(&mut exporter, Signal::INT), Some(1));
}
