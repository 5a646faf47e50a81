//! Clients that ask and do not listen.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::clients::{ATTACKER, Times, connect_from, connect_narrow};
use crate::{alone, peak_kilobytes, warm};

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn pipelined_requests_wait_for_each_others_answers() {
    const REQUESTS: usize = 200_000;
    const CLIENTS: usize = 4;
    /// What the kernel's buffers take of the answers, and good requests.
    const ANSWERED_MAX: usize = 1_000;
    /// What five scrapes at once need, which the exporter has not made before.
    const GROWTH_MAX_KILOBYTES: u64 = 6_000;
    let _alone = alone();
    let exporter = warm(&[]);
    let (address, before) = (exporter.address(), peak_kilobytes(&exporter));
    let pipelined = REQUEST.repeat(REQUESTS / CLIENTS);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut client = connect_narrow(ATTACKER, address);
            client.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
            // The kernel may take all of them; the exporter does not.
            let _ = client.write_all(&pipelined);
            client
        })
        .collect();
    for _ in 0..10 {
        assert_eq!(exporter.get("/metrics").status, 200);
    }
    let page = exporter.get("/metrics").body;
    let answered =
        page.lines().find_map(|line| line.strip_prefix("promhttp_metric_handler_requests_total{code=\"200\"} "));
    let answered: usize = answered.unwrap().parse().unwrap();
    let growth = peak_kilobytes(&exporter) - before;
    println!("{REQUESTS} pipelined requests: {answered} answered, {growth} kB more than {before} kB");
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
        // Until its page is made.
        let deadline = Instant::now() + Duration::from_secs(20);
        while !exporter.get("/metrics").body.contains("promhttp_metric_handler_requests_in_flight 1\n") {
            assert!(Instant::now() < deadline, "slow readers are in flight for ever");
        }
    }
    let begin = Instant::now();
    assert_eq!(exporter.get("/metrics").status, 200);
    println!("a page beside {READERS} slow readers with {SLOTS} slots: {:?}", begin.elapsed());
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
fn many_connections_that_are_kept_are_all_answered() {
    const CLIENTS: usize = 8;
    const PAUSE: Duration = Duration::from_millis(1);
    let _alone = alone();
    let exporter = warm(&[]);
    let address = exporter.address();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| scope.spawn(|| Times::of_one_connection(address, PAUSE, &stop))).collect();
        thread::sleep(Duration::from_secs(1));
        stop.store(true, Ordering::SeqCst);
        for client in clients {
            let times = client.join().unwrap();
            println!("one of {CLIENTS} kept connections: {times}");
            assert!(times.count() > 3);
        }
    });
    drop(connect_from(ATTACKER, address));
}
