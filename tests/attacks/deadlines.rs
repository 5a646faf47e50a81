//! Clients with unusable deadlines beside one with a usual deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::alone;
use crate::exporter::{Connection, Exporter};

/// Number of connections that send requests with a deadline of 2 ms, one after another.
pub(crate) const IMPATIENT: usize = 8;

/// Duration of the attack.
pub(crate) const TIME: Duration = Duration::from_secs(4);

pub(crate) const PATIENT: &str = "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n";

/// Headers of the attacking clients: all deadlines are shorter than a scrape.
pub(crate) const HEADERS: [&str; 4] = [
    "X-Prometheus-Scrape-Timeout-Seconds: 0.002\r\n",
    "X-Prometheus-Scrape-Timeout-Seconds: 0.000000001\r\n",
    "X-Prometheus-Scrape-Timeout-Seconds: 0.01\r\nAccept: text/plain;q=0.1\r\n",
    "X-Prometheus-Scrape-Timeout-Seconds: 1e-300\r\nAccept-Encoding: identity\r\n",
];

pub(crate) fn success(page: &str) -> Vec<&str> {
    page.lines().filter(|line| line.starts_with("node_scrape_collector_success{")).collect()
}

fn ask(connection: &mut Connection, headers: &str) -> String {
    connection.send_with("GET", "/metrics", headers);
    let answer = connection.receive("GET");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[test]
fn no_deadline_of_one_client_changes_the_page_of_another() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    // A scrape takes 30 ms, longer than any of these deadlines.
    let file = folder.path().join("slow.toml");
    std::fs::write(&file, "profile = 'vm'\nfaults = '''\nproc/loadavg slow=30ms\n'''\n").unwrap();
    let exporter = Exporter::start(&[&format!("--simulate.scenario={}", file.display()), "--web.max-requests=0"]);
    let mut connection = exporter.connect();
    let expected = ask(&mut connection, PATIENT);
    let expected = success(&expected);
    let is_over = AtomicBool::new(false);
    let (mut pages, mut damaged) = (0, 0);
    thread::scope(|scope| {
        for number in 0..IMPATIENT {
            let (exporter, is_over) = (&exporter, &is_over);
            scope.spawn(move || {
                let mut connection = exporter.connect();
                while !is_over.load(Ordering::SeqCst) {
                    ask(&mut connection, HEADERS[number % HEADERS.len()]);
                }
            });
        }
        let begin = Instant::now();
        while begin.elapsed() < TIME {
            let page = ask(&mut connection, PATIENT);
            pages += 1;
            damaged += usize::from(success(&page) != expected || !page.contains("\nnode_load1 "));
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("{pages} pages beside {IMPATIENT} impatient clients: {damaged} damaged");
    assert!(pages > 10 && damaged == 0, "{damaged} of {pages} pages lack collectors");
}
