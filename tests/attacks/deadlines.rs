//! Clients with unusable deadlines beside one with a usual deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::alone;
use crate::exporter::{Connection, Exporter};

/// Number of connections that send requests with a deadline of 2 ms, one after another.
const IMPATIENT: usize = 8;

/// Duration of the attack.
const TIME: Duration = Duration::from_secs(4);

const PATIENT: &str = "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n";

/// Headers of the attacking clients: all deadlines are shorter than a scrape.
const HEADERS: [&str; 4] = [
    "X-Prometheus-Scrape-Timeout-Seconds: 0.002\r\n",
    "X-Prometheus-Scrape-Timeout-Seconds: 0.000000001\r\n",
    "X-Prometheus-Scrape-Timeout-Seconds: 0.01\r\nAccept: text/plain;q=0.1\r\n",
    "X-Prometheus-Scrape-Timeout-Seconds: 1e-300\r\nAccept-Encoding: identity\r\n",
];

fn success(page: &str) -> Vec<&str> {
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

/// What a client asks for: a path, and headers that do not say how long it waits.
const KINDS: [(&str, &str); 6] = [
    ("/metrics", ""),
    ("/metrics", "Accept-Encoding: gzip\r\n"),
    ("/metrics", "Accept: application/openmetrics-text\r\nAccept-Encoding: zstd\r\n"),
    ("/metrics?collect[]=loadavg&collect[]=time", ""),
    ("/metrics?collect[]=time", "Accept-Encoding: gzip;q=1, identity;q=0\r\n"),
    ("/metrics?exclude[]=loadavg", "Accept-Encoding: zstd, gzip;q=0.5\r\n"),
];

/// The success lines of a page, and its headers without length.
fn shape(connection: &mut Connection, (path, headers): (&str, &str), deadline: &str) -> (Vec<String>, String) {
    connection.send_with("GET", path, &format!("{headers}{deadline}"));
    let (status, head, body) = connection.receive_bytes("GET");
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    let lines = head.lines().filter(|line| !line.starts_with("Content-Length") && !line.starts_with("Date"));
    let head = lines.collect::<Vec<_>>().join("\n");
    let page = if head.contains("gzip") {
        let mut page = String::new();
        flate2::read::GzDecoder::new(body.as_slice()).read_to_string(&mut page).unwrap();
        page
    } else if head.contains("zstd") {
        String::from_utf8(unpack_zstd(&body)).unwrap()
    } else {
        String::from_utf8(body).unwrap()
    };
    (success(&page).into_iter().map(str::to_owned).collect(), head)
}

#[test]
fn no_mix_of_filters_deadlines_and_codings_changes_the_page_of_another_client() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slow.toml");
    std::fs::write(&file, "profile = 'vm'\nfaults = '''\nproc/loadavg slow=30ms\nproc/stat slow=5ms\n'''\n").unwrap();
    let scenario = format!("--simulate.scenario={}", file.display());
    let exporter = Exporter::start(&[&scenario, "--web.max-requests=0", "--web.enable-openmetrics"]);
    let mut connection = exporter.connect();
    let expected = KINDS.map(|kind| shape(&mut connection, kind, PATIENT));
    // Filters are not ignored, and codings are those that were asked for.
    assert_eq!([3, 4].map(|kind: usize| expected[kind].0.len()), [2, 1]);
    assert_eq!(expected[5].0.len() + 1, expected[0].0.len());
    let codings = |(_, head): &(Vec<String>, String)| (head.contains("gzip"), head.contains("zstd"));
    assert_eq!(expected.each_ref().map(codings), [(false, false), (true, false), (false, true), (false, false), (true, false), (false, true)]);
    let is_over = AtomicBool::new(false);
    let (mut pages, mut damaged) = (0, Vec::new());
    thread::scope(|scope| {
        for number in 0..IMPATIENT {
            let (exporter, is_over) = (&exporter, &is_over);
            scope.spawn(move || {
                let mut connection = exporter.connect();
                for turn in number.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    // Only the deadline of these is used; the kinds are those of the other client.
                    let deadline = HEADERS[turn % HEADERS.len()].split("\r\n").next().unwrap();
                    shape(&mut connection, KINDS[turn % KINDS.len()], &format!("{deadline}\r\n"));
                }
            });
        }
        let begin = Instant::now();
        while begin.elapsed() < TIME {
            let kind = pages % KINDS.len();
            let found = shape(&mut connection, KINDS[kind], PATIENT);
            pages += 1;
            if found != expected[kind] {
                damaged.push((KINDS[kind], found));
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("{pages} pages of {} kinds beside {IMPATIENT} impatient clients: {} damaged", KINDS.len(), damaged.len());
    assert!(pages > 10 && damaged.is_empty(), "{damaged:?}");
}
