//! The inner program: serves a host and scrapes it, all in one process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use collectors::host::kernel::clock;
use harness::load::wait;
use node_exporter::flags::{self, Command};
use node_exporter::host;
use node_exporter::instruments::Instruments;
use node_exporter::lifecycle::Lifecycle;
use node_exporter::log::Log;
use node_exporter::serve::front::Front;
use node_exporter::serve::handler::answer::{Answer, Handle};
use node_exporter::serve::listen;
use node_exporter::serve::request::Request;

use crate::counts::{self, Counts};

/// Marks the inner program. The name of a load, the number of scrapes and a planted leak follow.
pub(super) const MARK: &str = "--soak";

/// Number of equal parts of a load, after each of which is counted.
const WINDOWS: usize = 10;

/// One in so many requests comes on a new connection.
const NEW_CONNECTION_EVERY: usize = 10;

/// Longer than the kernel's events need to settle; before, directories are kept open and listed.
const SETTLES_IN: Duration = Duration::from_millis(2_500);
/// How often a count may wait for that.
const SETTLING_MAX: usize = 2;

/// A deliberate leak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leak {
    None,
    /// 100 bytes in every scrape.
    Bytes,
    /// One descriptor in all.
    Descriptor,
    /// One thread in all.
    Thread,
}

impl Leak {
    const ALL: [Self; 4] = [Self::None, Self::Bytes, Self::Descriptor, Self::Thread];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bytes => "bytes",
            Self::Descriptor => "descriptor",
            Self::Thread => "thread",
        }
    }
}

/// A handler with a leak in front of another one.
struct Leaking {
    inner: Arc<dyn Handle>,
    leak: Leak,
    /// Number of the request that leaks, of a leak that occurs once.
    at: usize,
    answered: AtomicUsize,
}

impl Handle for Leaking {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        const LEAK_BYTES: usize = 100;
        let number = self.answered.fetch_add(1, Ordering::SeqCst);
        match self.leak {
            Leak::Bytes => std::mem::forget(vec![1_u8; LEAK_BYTES]),
            Leak::Descriptor if number == self.at => {
                std::mem::forget(std::fs::File::open("/dev/null").expect("/dev/null"));
            }
            Leak::Thread if number == self.at => {
                let name = std::thread::Builder::new().name("planted".to_owned());
                drop(name.spawn(std::thread::park).expect("a thread"));
            }
            _ => {}
        }
        Arc::clone(&self.inner).answer(request)
    }
}

/// Scrapes of this machine until buffers are allocated, threads started, and files closed that no later scrape reads: that
/// takes up to 128.
const FIRST: usize = 200;

/// Requests and the flags of their exporter.
struct Load {
    /// Scrapes before those that are counted, twice.
    first: usize,
    flags: &'static [&'static str],
    /// Path and further header lines, in turns.
    requests: &'static [(&'static str, &'static str)],
}

const LOADS: [(&str, Load); 3] = [
    ("live", Load { first: FIRST, flags: &[], requests: &[("/metrics", "")] }),
    (
        "filters",
        Load {
            first: FIRST,
            flags: &["--web.enable-openmetrics"],
            requests: &[
                ("/metrics", "Accept-Encoding: gzip\r\n"),
                ("/metrics?collect[]=cpu&collect[]=meminfo", "Accept-Encoding: gzip\r\n"),
                ("/metrics?collect[]=loadavg", "Accept: application/openmetrics-text;version=1.0.0\r\n"),
                ("/metrics?exclude[]=cpu", "Accept-Encoding: zstd\r\n"),
                ("/metrics?collect[]=filesystem", "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n"),
                ("/metrics?collect[]=netdev", "Accept-Encoding: identity\r\n"),
                ("/", "Accept-Encoding: gzip\r\n"),
            ],
        },
    ),
    ("large", Load { first: 2, flags: &["--simulate=epyc256"], requests: &[("/metrics", "")] }),
];

/// Runs the load that the arguments name. Fails if something leaks.
pub(super) fn run(arguments: &[String]) -> ExitCode {
    let [name, scrapes, leak] = arguments else { panic!("{MARK} LOAD SCRAPES LEAK, not {arguments:?}") };
    let (_, load) = LOADS.iter().find(|(known, _)| known == name).expect("a load");
    let scrapes: usize = scrapes.parse().expect("a number of scrapes");
    let leak = Leak::ALL.into_iter().find(|known| known.name() == leak).expect("a leak");
    assert!(harness::allocations::are_counted());
    let per_window = scrapes / WINDOWS;
    let first = load.first;
    let (address, _serving) = serve(load, leak, 2 * first + scrapes / 2);
    let mut client = Client::new(address, load.requests);
    client.ask(first);
    wait(SETTLES_IN);
    client.ask(first);
    let mut all = Vec::with_capacity(1 + WINDOWS);
    all.push(Counts::now(&[]));
    for _ in 0..WINDOWS {
        client.ask(per_window);
        all.push(Counts::now(&[]));
    }
    // A change of the host opens files again until it has settled. A leak stays.
    for _ in 0..SETTLING_MAX {
        let last = all.pop().expect("the counts of the last window");
        if last.excess(&all).is_empty() {
            all.push(last);
            break;
        }
        wait(SETTLES_IN);
        client.ask(first);
        all.push(Counts::now(&all).with_heap_of(last));
    }
    println!("{name}: {} scrapes, {} bytes received", WINDOWS * per_window, client.received_bytes);
    let leaks = counts::leaks(&all, per_window);
    for leak in &leaks {
        println!("leak: {leak}");
    }
    if leaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Serves the exporter of a load, as its own program does, behind the leak.
fn serve(load: &Load, leak: Leak, leak_at: usize) -> (SocketAddr, impl Sized) {
    let arguments = ["--log.level=error", "--web.max-requests=0"].iter().chain(load.flags).map(Into::into);
    let settings = match flags::parse(collectors::ALL, arguments) {
        Ok(Command::Serve(settings)) => *settings,
        other => panic!("{other:?}"),
    };
    let log = Log::queued(settings.log_level, settings.log_format, clock::now, std::io::stderr()).expect("a thread");
    let log = Arc::new(log);
    let host = host::open(&settings).expect("a host");
    let instruments = Instruments::new(true).expect("metrics");
    let again = Box::new(|| Err("nothing to read again".to_owned()));
    let lifecycle = Lifecycle::build(settings, host, instruments, &log, again).expect("a scraper");
    let inner: Arc<dyn Handle> = lifecycle.handler();
    let handler: Arc<dyn Handle> = Arc::new(Leaking { inner, leak, at: leak_at, answered: AtomicUsize::new(0) });
    let listener = listen::listen("127.0.0.1:0").expect("a port");
    let address = listener.to_string().parse().expect("an address");
    let serving = Front::new(vec![listener], None).and_then(|front| front.start(&handler, &log)).expect("a server");
    (address, (serving, lifecycle))
}

/// A client that allocates nothing after its start.
struct Client {
    address: SocketAddr,
    kept: TcpStream,
    /// Bytes of each request.
    requests: Vec<Vec<u8>>,
    asked: usize,
    buffer: Vec<u8>,
    received_bytes: usize,
}

impl Client {
    fn new(address: SocketAddr, requests: &[(&str, &str)]) -> Self {
        const BUFFER_BYTES: usize = 64 << 10;
        let bytes = |(path, headers): &(&str, &str)| {
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes()
        };
        Self {
            address,
            kept: connect(address),
            requests: requests.iter().map(bytes).collect(),
            asked: 0,
            buffer: vec![0; BUFFER_BYTES],
            received_bytes: 0,
        }
    }

    /// Sends that many requests, one after another.
    fn ask(&mut self, count: usize) {
        for _ in 0..count {
            let request = &self.requests[self.asked % self.requests.len()];
            self.asked += 1;
            self.received_bytes += if self.asked.is_multiple_of(NEW_CONNECTION_EVERY) {
                exchange(&mut connect(self.address), request, &mut self.buffer)
            } else {
                exchange(&mut self.kept, request, &mut self.buffer)
            };
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a TCP connection");
    stream
}

/// Sends a request and reads its response, which has to be a success. Returns the length of its body.
fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> usize {
    const END: &[u8] = b"\r\n\r\n";
    const LENGTH: &[u8] = b"\r\nContent-Length: ";
    let find = |text: &[u8], word: &[u8]| text.windows(word.len()).position(|window| window == word);
    stream.write_all(request).expect("a request is sent");
    let mut filled = 0;
    let head = loop {
        let count = stream.read(&mut buffer[filled..]).expect("a response");
        assert_ne!(count, 0, "the connection ended");
        filled += count;
        if let Some(end) = find(&buffer[..filled], END) {
            break end;
        }
    };
    assert!(buffer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&buffer[..filled]));
    let digits = find(&buffer[..head], LENGTH).expect("a length") + LENGTH.len();
    let digits = buffer[digits..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |number, digit| 10 * number + usize::from(digit - b'0'));
    let mut missing = length - (filled - head - END.len());
    while missing > 0 {
        let most = missing.min(buffer.len());
        let count = stream.read(&mut buffer[..most]).expect("a response");
        assert_ne!(count, 0, "the connection ended");
        missing -= count;
    }
    length
}
