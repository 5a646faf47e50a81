//! Too many connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::clients::{ATTACKER, Latencies, connect_from, raise_limit, read_to_end};
use crate::exporter::Exporter;
use crate::{alone, descriptors, peak_kilobytes, warm};

const MEMORY_MAX_KILOBYTES: u64 = 20_000;

/// The front's limit of connections, and descriptors for other purposes.
const DESCRIPTORS_MAX: usize = 1024 + 32;

const HEAD_TIME: Duration = Duration::from_secs(10);

const SUCCESS: &str = "node_scrape_collector_success{";

/// A connection that sends a byte now and then.
struct SlowHead {
    stream: TcpStream,
    begin: Instant,
    /// The response, and when it came.
    end: Option<(String, Duration)>,
}

impl SlowHead {
    fn step(&mut self) {
        if self.end.is_none() && (self.stream.write(b"a").is_err() || self.is_closed()) {
            self.stream.set_nonblocking(false).unwrap();
            self.end = Some((read_to_end(&mut self.stream), self.begin.elapsed()));
        }
    }

    fn is_closed(&self) -> bool {
        // Readable data means that the server ends the connection: the only answer to an incomplete head is an error.
        !matches!(self.stream.peek(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

#[test]
fn two_thousand_slow_heads_time_out() {
    const DRIPPING: usize = 2_000;
    let _alone = alone();
    raise_limit(4_096);
    let exporter = warm(&[]);
    let address = exporter.address();
    let (stop, mut descriptors_most) = (AtomicBool::new(false), 0);
    thread::scope(|scope| {
        let good = scope.spawn(|| Latencies::of_kept_and_new(&exporter, Duration::from_millis(20), &stop));
        let begin = Instant::now();
        let start = |_| {
            let mut stream = connect_from(ATTACKER, address).unwrap();
            stream.write_all(b"GET /").unwrap();
            stream.set_nonblocking(true).unwrap();
            SlowHead { stream, begin: Instant::now(), end: None }
        };
        let mut drips: Vec<_> = (0..DRIPPING).map(start).collect();
        while drips.iter().any(|drip| drip.end.is_none()) && begin.elapsed() < 2 * HEAD_TIME {
            drips.iter_mut().for_each(SlowHead::step);
            descriptors_most = descriptors_most.max(descriptors(&exporter));
            thread::sleep(Duration::from_millis(300));
        }
        stop.store(true, Ordering::SeqCst);
        let [kept, new] = good.join().unwrap();
        let ends: Vec<_> = drips.iter().map(|drip| drip.end.as_ref().expect("nobody drips for ever")).collect();
        let late: Vec<_> = ends.iter().filter(|(answer, _)| answer.starts_with("HTTP/1.1 408 ")).collect();
        let early = late.iter().filter(|(_, time)| *time < HEAD_TIME).count();
        let last = ends.iter().map(|(_, time)| *time).max().unwrap();
        let peak = peak_kilobytes(&exporter);
        println!(
            "{DRIPPING} dripping heads: {} told 408 after {HEAD_TIME:?}, {} made room, last after {last:?}; \
             on one connection: {kept}; on new ones: {new}; \
             at most {descriptors_most} descriptors, {peak} kB",
            late.len(),
            DRIPPING - late.len(),
        );
        assert_eq!(early, 0);
        assert!(late.len() >= 900, "{}", late.len());
        assert!(last < HEAD_TIME + HEAD_TIME / 2, "{last:?}");
        assert!(descriptors_most <= DESCRIPTORS_MAX, "{descriptors_most}");
        kept.check();
        new.check();
        assert!(peak < MEMORY_MAX_KILOBYTES, "{peak} kB");
    });
}

#[test]
fn churn_from_one_address_does_not_delay_other_clients() {
    const TIME: Duration = Duration::from_secs(3);
    const HELD: usize = 1_500;
    let _alone = alone();
    raise_limit(4_096);
    let exporter = warm(&[]);
    let address = exporter.address();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        const PAUSE: Duration = Duration::from_millis(10);
        let good = scope.spawn(|| Latencies::of_kept_and_new(&exporter, PAUSE, &stop));
        let (begin, mut held, mut count) = (Instant::now(), std::collections::VecDeque::new(), 0);
        while begin.elapsed() < TIME {
            held.extend(connect_from(ATTACKER, address).ok());
            count += 1;
            if held.len() > HELD {
                held.pop_front();
            }
        }
        stop.store(true, Ordering::SeqCst);
        let [kept, new] = good.join().unwrap();
        println!("{count} connections in {TIME:?}; on one connection: {kept}; on new ones: {new}");
        assert!(count > HELD, "{count} connections are too few");
        kept.check();
        new.check();
    });
}

#[test]
fn the_server_recovers_from_a_lack_of_descriptors() {
    const DESCRIPTORS: usize = 64;
    /// In parallel, each with the files that its collectors have open.
    const SCRAPES: usize = 16;
    let _alone = alone();
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\"")]);
    limited.arg(env!("CARGO_BIN_EXE_node_exporter"));
    // Collectors of this machine, which open files.
    let exporter = Exporter::launch(&mut limited, &[]);
    let address = exporter.address();
    let mut held = Vec::new();
    for _ in 0..10 {
        held.extend((0..40).filter_map(|_| connect_from(ATTACKER, address).ok()));
        assert_eq!(exporter.get("/metrics").status, 200);
        assert!(descriptors(&exporter) <= DESCRIPTORS);
    }
    drop(held);
    let scrapes: Vec<_> = thread::scope(|scope| {
        let asking: Vec<_> = (0..SCRAPES).map(|_| scope.spawn(|| exporter.get("/metrics"))).collect();
        asking.into_iter().map(|scrape| scrape.join().unwrap()).collect()
    });
    let successes = |page: &str| page.lines().filter(|line| line.starts_with(SUCCESS) && line.ends_with(" 1")).count();
    let expected = successes(&exporter.get("/metrics").body);
    assert_ne!(expected, 0);
    for scrape in scrapes {
        assert_eq!((scrape.status, successes(&scrape.body)), (200, expected), "{}", scrape.body);
    }
}

#[test]
fn connection_resets_cause_no_panic() {
    const RESETS: usize = 2_000;
    let _alone = alone();
    let mut exporter = warm(&[]);
    for number in 0..RESETS {
        let mut stream = connect_from(ATTACKER, exporter.address()).unwrap();
        let request = match number % 20 {
            0 => "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
            even if even % 2 == 0 => "GET /metrics?collect[]=loadavg HTTP/1.1\r\nHost: x\r\n\r\n",
            _ => "GET /met",
        };
        stream.write_all(request.as_bytes()).unwrap();
        if number % 4 == 0 {
            let _ = stream.read(&mut [0; 100]);
        }
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(exporter.get("/metrics").status, 200);
    exporter.child.kill().unwrap();
    let mut log = String::new();
    exporter.log.read_to_string(&mut log).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
