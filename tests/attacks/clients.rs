//! Clients, good and bad.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::exporter::Exporter;
use crate::processor::time;

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

/// All but one of a hundred good requests are answered within this, whoever attacks.
const P99_MAX: Duration = Duration::from_millis(50);

/// A page that is soon made: what is measured is the waiting.
const PAGE: &str = "/metrics?collect[]=loadavg";

/// How long somebody waited who asked well, again and again.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Asks for a page on a connection that is kept, then on a new one, and so on, until it is told to stop. By turns: what
    /// the exporter does for one must not seem to be what keeps the other waiting.
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

    /// So long waited all but one of a hundred.
    fn p99(&self) -> Duration {
        self.0[self.0.len() * 99 / 100]
    }

    /// That nobody waited for the attack.
    #[track_caller]
    pub(crate) fn check(&self) {
        assert!(self.p99() < P99_MAX, "{self}");
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, last) = (self.0[self.0.len() / 2], self.0[self.0.len() - 1]);
        write!(f, "{} good requests: p50 {median:?}, p99 {:?}, longest {last:?}", self.0.len(), self.p99())
    }
}
