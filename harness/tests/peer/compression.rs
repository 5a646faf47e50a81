//! Cost of compression for a scrape of this machine, for our exporter and the peer. Measured is the CPU time of the server's
//! threads, which the kernel counts in nanoseconds and which does not include waiting.
#![expect(clippy::disallowed_methods, reason = "reads the CPU times of threads, and starts a server thread")]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::kit::scraper::Scraper;
use harness::fetch::Url;
use harness::peer::Peer;
use harness::requirements::Requirement;
use node_exporter::flags::{self, Command};
use node_exporter::host;
use node_exporter::instruments::Instruments;
use node_exporter::log::{Format, Level, Log};
use node_exporter::serve::front::{Front, Stopper};
use node_exporter::serve::handler::Handler;
use node_exporter::serve::handler::answer::Handle;
use node_exporter::serve::listen;

const SCRAPES: u32 = 60;

/// The names of the server's threads.
const OURS: [&str; 2] = ["serve", "worker"];

/// The exporter of this machine, in threads of this process.
struct Server {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let Command::Serve(settings) = flags::parse(ALL, []).expect("no flags") else {
            unreachable!("no arguments ask to serve")
        };
        let host = host::open(&settings).expect("this machine");
        let log = Arc::new(Log::new(Level::Error, Format::Logfmt, || Duration::ZERO, std::io::sink()));
        let scraper = Scraper::build(ALL, &settings.values, host.roots, host.kernel).expect("our collectors");
        let instruments = Instruments::new(true).expect("instruments");
        let requests_max = NonZeroUsize::new(1);
        let handler = Handler::new(Arc::new(scraper), instruments, Arc::clone(&log), "/metrics", requests_max);
        let handler: Arc<dyn Handle> = Arc::new(handler);
        let listener = listen::listen("127.0.0.1:0").expect("a free port");
        let address = listener.to_string().parse().expect("an address");
        let front = Front::new(vec![listener], None).expect("a front");
        let stopper = front.stopper();
        let thread = std::thread::spawn(move || front.run(&handler, &log).expect("threads"));
        Self { address, stopper, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// CPU time of the threads with these names, or of all threads of a process without names.
fn run_time(process: u32, names: &[&str]) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("a running process");
    let of_task = |task: std::io::Result<fs::DirEntry>| {
        let task = task.ok()?.path();
        let name = fs::read_to_string(task.join("comm")).ok()?;
        let counts = names.is_empty() || names.contains(&name.trim());
        let account = fs::read_to_string(task.join("schedstat")).ok().filter(|_| counts)?;
        account.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    tasks.filter_map(of_task).sum()
}

/// CPU time of a scrape and size of its response, for each coding.
fn costs(address: SocketAddr, process: u32, names: &[&str], codings: &[&'static str]) -> BTreeMap<&'static str, Cost> {
    let mut costs: BTreeMap<&str, Cost> = BTreeMap::new();
    // The first scrape is not measured; after it, the codings are measured in turns.
    for round in 0..=SCRAPES {
        for &coding in codings {
            let before = run_time(process, names);
            let body = url(address).get_coded(coding).expect("a page").body;
            let after = run_time(process, names);
            if round > 0 {
                let cost = costs.entry(coding).or_default();
                cost.time += after.saturating_sub(before);
                cost.bytes = body.len();
            }
        }
    }
    for cost in costs.values_mut() {
        cost.time /= SCRAPES;
    }
    costs
}

fn url(address: SocketAddr) -> Url {
    Url { authority: address.to_string(), path: "/metrics".to_owned() }
}

#[derive(Default)]
struct Cost {
    time: Duration,
    bytes: usize,
}

/// The additional cost of a coding.
fn added(costs: &BTreeMap<&str, Cost>, coding: &str) -> Duration {
    costs[coding].time.saturating_sub(costs["identity"].time)
}

pub(crate) fn gzip_costs_less_than_it_costs_the_peer() {
    let peer = Peer::start(&Requirement::Peer.path(), &[]).expect("the peer starts");
    let theirs = costs(peer.address(), peer.id(), &[], &["identity", "gzip"]);
    let server = Server::start();
    let ours = costs(server.address, std::process::id(), &OURS, &["identity", "gzip", "zstd"]);
    for (who, costs) in [("theirs", &theirs), ("ours", &ours)] {
        for (coding, cost) in costs {
            let percent = 100.0 * added(costs, coding).as_secs_f64() / costs["identity"].time.as_secs_f64();
            println!("{who}, {coding}: {:?} a scrape, {percent:.0} % more, {} bytes", cost.time, cost.bytes);
        }
    }
    assert!(ours["gzip"].bytes * 4 < ours["identity"].bytes, "{} bytes", ours["gzip"].bytes);
    assert!(added(&ours, "gzip") < added(&theirs, "gzip"), "{:?}", added(&ours, "gzip"));
}
