//! Pushing samples: on a schedule, to targets that may be away, through a queue that survives crashes.
//!
//! A tick collects the page of each [`source`] and turns it into [`batch::Batch`]es. Each [`target::Target`] has a queue
//! and a thread of its own (`worker`), so that a target that hangs delays no other and no scrape.

pub mod backoff;
pub mod batch;
pub mod checksum;
pub mod client;
pub mod cron;
pub mod library;
pub mod metrics;
pub mod page;
pub mod queue;
pub mod remote_write;
pub mod schedule;
pub mod source;
pub mod storage;
pub mod target;
#[cfg(feature = "tls")]
mod trust;
mod worker;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use collectors::host::kernel::clock;

use crate::flags::Push;
use crate::instruments::Instruments;
use crate::log::{Field, Log};
use batch::Families;
use client::Client;
use cron::Cron;
use metrics::PushMetrics;
use queue::{Queue, QueueOptions, SyncPolicy, segment_bytes};
use schedule::{Next, Schedule, Ticker, Timing};
use source::{Collect, Collected, Origin, ScrapedPage, Source};
use storage::{Directory, Memory, Storage};
use target::Target;
pub use worker::TargetReport;
use worker::{AnyQueue, Lane};

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

/// Compresses by zstd, where the build has it.
#[cfg(feature = "compression")]
fn zstd(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packed = vec![0; zstd_safe::compress_bound(bytes.len())];
    let length = zstd_safe::compress(packed.as_mut_slice(), bytes, 1).ok()?;
    packed.truncate(length);
    Some(packed)
}

#[cfg(not(feature = "compression"))]
fn zstd(_: &[u8]) -> Option<Vec<u8>> {
    None
}

/// Size of a queue in memory.
const MEMORY_MAX_BYTES: u64 = 4 << 20;
/// How long a stop waits for batches that are on their way.
const STOP: Duration = Duration::from_secs(3);

/// A target's lane with its thread.
struct Handle {
    lane: Arc<Lane>,
    thread: JoinHandle<()>,
}

/// The context of a tick. A reload of the configuration replaces parts of it between two ticks.
struct Work {
    lanes: Vec<Handle>,
    sources: Vec<Source>,
    settings: Push,
}

struct Shared {
    work: Mutex<Work>,
    /// The lanes of `work`, for the status page.
    shown: Mutex<Vec<Arc<Lane>>>,
    control: Mutex<Control>,
    changed: Condvar,
    metrics: PushMetrics,
    host: String,
    log: Arc<Log>,
}

/// Messages to the thread of the ticks.
#[derive(Default)]
struct Control {
    is_stopping: bool,
    schedule: Option<Schedule>,
}

/// Pushes until it is stopped.
pub struct Pusher {
    shared: Arc<Shared>,
    ticks: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Pusher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pusher").field("host", &self.shared.host).finish_non_exhaustive()
    }
}

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Pusher {
    /// Opens the queues and starts a thread for each target. `host` names this host.
    pub fn start(
        settings: Push,
        host: &str,
        collect: Collect,
        instruments: &Instruments,
        log: &Arc<Log>,
    ) -> Result<Self, String> {
        let metrics = PushMetrics::new(instruments).map_err(|error| error.to_string())?;
        schedule_of(&settings, host)?;
        let work = Work { lanes: Vec::new(), sources: sources_of(&settings, host, collect)?, settings };
        let shared = Arc::new(Shared {
            work: Mutex::new(work),
            shown: Mutex::default(),
            control: Mutex::default(),
            changed: Condvar::new(),
            metrics,
            host: host.to_owned(),
            log: Arc::clone(log),
        });
        let mut work = shared.work();
        for options in work.settings.targets.clone() {
            let target = Target::new(options, work.settings.timeout)?;
            let queue = if target.takes_newest_only() { None } else { Some(open_queue(&work.settings, &target)?) };
            let handle = shared.start_lane(target, queue)?;
            work.lanes.push(handle);
        }
        shared.show(&work.lanes);
        drop(work);
        Ok(Self { shared, ticks: None })
    }

    /// Collects and hands over at every tick, in a thread of its own.
    pub fn tick(&mut self) -> Result<(), String> {
        let schedule = schedule_of(&self.shared.work().settings, &self.shared.host)?;
        let shared = Arc::clone(&self.shared);
        self.ticks = Some(spawn("push-tick", move || shared.run(schedule))?);
        Ok(())
    }

    /// Collects once and waits for the deliveries. The error names the targets that did not take everything.
    pub fn once(&self) -> Result<(), String> {
        self.shared.collect(millis(clock::now()));
        let work = self.shared.work();
        let end = clock::monotonic() + work.settings.timeout * 3;
        let failed: Vec<String> = work
            .lanes
            .iter()
            .filter_map(|handle| handle.lane.drained_within(end.saturating_sub(clock::monotonic())).err())
            .collect();
        match failed.len() {
            0 => Ok(()),
            count => {
                Err(format!("{count} of {} targets did not take all samples: {}", work.lanes.len(), failed.join("; ")))
            }
        }
    }

    /// Applies other settings. What waits stays with its target, and no tick is left out. On an error nothing changes.
    pub fn reload(&self, settings: Push, collect: Collect) -> Result<(), String> {
        let shared = &self.shared;
        let schedule = schedule_of(&settings, &shared.host)?;
        let mut sources = sources_of(&settings, &shared.host, collect)?;
        let before = shared.work().settings.clone();
        let is_kept = |name: &str| {
            let of = |settings: &Push| settings.targets.iter().find(|target| target.name == name).cloned();
            let is_same = |options| of(&before).is_some_and(|before| before == options);
            before.timeout == settings.timeout
                && before.queue_max_bytes == settings.queue_max_bytes
                && of(&settings).is_some_and(is_same)
        };
        let mut targets = Vec::new();
        for options in settings.targets.iter().filter(|options| !is_kept(&options.name)) {
            targets.push(Target::new(options.clone(), settings.timeout)?);
        }
        // Queues of new targets are opened before anything is stopped: opening is what can fail.
        let mut queues: Vec<Option<AnyQueue>> = Vec::new();
        for target in &targets {
            let is_new = !before.targets.iter().any(|other| other.name == target.name());
            let queue = (is_new && !target.takes_newest_only()).then(|| open_queue(&settings, target)).transpose()?;
            queues.push(queue);
        }
        // Ticks go on while threads end: what they bring waits in the queues.
        let (mut kept, mut ending): (Vec<_>, Vec<_>) =
            shared.work().lanes.drain(..).partition(|handle| is_kept(handle.lane.target().name()));
        for handle in &ending {
            handle.lane.stop();
        }
        let mut ended = Vec::new();
        for handle in ending.drain(..) {
            // The thread of a target that hangs ends with its request.
            drop(handle.thread.join());
            ended.push(handle.lane);
        }
        let mut work = shared.work();
        for (target, queue) in targets.into_iter().zip(queues) {
            let predecessor = ended.iter().find(|lane| lane.target().name() == target.name());
            let queue = queue.or_else(|| predecessor.and_then(|lane| lane.take_queue())).or_else(|| {
                // A target that kept the newest page only becomes one with a queue.
                (!target.takes_newest_only()).then(|| open_queue(&settings, &target).ok()).flatten()
            });
            kept.push(shared.start_lane(target, queue)?);
        }
        for lane in ended {
            let name = lane.target().name();
            if !settings.targets.iter().any(|target| target.name == name) {
                shared.metrics.forget(name);
                shared.log.info("No longer pushing to", &[("target", Field::Text(&name))]);
            }
        }
        let mut gone = Vec::new();
        for before in work.sources.drain(..) {
            match sources.iter_mut().find(|source| source.identity() == before.identity()) {
                Some(source) => source.succeed(before),
                None => gone.push(before),
            }
        }
        work.lanes.append(&mut kept);
        shared.show(&work.lanes);
        work.sources = sources;
        work.settings = settings;
        let now = millis(clock::now());
        let markers: Arc<Vec<Collected>> = Arc::new(gone.iter_mut().map(|source| source.end(now)).collect());
        work.lanes.iter().for_each(|handle| handle.lane.accept(&markers));
        drop(work);
        shared.control().schedule = Some(schedule);
        shared.changed.notify_all();
        Ok(())
    }

    /// Tells the state of each target. Does not wait for a tick that runs.
    pub fn reporter(&self) -> impl Fn() -> Vec<TargetReport> + Send + Sync + use<> {
        let shared = Arc::clone(&self.shared);
        move || {
            let lanes = shared.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
            lanes.iter().map(|lane| lane.report()).collect()
        }
    }

    /// Stops collecting, marks the series as ended and waits a short time for deliveries. What is left stays queued.
    pub fn stop(self) {
        self.shared.control().is_stopping = true;
        self.shared.changed.notify_all();
        let mut work = self.shared.work();
        if !work.settings.is_once {
            let now = millis(clock::now());
            let markers = Arc::new(work.sources.iter_mut().map(|source| source.end(now)).collect());
            work.lanes.iter().for_each(|handle| handle.lane.accept(&markers));
        }
        let end = clock::monotonic() + STOP;
        for handle in &work.lanes {
            // Samples that no target takes in this time wait in the queue on disk.
            _ = handle.lane.drained_within(end.saturating_sub(clock::monotonic()));
            handle.lane.stop();
            handle.lane.delete(work.sources.iter().map(|source| source.identity().as_ref()));
        }
        // A thread that is in the middle of a request ends with the process.
    }
}

impl Shared {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, lanes: &[Handle]) {
        let lanes = lanes.iter().map(|handle| Arc::clone(&handle.lane)).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = lanes;
    }

    fn start_lane(&self, target: Target, queue: Option<AnyQueue>) -> Result<Handle, String> {
        let seed = hash(self.host.as_bytes()) ^ hash(target.name().as_bytes());
        let series = self.metrics.of(target.name());
        self.log.info("Pushing to", &[("target", Field::Text(&target.name()))]);
        let lane = Arc::new(Lane::new(target, queue, series, Arc::clone(&self.log), seed));
        let running = Arc::clone(&lane);
        Ok(Handle { lane, thread: spawn("push", move || running.run())? })
    }

    /// Collects at every tick until it is told to stop.
    fn run(&self, schedule: Schedule) {
        let mut ticker = Ticker::new(schedule, clock::now(), clock::monotonic());
        loop {
            let next = ticker.look(clock::now(), clock::monotonic());
            let mut control = self.control();
            if let Next::Wait(time) = next {
                let is_quiet = |control: &mut Control| !control.is_stopping && control.schedule.is_none();
                control =
                    self.changed.wait_timeout_while(control, time, is_quiet).unwrap_or_else(PoisonError::into_inner).0;
            }
            if control.is_stopping {
                return;
            }
            if let Some(schedule) = control.schedule.take() {
                ticker.change(schedule, clock::now());
                continue;
            }
            drop(control);
            if next == Next::Collect {
                self.collect(millis(clock::now()));
                ticker.collected(clock::now(), clock::monotonic());
            }
            let (missed, steps) = ticker.take_counts();
            self.metrics.missed_ticks.inc_by(missed);
            self.metrics.clock_steps.inc_by(steps);
        }
    }

    /// Collects once, for all targets.
    fn collect(&self, timestamp: i64) {
        let mut work = self.work();
        let Work { lanes, sources, .. } = &mut *work;
        if lanes.is_empty() {
            return;
        }
        let (pages, ()) = std::thread::scope(|scope| {
            // Other exporters and the checks of paused targets are asked at the same time: each may take its timeout.
            let others: Vec<_> = sources.iter().skip(1).map(|source| scope.spawn(|| source.page())).collect();
            let checks: Vec<_> = lanes
                .iter()
                .filter(|handle| handle.lane.target().has_pause_check())
                .map(|handle| scope.spawn(|| handle.lane.pause_while(handle.lane.target().is_paused())))
                .collect();
            for handle in lanes.iter().filter(|handle| !handle.lane.target().has_pause_check()) {
                if handle.lane.target().options().pause_file.is_some() {
                    handle.lane.pause_while(handle.lane.target().is_paused());
                }
            }
            let own = sources.first().map(Source::page);
            let others = others.into_iter().map(|page| page.join().unwrap_or_default());
            let pages: Vec<String> = own.into_iter().chain(others).collect();
            (pages, checks.into_iter().for_each(|check| drop(check.join())))
        });
        let mut tick = Vec::with_capacity(pages.len());
        for (source, page) in sources.iter_mut().zip(&pages) {
            let (collected, broken) = source.batches(page, timestamp);
            if broken > 0 {
                let fields = [("lines", Field::Text(&broken)), ("instance", Field::Text(&collected.identity.instance))];
                self.log.warn("Lines of the page could not be read and are not pushed", &fields);
            }
            tick.push(collected);
        }
        let tick = Arc::new(tick);
        for handle in lanes.iter() {
            handle.lane.accept(&tick);
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, String> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|error| format!("a thread for pushing: {error}"))
}

/// The schedule of the settings on a host.
fn schedule_of(settings: &Push, host: &str) -> Result<Schedule, String> {
    let timing = match &settings.cron {
        None => Timing::Every(settings.interval),
        Some(expression) => {
            let cron = Cron::parse(expression).map_err(|error| format!("--push.cron: {error}"))?;
            let zone = if settings.is_local_time {
                cron::host_zone().map_err(|error| format!("--push.time-zone: {error}"))?
            } else {
                cron::utc()
            };
            Timing::Cron(Box::new(cron), zone)
        }
    };
    Ok(Schedule::new(timing, settings.spread, settings.jitter, host))
}

/// The sources of the settings; the exporter's own page is the first.
fn sources_of(settings: &Push, host: &str, collect: Collect) -> Result<Vec<Source>, String> {
    let families = Families { keep: settings.keep.clone(), drop: settings.drop.clone() };
    let instance = if settings.instance.is_empty() { host } else { &settings.instance };
    let source = |origin| Source::new(origin, &settings.job, instance, &settings.labels, &families);
    let mut sources = vec![source(Origin::Own(collect))];
    let client = Client::new(settings.timeout);
    for text in &settings.scrapes {
        let page = ScrapedPage::parse(text, &settings.job).map_err(|error| format!("--push.scrape: {error}"))?;
        let other = source(Origin::Other(page, client.clone()));
        if sources.iter().any(|known| known.identity() == other.identity()) {
            return Err(format!("--push.scrape: `{text}` has the job and instance of another page"));
        }
        sources.push(other);
    }
    Ok(sources)
}

fn open_queue(settings: &Push, target: &Target) -> Result<AnyQueue, String> {
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
    format!("{plain}-{:08x}", hash(name.as_bytes()) >> 32)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_folders_of_their_own() {
        let [one, two] = ["import=http://a/b", "import=http://a-b"].map(folder);
        assert_ne!(one, two);
        assert!(one.starts_with("import-http---a-b-"), "{one}");
    }
}
