//! Pushing samples: on a schedule, to targets that may be away, through a queue that survives crashes.
//!
//! A tick collects one page and turns it into [`batch::Batch`]es. Each [`target::Target`] has a queue and a thread of its
//! own (`worker`), so that a target that hangs delays no other and no scrape.

pub mod backoff;
pub mod batch;
pub mod checksum;
pub mod client;
pub mod metrics;
pub mod page;
pub mod queue;
pub mod remote_write;
pub mod storage;
pub mod target;
#[cfg(feature = "tls")]
mod trust;
mod worker;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use collectors::host::kernel::clock;

use crate::flags::Push;
use crate::instruments::Instruments;
use crate::log::{Field, Log};
use batch::{Batcher, Families};
use client::Client;
use metrics::PushMetrics;
use queue::{Queue, QueueOptions, SyncPolicy, segment_bytes};
use storage::{Directory, Memory, Storage};
use target::Target;
use worker::Lane;

/// Compresses by snappy's block format.
fn snappy(bytes: &[u8]) -> Vec<u8> {
    // The only error is an input above 4 GiB.
    snap::raw::Encoder::new().compress_vec(bytes).unwrap_or_default()
}

/// Compresses by gzip, where the build has it.
#[cfg(feature = "compression")]
fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
    let mut packed = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut packed).ok()?;
    packed.truncate(length);
    Some(packed)
}

#[cfg(not(feature = "compression"))]
fn gzip(_: &[u8]) -> Option<Vec<u8>> {
    None
}

/// Size of a queue in memory.
const MEMORY_MAX_BYTES: u64 = 4 << 20;
/// How long a stop waits for batches that are on their way.
const STOP: Duration = Duration::from_secs(3);

/// Makes the page of one tick.
pub type Collect = Arc<dyn Fn() -> String + Send + Sync>;

/// Pushes until it is stopped.
pub struct Pusher {
    lanes: Vec<Arc<Lane>>,
    threads: Vec<JoinHandle<()>>,
    is_stopping: Arc<(Mutex<bool>, Condvar)>,
    batcher: Arc<Mutex<Batcher>>,
    metrics: Arc<PushMetrics>,
    collect: Collect,
    settings: Push,
    instance: String,
    log: Arc<Log>,
}

impl std::fmt::Debug for Pusher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pusher").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Pusher {
    /// Opens the queues and starts a thread for each target. `instance` names this host.
    pub fn start(
        settings: Push,
        instance: &str,
        collect: Collect,
        instruments: &Instruments,
        log: &Arc<Log>,
    ) -> Result<Self, String> {
        let metrics = Arc::new(PushMetrics::new(instruments).map_err(|error| error.to_string())?);
        let client = Client::new(settings.timeout);
        let mut lanes = Vec::new();
        for text in &settings.targets {
            let target = Target::parse(text, instance).map_err(|error| format!("--push.to: {error}"))?;
            let queue = if target.takes_newest_only() { None } else { Some(open_queue(&settings, &target)?) };
            let seed = hash(instance) ^ hash(target.name());
            let series = metrics.of(target.name());
            log.info("Pushing to", &[("target", Field::Text(&target.name()))]);
            lanes.push(Arc::new(Lane::new(target, queue, series, client.clone(), Arc::clone(log), seed)));
        }
        let families = Families { keep: settings.keep.clone(), drop: settings.drop.clone() };
        let batcher = Arc::new(Mutex::new(Batcher::new(settings.labels.clone(), families)));
        let mut pusher = Self {
            lanes,
            threads: Vec::new(),
            is_stopping: Arc::default(),
            batcher,
            metrics,
            collect,
            settings,
            instance: instance.to_owned(),
            log: Arc::clone(log),
        };
        for lane in &pusher.lanes {
            let lane = Arc::clone(lane);
            pusher.threads.push(spawn("push", move || lane.run())?);
        }
        Ok(pusher)
    }

    /// Collects and hands over at every tick, in a thread of its own.
    pub fn tick(&mut self) -> Result<(), String> {
        let schedule =
            Schedule { interval: self.settings.interval, phase: phase(self.settings.interval, &self.instance) };
        let tick = Tick {
            lanes: self.lanes.clone(),
            is_stopping: Arc::clone(&self.is_stopping),
            batcher: Arc::clone(&self.batcher),
            metrics: Arc::clone(&self.metrics),
            collect: Arc::clone(&self.collect),
            log: Arc::clone(&self.log),
        };
        self.threads.push(spawn("push-tick", move || tick.run(&schedule))?);
        Ok(())
    }

    /// Collects once and waits for the deliveries. The error names the targets that did not take them.
    pub fn once(&self) -> Result<(), String> {
        collect_once(&self.lanes, &self.batcher, &self.collect, &self.log, millis(clock::now()));
        let end = clock::monotonic() + self.settings.timeout * 3;
        let failed: Vec<String> = self
            .lanes
            .iter()
            .filter_map(|lane| lane.drained_within(end.saturating_sub(clock::monotonic())).err())
            .collect();
        match failed.len() {
            0 => Ok(()),
            count => {
                Err(format!("{count} of {} targets did not take all samples: {}", self.lanes.len(), failed.join("; ")))
            }
        }
    }

    /// Stops collecting, marks the series as ended and waits a short time for deliveries. What is left stays queued.
    pub fn stop(self) {
        *self.is_stopping.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.is_stopping.1.notify_all();
        if !self.settings.is_once {
            let markers = self.batcher.lock().unwrap_or_else(PoisonError::into_inner).end(millis(clock::now()));
            self.lanes.iter().for_each(|lane| lane.accept(&markers));
        }
        let end = clock::monotonic() + STOP;
        for lane in &self.lanes {
            // Samples that no target takes in this time wait in the queue on disk.
            _ = lane.drained_within(end.saturating_sub(clock::monotonic()));
            lane.stop();
        }
        // A thread that is in the middle of a request ends with the process.
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, String> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|error| format!("a thread for pushing: {error}"))
}

fn open_queue(settings: &Push, target: &Target) -> Result<Queue<Box<dyn Storage>>, String> {
    let (storage, max_bytes, sync): (Box<dyn Storage>, u64, SyncPolicy) = match &settings.queue {
        None => (Box::new(Memory::default()), MEMORY_MAX_BYTES, SyncPolicy::Never),
        Some(path) => {
            let path = path.join(folder(target.name()));
            let storage =
                Directory::open(&path).map_err(|error| format!("--push.queue: {}: {error}", path.display()))?;
            (Box::new(storage), settings.queue_max_bytes, SyncPolicy::Always)
        }
    };
    let options = QueueOptions { max_bytes, segment_bytes: segment_bytes(max_bytes), sync };
    let now = clock::now();
    let salt = now.subsec_nanos() ^ u32::try_from(now.as_secs() & 0xffff_ffff).unwrap_or_default();
    Queue::open(storage, options, salt).map_err(|error| format!("--push.queue: {}: {error}", target.name()))
}

/// The folder of a target's queue: readable, and different for every target.
fn folder(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(60).collect();
    format!("{plain}-{:08x}", hash(name) >> 32)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// When ticks are.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    interval: Duration,
    phase: Duration,
}

/// Where in the interval a host pushes, so that a fleet does not push in the same second.
fn phase(interval: Duration, instance: &str) -> Duration {
    let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
    Duration::from_nanos(hash(instance) % nanos)
}

impl Schedule {
    /// The first tick after a moment.
    fn after(&self, now: Duration) -> Duration {
        let interval = self.interval.as_nanos().max(1);
        let since = now.as_nanos().saturating_sub(self.phase.as_nanos());
        let periods = if now < self.phase { 0 } else { since / interval + 1 };
        let nanos = self.phase.as_nanos() + periods * interval;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

struct Tick {
    lanes: Vec<Arc<Lane>>,
    is_stopping: Arc<(Mutex<bool>, Condvar)>,
    batcher: Arc<Mutex<Batcher>>,
    metrics: Arc<PushMetrics>,
    collect: Collect,
    log: Arc<Log>,
}

impl Tick {
    fn run(&self, schedule: &Schedule) {
        let mut at = schedule.after(clock::now());
        let mut last = Duration::ZERO;
        loop {
            let wait = at.saturating_sub(clock::now()).min(schedule.interval);
            let stopping = self.is_stopping.0.lock().unwrap_or_else(PoisonError::into_inner);
            let stopped = self.is_stopping.1.wait_timeout_while(stopping, wait, |stopping| !*stopping);
            if stopped.is_ok_and(|(stopping, _)| *stopping) {
                return;
            }
            let now = clock::now();
            if now < last {
                self.metrics.clock_steps.inc();
            }
            last = now;
            collect_once(&self.lanes, &self.batcher, &self.collect, &self.log, millis(now));
            let next = schedule.after(clock::now());
            let missed = next.saturating_sub(at).as_nanos() / schedule.interval.as_nanos().max(1);
            self.metrics.missed_ticks.inc_by(u64::try_from(missed.saturating_sub(1)).unwrap_or_default());
            at = next;
        }
    }
}

fn collect_once(lanes: &[Arc<Lane>], batcher: &Mutex<Batcher>, collect: &Collect, log: &Log, timestamp: i64) {
    let page = collect();
    let (batches, broken) = batcher.lock().unwrap_or_else(PoisonError::into_inner).batches(&page, timestamp);
    if broken > 0 {
        log.warn("Lines of the page could not be read and are not pushed", &[("lines", Field::Text(&broken))]);
    }
    for lane in lanes {
        lane.accept(&batches);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_an_interval_apart_and_hosts_differ_in_phase() {
        let interval = Duration::from_secs(30);
        let phases: std::collections::BTreeSet<u64> =
            (0..100).map(|node| phase(interval, &format!("node{node}")).as_secs()).collect();
        assert!(phases.len() > 20, "{phases:?}");
        let schedule = Schedule { interval, phase: Duration::from_secs(7) };
        for (now, next) in [(0, 7), (6, 7), (7, 37), (36, 37), (1_700_000_000, 1_700_000_017)] {
            assert_eq!(schedule.after(Duration::from_secs(now)).as_secs(), next, "after {now}");
        }
    }

    #[test]
    fn targets_have_folders_of_their_own() {
        let [one, two] = ["import=http://a/b", "import=http://a-b"].map(folder);
        assert_ne!(one, two);
        assert!(one.starts_with("import-http---a-b-"), "{one}");
    }
}
