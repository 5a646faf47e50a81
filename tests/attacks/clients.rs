//! Clients, well-behaved and hostile.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::exporter::Exporter;
use crate::processor::time;

/// Source address of attacks; other clients use 127.0.0.1.
pub(crate) const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// Raises the limit of open files of this process.
pub(crate) fn raise_limit(descriptors: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < descriptors) {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).unwrap();
        assert!(
            limit.maximum.is_none_or(|maximum| maximum >= descriptors),
            "allow {descriptors} open files (ulimit -n)"
        );
    }
}

/// A connection from this source address.
pub(crate) fn connect_from(source: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::from((source, 0)))?;
    connect(&socket, &to)?;
    Ok(TcpStream::from(socket))
}

/// A connection with the smallest possible receive buffer.
pub(crate) fn connect_narrow(source: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 1).unwrap();
    bind(&socket, &SocketAddr::from((source, 0))).unwrap();
    connect(&socket, &to).unwrap();
    TcpStream::from(socket)
}

/// Reads until the connection is closed or reset.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends bytes and returns the response.
pub(crate) fn send(to: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may respond and close before everything is sent.
    let _ = stream.write_all(request);
    read_to_end(&mut stream)
}

/// Maximum 99th percentile of latency for well-behaved clients during an attack.
const P99_MAX: Duration = Duration::from_millis(50);

/// A cheap page, so that waiting dominates.
const PAGE: &str = "/metrics?collect[]=loadavg";

/// Latencies of a well-behaved client.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Requests a page on a kept-alive connection and on a new one in turns, until stopped: a delay caused by one must
    /// not be attributed to the other.
    pub(crate) fn of_kept_and_new(exporter: &Exporter, pause: Duration, stop: &AtomicBool) -> [Self; 2] {
        let mut connection = exporter.connect();
        let [mut kept, mut new] = [const { Vec::new() }; 2];
        while !stop.load(Ordering::SeqCst) {
            kept.push(time(exporter, || assert_eq!(connection.ask("GET", PAGE).status, 200)));
            new.push(time(exporter, || assert_eq!(exporter.get(PAGE).status, 200)));
            std::thread::sleep(pause);
        }
        [kept, new].map(|mut times| {
            times.sort_unstable();
            Self(times)
        })
    }

    /// The 99th percentile.
    fn p99(&self) -> Duration {
        self.0[self.0.len() * 99 / 100]
    }

    /// Asserts that the attack caused no delay.
    #[track_caller]
    pub(crate) fn check(&self) {
        assert!(self.p99() < P99_MAX, "{self}");
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, last) = (self.0[self.0.len() / 2], self.0[self.0.len() - 1]);
        write!(f, "{} good requests: p50 {median:?}, p99 {:?}, longest {last:?}", self.0.len(), self.p99())
    }
}
