//! Clients that do not read their responses.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::clients::{ATTACKER, connect_narrow, read_to_end};
use crate::exporter::Exporter;
use crate::{alone, growth_kilobytes, peak_kilobytes, warm};

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

/// The value of a sample.
fn number(page: &str, name: &str) -> usize {
    page.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
}

const IN_FLIGHT: &str = "promhttp_metric_handler_requests_in_flight";

/// Almost the maximum size of a textfile.
const PAGE_BYTES: usize = 4 << 20;

#[test]
fn pipelined_requests_are_read_one_at_a_time() {
    const REQUESTS: usize = 200_000;
    const CLIENTS: usize = 4;
    /// Responses that fit into the kernel's buffers, and those to well-behaved clients.
    const ANSWERED_MAX: usize = 1_000;
    /// Memory of five parallel scrapes, which the exporter has not needed before.
    const GROWTH_MAX_KILOBYTES: u64 = 3_000;
    let _alone = alone();
    let exporter = warm(&[]);
    let (address, before) = (exporter.address(), peak_kilobytes(&exporter));
    let pipelined = REQUEST.repeat(REQUESTS / CLIENTS);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut client = connect_narrow(ATTACKER, address);
            client.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
            // The kernel may accept all bytes; the exporter does not read them.
            let _ = client.write_all(&pipelined);
            client
        })
        .collect();
    let in_flight = |_| number(&exporter.get("/metrics").body, IN_FLIGHT);
    let in_flight = (0..10).map(in_flight).max().unwrap();
    let answered = number(&exporter.get("/metrics").body, "promhttp_metric_handler_requests_total{code=\"200\"}");
    let growth = growth_kilobytes(&exporter, before);
    println!(
        "{REQUESTS} pipelined requests: {answered} answered, {in_flight} in flight, {growth} kB more than {before} kB"
    );
    assert!(in_flight <= CLIENTS + 1, "{in_flight} in flight of {CLIENTS} connections and a good one");
    assert!(answered < ANSWERED_MAX, "{answered} requests were read whose answers nobody takes");
    assert!(growth < GROWTH_MAX_KILOBYTES, "{growth} kB");
    drop(clients);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let _alone = alone();
    let exporter = warm(&[]);
    let mut client = exporter.connect();
    let paths: Vec<_> = (0..200).map(|number| ["/metrics?collect[]=loadavg", "/", "/nothing"][number % 3]).collect();
    for path in &paths {
        client.send("GET", path);
    }
    for path in &paths {
        let expected = if *path == "/nothing" { 404 } else { 200 };
        let answer = client.receive("GET");
        assert_eq!((answer.status, answer.body.contains("node_load1")), (expected, path.contains("load")));
    }
}

#[test]
fn slow_readers_occupy_no_slots() {
    const SLOTS: usize = 2;
    const READERS: usize = 40;
    let _alone = alone();
    let exporter = warm(&[&format!("--web.max-requests={SLOTS}")]);
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut reader = connect_narrow(ATTACKER, exporter.address());
        reader.write_all(REQUEST).unwrap();
        readers.push(reader);
        // Until the page is complete.
        let deadline = Instant::now() + Duration::from_secs(20);
        while !exporter.get("/metrics").body.contains("promhttp_metric_handler_requests_in_flight 1\n") {
            assert!(Instant::now() < deadline, "slow readers stay in flight");
        }
    }
    let begin = Instant::now();
    assert_eq!(exporter.get("/metrics").status, 200);
    println!("a page beside {READERS} slow readers with {SLOTS} slots: {:?}", begin.elapsed());
}

/// A page of 18 MB is one large buffer, which is unmapped after sending. It comes from one collector: on a busy machine
/// several collectors would use a second thread with memory of its own.
#[cfg(all(feature = "simulator", target_env = "gnu"))]
#[test]
fn a_large_page_takes_less_than_twice_its_size_and_is_released() {
    let _alone = alone();
    let one = ["--collector.disable-defaults", "--collector.interrupts"];
    let exporter = Exporter::start(&[&["--simulate=epyc256", "--web.scrape-timeout=60s"], one.as_slice()].concat());
    for scrape in 1..=3 {
        let page = exporter.get("/metrics").body.len();
        // The response is freed after its last byte was sent.
        let kept = || crate::status_kilobytes(&exporter, "VmRSS");
        let deadline = Instant::now() + Duration::from_secs(5);
        while kept() << 10 >= page as u64 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let (peak, kept) = (peak_kilobytes(&exporter), kept());
        println!("{page} bytes of a large host, page {scrape}: {peak} kB at most, {kept} kB kept");
        assert!(page > 16 << 20, "{page}");
        assert!(peak << 10 < 2 * page as u64, "{peak} kB");
        assert!(kept << 10 < page as u64, "{kept} kB");
    }
}

#[test]
fn unread_responses_have_a_common_limit() {
    const READERS: usize = 14;
    /// Limit of pages kept for slow readers, and the copies of a page in progress.
    const GROWTH_MAX_KILOBYTES: u64 = (32 << 10) + 2 * (PAGE_BYTES as u64 >> 10);
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let padding = "x".repeat(4_000);
    let line = |number| format!("large{{number=\"{number}\",padding=\"{padding}\"}} 1\n");
    let text: String = (0..=PAGE_BYTES / padding.len()).map(line).collect();
    std::fs::write(folder.path().join("large.prom"), text).unwrap();
    let directory = format!("--collector.textfile.directory={}", folder.path().display());
    let exporter = Exporter::start(&["--collector.disable-defaults", "--collector.textfile", &directory]);
    let whole = exporter.get("/metrics").body.len();
    assert!(whole > PAGE_BYTES);
    let before = peak_kilobytes(&exporter);
    // One after another: the memory of parallel scrapes does not count as kept for readers.
    let until_made = |scrapes: usize| {
        let told = format!("<dt>Scrapes</dt><dd>{scrapes}</dd>");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !exporter.get("/").body.contains(&told) {
            assert!(Instant::now() < deadline, "the page is not completed");
            thread::sleep(Duration::from_millis(10));
        }
    };
    let mut readers: Vec<_> = (0..READERS)
        .map(|number| {
            let mut reader = connect_narrow(ATTACKER, exporter.address());
            reader.write_all(REQUEST).unwrap();
            until_made(number + 2);
            reader
        })
        .collect();
    let mut last = exporter.connect();
    last.send("GET", "/metrics");
    until_made(READERS + 2);
    let growth = growth_kilobytes(&exporter, before);
    let first = read_to_end(&mut readers[0]).len();
    println!(
        "{READERS} pages of {whole} bytes that nobody takes: {growth} kB more than {before} kB, {first} bytes of the first"
    );
    assert!(growth < GROWTH_MAX_KILOBYTES, "{growth} kB");
    assert!(first < PAGE_BYTES, "the slowest reader must be dropped");
    assert!(last.receive("GET").body.len() > PAGE_BYTES);
}

#[test]
fn one_page_may_exceed_the_common_limit() {
    const FILES: usize = 10;
    const LARGE_BYTES: usize = FILES * PAGE_BYTES;
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let padding = "x".repeat(4_000);
    for file in 0..FILES {
        let line = |number| format!("large{{file=\"{file}\",number=\"{number}\",padding=\"{padding}\"}} 1\n");
        let text: String = (0..=PAGE_BYTES / padding.len()).map(line).collect();
        std::fs::write(folder.path().join(format!("{file}.prom")), text).unwrap();
    }
    let directory = format!("--collector.textfile.directory={}", folder.path().display());
    let exporter = Exporter::start(&["--collector.disable-defaults", "--collector.textfile", &directory]);
    for _ in 0..2 {
        assert!(exporter.get("/metrics").body.len() > LARGE_BYTES);
    }
}

#[test]
fn a_slow_reader_gets_the_whole_page() {
    let _alone = alone();
    let exporter = warm(&[]);
    let mut reader = connect_narrow(ATTACKER, exporter.address());
    reader.write_all(REQUEST).unwrap();
    thread::sleep(Duration::from_millis(300));
    let page = crate::exporter::Connection::new(reader).receive("GET").body;
    assert!(page.ends_with('\n') && page.contains("\nnode_load1 ") && page.contains("\nprocess_"), "{page}");
}

#[test]
fn many_kept_alive_connections_are_answered() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 50;
    let _alone = alone();
    let exporter = warm(&[]);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = exporter.connect();
                for _ in 0..REQUESTS {
                    assert_eq!(client.ask("GET", "/metrics?collect[]=loadavg").status, 200);
                }
            });
        }
    });
}
