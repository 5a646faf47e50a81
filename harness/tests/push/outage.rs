//! Outages and kills: what was acknowledged arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harness::requirements::Requirement;

use crate::receiver::{Receiver, Reply};

const PATIENCE: Duration = Duration::from_secs(60);

/// Two receivers. A tick that the second one has was appended to the queues of both: the first one's comes before.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) queue: PathBuf,
    first: Receiver,
    second: Receiver,
    is_up: Arc<AtomicBool>,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_up = Arc::new(AtomicBool::new(false));
        let switch = Arc::clone(&is_up);
        let first = Receiver::start(move |_, _| Reply::status(if switch.load(Ordering::SeqCst) { 204 } else { 503 }));
        let second = Receiver::start(|_, _| Reply::status(204));
        let queue = folder.path().join("queue");
        Self { folder, queue, first, second, is_up }
    }

    pub(crate) fn set_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::SeqCst);
    }

    /// The exporter as `command` starts it: a command that takes the program and its arguments.
    pub(crate) fn start(&self, mut command: Command) -> Exporter {
        let file = self.folder.path().join("f.yml");
        let target = |name: &str, receiver: &Receiver| {
            format!("  - {{to: import, url: 'http://{}', name: {name}, compression: none}}\n", receiver.address)
        };
        let targets = [target("first", &self.first), target("second", &self.second)].concat();
        std::fs::write(&file, format!("push:\n  interval: 100ms\n  timeout: 2s\n  targets:\n{targets}")).unwrap();
        command.args(["--simulate=vm", "--collector.disable-defaults", "--collector.loadavg"]);
        command.arg(format!("--config.file={}", file.display())).arg(format!("--push.queue={}", self.queue.display()));
        let socket = self.folder.path().join("web.sock");
        command.arg(format!("--web.listen-address=unix:{}", socket.display()));
        let log = self.folder.path().join("log");
        let stderr = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        Exporter { child, socket, log }
    }

    /// Waits until the second receiver got this number of requests more.
    pub(crate) fn wait_for_ticks(&self, count: usize) {
        self.second.wait_for(self.second.received().len() + count);
    }

    pub(crate) fn requests(&self) -> usize {
        self.second.received().len()
    }

    /// Waits until the first receiver has every tick of the second one, except for `lost` of them. Checks that a
    /// tick that was sent again has the same content.
    pub(crate) fn check(&self, lost: usize) {
        let ticks = |receiver: &Receiver| {
            let mut ticks: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            for request in receiver.received() {
                let before = ticks.insert(request.target.clone(), request.body.clone());
                assert!(
                    before.is_none_or(|before| before == request.body),
                    "{} came with another body",
                    request.target
                );
            }
            ticks
        };
        let expected = ticks(&self.second);
        let begin = Instant::now();
        loop {
            let found = ticks(&self.first);
            let missing: BTreeSet<_> = expected.keys().filter(|tick| !found.contains_key(*tick)).collect();
            if missing.len() <= lost {
                println!("{} ticks, {} lost of {lost} that were counted", expected.len(), missing.len());
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{} ticks, missing: {missing:?}", expected.len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A running exporter.
pub(crate) struct Exporter {
    pub(crate) child: Child,
    socket: PathBuf,
    log: PathBuf,
}

impl Exporter {
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Batches that could not be queued for the first target; `None` before it listens.
    pub(crate) fn unwritten(&self) -> Option<usize> {
        let page = page(&self.socket)?;
        let series = "node_exporter_push_dropped_batches_total{reason=\"queue not writable\",target=\"first\"} ";
        page.lines().find_map(|line| line.strip_prefix(series)).map(|value| value.parse().unwrap())
    }

    /// Waits until this is so.
    #[track_caller]
    pub(crate) fn eventually(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < PATIENCE, "{what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it without a chance to do anything.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        _ = std::fs::remove_file(&self.socket);
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.end();
    }
}

fn page(socket: &Path) -> Option<String> {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    Some(page)
}

pub(crate) fn kills() {
    const KILLS: u64 = 50;
    let world = World::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for number in 0..KILLS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        world.set_up(random.is_multiple_of(3));
        let exporter = world.start(Command::new(Requirement::Exporter.path()));
        let before = world.requests();
        // A kill while it starts, between two ticks, in the middle of one, or while it sends.
        let begin = Instant::now();
        let is_early = number % 5 == 0;
        while !is_early && world.requests() <= before && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random % 200_000));
        exporter.kill();
    }
    assert!(world.requests() >= 40, "{} requests", world.requests());
    world.set_up(true);
    let _exporter = world.start(Command::new(Requirement::Exporter.path()));
    world.wait_for_ticks(2);
    world.check(0);
}
