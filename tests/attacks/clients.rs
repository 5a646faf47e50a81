//! Clients, good and bad.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::exporter::Connection;

/// Where attacks come from; others come from 127.0.0.1.
pub(crate) const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// So many connections this process has to be able to hold.
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

/// A connection that comes from this address.
pub(crate) fn connect_from(source: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::from((source, 0)))?;
    connect(&socket, &to)?;
    Ok(TcpStream::from(socket))
}

/// The same, with as little room as there can be for what it does not read.
pub(crate) fn connect_narrow(source: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 1).unwrap();
    bind(&socket, &SocketAddr::from((source, 0))).unwrap();
    connect(&socket, &to).unwrap();
    TcpStream::from(socket)
}

/// Everything that comes until the connection is closed, or reset.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends this, and says what comes back.
pub(crate) fn send(to: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may have answered, and closed, before all of it is sent.
    let _ = stream.write_all(request);
    read_to_end(&mut stream)
}

/// How long somebody waited who asked well, again and again.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Asks for a page on a new connection each time, until it is told to stop.
    pub(crate) fn of_new_connections(to: SocketAddr, pause: Duration, stop: &AtomicBool) -> Self {
        Self::until(stop, pause, || Connection::new(TcpStream::connect(to).unwrap()).ask("GET", "/metrics").status)
    }

    /// Asks for a page on one connection, until it is told to stop.
    pub(crate) fn of_one_connection(to: SocketAddr, pause: Duration, stop: &AtomicBool) -> Self {
        let mut connection = Connection::new(TcpStream::connect(to).unwrap());
        Self::until(stop, pause, || connection.ask("GET", "/metrics").status)
    }

    fn until(stop: &AtomicBool, pause: Duration, mut ask: impl FnMut() -> u16) -> Self {
        let mut times = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let begin = Instant::now();
            assert_eq!(ask(), 200);
            times.push(begin.elapsed());
            std::thread::sleep(pause);
        }
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// So long waited all but one of a hundred.
    pub(crate) fn p99(&self) -> Duration {
        self.0[self.0.len() * 99 / 100]
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, last) = (self.0[self.0.len() / 2], self.0[self.0.len() - 1]);
        write!(f, "{} good requests: p50 {median:?}, p99 {:?}, longest {last:?}", self.0.len(), self.p99())
    }
}
