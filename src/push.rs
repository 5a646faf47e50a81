//! Pushing samples: on a schedule, to targets that may be away, through a queue that survives crashes.
//!
//! A tick collects the page of each [`source`] and turns it into [`batch::Batch`]es. Each [`target::Target`] has a queue
//! and a thread of its own (`worker`), so that a target that hangs delays no other and no scrape.

pub mod backoff;
pub mod batch;
pub mod checksum;
pub mod client;
pub mod cron;
#[cfg(test)]
mod figures;
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
use crate::target::TargetOptions;
use batch::{Families, Identity};
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

/// The fastest level of gzip that compresses: the level `fastest` of the crate is 0, which does not.
#[cfg(feature = "compression")]
const GZIP_LEVEL: i32 = 1;

/// Compresses by gzip, where the build has it.
#[cfg(feature = "compression")]
fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let level = libdeflater::CompressionLvl::new(GZIP_LEVEL).unwrap_or_default();
    let mut compressor = libdeflater::Compressor::new(level);
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
    /// `None` before [`Pusher::begin`] and after the end.
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    /// Starts the thread.
    fn begin(&mut self) -> Result<(), String> {
        let running = Arc::clone(&self.lane);
        self.thread = Some(spawn("push", move || running.run())?);
        Ok(())
    }

    fn name(&self) -> &str {
        self.lane.target().name()
    }
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
    /// Whether the threads of the lanes were started, so that a reload starts those of its lanes too.
    is_running: bool,
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
    /// A pusher with these settings, but without targets.
    fn new(settings: &Push, host: &str, instruments: &Instruments, log: &Arc<Log>) -> Result<Self, String> {
        let metrics = PushMetrics::new(instruments).map_err(|error| error.to_string())?;
        let settings = Push { targets: Vec::new(), ..settings.clone() };
        let shared = Arc::new(Shared {
            work: Mutex::new(Work { lanes: Vec::new(), sources: Vec::new(), settings }),
            shown: Mutex::default(),
            control: Mutex::default(),
            changed: Condvar::new(),
            metrics,
            host: host.to_owned(),
            log: Arc::clone(log),
        });
        Ok(Self { shared, is_running: false, ticks: None })
    }

    /// Opens the queues of the targets. `host` names this host. [`Pusher::tick`] starts the threads.
    pub fn open(
        settings: Push,
        host: &str,
        collect: Collect,
        instruments: &Instruments,
        log: &Arc<Log>,
    ) -> Result<Self, String> {
        let mut pusher = Self::new(&settings, host, instruments, log)?;
        pusher.reload(settings, collect)?;
        Ok(pusher)
    }

    /// A pusher that waits for a reload to bring targets.
    pub fn idle(settings: &Push, host: &str, instruments: &Instruments, log: &Arc<Log>) -> Result<Self, String> {
        Ok(Self { is_running: true, ..Self::new(settings, host, instruments, log)? })
    }

    /// Starts the threads of the lanes.
    fn begin(&mut self) -> Result<(), String> {
        if !self.is_running {
            self.shared.work().lanes.iter_mut().try_for_each(Handle::begin)?;
            self.is_running = true;
        }
        Ok(())
    }

    /// Collects and hands over at every tick, in a thread of its own.
    pub fn tick(&mut self) -> Result<(), String> {
        self.begin()?;
        let schedule = schedule_of(&self.shared.work().settings, &self.shared.host)?;
        let shared = Arc::clone(&self.shared);
        self.ticks = Some(spawn("push-tick", move || shared.run(schedule))?);
        Ok(())
    }

    /// Collects once and waits for the deliveries. The error names the targets that did not take everything.
    pub fn once(&mut self) -> Result<(), String> {
        self.begin()?;
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
    pub fn reload(&mut self, settings: Push, collect: Collect) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        let schedule = schedule_of(&settings, &shared.host)?;
        let mut sources = sources_of(&settings, &shared.host, collect)?;
        let before = shared.work().settings.clone();
        let find = |settings: &Push, name: &str| settings.targets.iter().find(|target| target.name == name).cloned();
        let is_kept = |name: &str| {
            before.timeout == settings.timeout
                && before.queue_max_bytes == settings.queue_max_bytes
                && find(&settings, name).is_some_and(|options| find(&before, name) == Some(options))
        };
        // All that can fail comes first: certificates, queues and threads. The threads have nothing to send yet.
        let mut fresh: Vec<Handle> = Vec::new();
        let changed = settings.targets.iter().filter(|options| !is_kept(&options.name));
        let prepared = changed.cloned().try_for_each(|options| {
            fresh.push(self.prepare(options, &settings)?);
            Ok(())
        });
        let prepared = prepared.and_then(|()| {
            let is_needed = self.is_running && self.ticks.is_none() && !settings.targets.is_empty();
            if is_needed { self.tick() } else { Ok(()) }
        });
        if let Err(error) = prepared {
            for handle in &fresh {
                handle.lane.stop();
                if find(&before, handle.name()).is_none() {
                    shared.metrics.forget(handle.name());
                }
            }
            fresh.into_iter().filter_map(|handle| handle.thread).for_each(|thread| drop(thread.join()));
            return Err(error);
        }
        // The replaced lanes still take ticks while their threads end: what a tick brings goes over with the queue.
        let ending: Vec<JoinHandle<()>> = {
            let mut work = shared.work();
            let replaced = work.lanes.iter_mut().filter(|handle| !is_kept(handle.name()));
            replaced.inspect(|handle| handle.lane.stop()).filter_map(|handle| handle.thread.take()).collect()
        };
        // The thread of a target that hangs ends with its request.
        for thread in ending {
            drop(thread.join());
        }
        let mut work = shared.work();
        let (mut lanes, ended): (Vec<_>, Vec<_>) = work.lanes.drain(..).partition(|handle| is_kept(handle.name()));
        for Handle { lane, .. } in &ended {
            if let Some(successor) = fresh.iter().find(|handle| handle.name() == lane.target().name()) {
                successor.lane.succeed(lane, limits_of(&settings));
            } else {
                lane.give_up(settings.queue.is_some());
                shared.metrics.forget(lane.target().name());
            }
        }
        for handle in &fresh {
            shared.log.info("Pushing to", &[("target", Field::Text(&handle.name()))]);
        }
        lanes.append(&mut fresh);
        let mut gone = Vec::new();
        for before in work.sources.drain(..) {
            match sources.iter_mut().find(|source| source.identity() == before.identity()) {
                Some(source) => source.succeed(before),
                None => gone.push(before),
            }
        }
        work.lanes = lanes;
        shared.show(&work.lanes);
        work.sources = sources;
        work.settings = settings;
        shared.warn_of_orphans(&work.settings);
        let now = millis(clock::now());
        let markers: Arc<Vec<Collected>> = Arc::new(gone.iter_mut().map(|source| source.end(now)).collect());
        work.lanes.iter().for_each(|handle| handle.lane.accept(&markers));
        drop(work);
        shared.control().schedule = Some(schedule);
        shared.changed.notify_all();
        Ok(())
    }

    /// A lane for a new or changed target, with a queue unless it inherits one, and with its thread.
    fn prepare(&self, options: TargetOptions, settings: &Push) -> Result<Handle, String> {
        let shared = &self.shared;
        let target = Target::new(options, settings.timeout)?;
        let inherits = shared
            .work()
            .lanes
            .iter()
            .any(|handle| handle.name() == target.name() && !handle.lane.target().takes_newest_only());
        let queue = if target.takes_newest_only() {
            None
        } else if inherits {
            Some(memory_queue()?)
        } else {
            Some(open_queue(settings, &target)?)
        };
        let seed = hash(shared.host.as_bytes()) ^ hash(target.name().as_bytes());
        let series = shared.metrics.of(target.name());
        let lane = Arc::new(Lane::new(target, queue, series, Arc::clone(&shared.log), seed));
        let mut handle = Handle { lane, thread: None };
        if self.is_running {
            handle.begin()?;
        }
        Ok(handle)
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

    /// Logs queues that hold samples and belong to no target, such as those of a target that got another address.
    fn warn_of_orphans(&self, settings: &Push) {
        let Some(path) = &settings.queue else { return };
        let known: Vec<String> = settings.targets.iter().map(|target| folder(&target.name)).collect();
        for orphan in storage::queues_below(path).into_iter().filter(|queue| !known.contains(&queue.folder)) {
            let fields = [
                ("folder", Field::Text(&orphan.folder)),
                ("bytes", Field::Text(&orphan.bytes)),
                ("name", Field::Text(&orphan.target)),
            ];
            let message = "Samples wait in a queue of no target; they are sent when a target has its name";
            self.log.warn(message, &fields);
        }
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
        // After the markers of a stop no sample follows.
        if work.lanes.is_empty() || self.control().is_stopping {
            return;
        }
        let Work { lanes, sources, .. } = &mut *work;
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
    for text in &settings.scrapes {
        let page = ScrapedPage::parse(text, &settings.job).map_err(|error| format!("--push.scrape: {error}"))?;
        let client = Client::new(settings.timeout).map_err(|error| format!("--push.scrape: {error}"))?;
        let other = source(Origin::Other(page, client));
        if sources.iter().any(|known| known.identity() == other.identity()) {
            let Identity { job, instance, .. } = other.identity().as_ref();
            return Err(format!("--push.scrape: a second page of job {job} and instance {instance}"));
        }
        sources.push(other);
    }
    Ok(sources)
}

/// Limits of a queue: on disk those of the settings, in memory fixed ones.
fn limits_of(settings: &Push) -> QueueOptions {
    let (max_bytes, sync) = match &settings.queue {
        None => (MEMORY_MAX_BYTES, SyncPolicy::Never),
        Some(_) => (settings.queue_max_bytes, SyncPolicy::Always),
    };
    QueueOptions { max_bytes, segment_bytes: segment_bytes(max_bytes), sync }
}

fn open_queue(settings: &Push, target: &Target) -> Result<AnyQueue, String> {
    let storage: Box<dyn Storage> = match &settings.queue {
        None => return memory_queue(),
        Some(path) => {
            let path = path.join(folder(target.name()));
            let storage = Directory::open(&path, target.name());
            Box::new(storage.map_err(|error| format!("--push.queue: {}: {error}", path.display()))?)
        }
    };
    let now = clock::now();
    let salt = now.subsec_nanos() ^ u32::try_from(now.as_secs() & 0xffff_ffff).unwrap_or_default();
    Queue::open(storage, limits_of(settings), salt).map_err(|error| format!("--push.queue: {}: {error}", target.name()))
}

fn memory_queue() -> Result<AnyQueue, String> {
    let max_bytes = MEMORY_MAX_BYTES;
    let options = QueueOptions { max_bytes, segment_bytes: segment_bytes(max_bytes), sync: SyncPolicy::Never };
    let storage: Box<dyn Storage> = Box::new(Memory::default());
    Queue::open(storage, options, 0).map_err(|error| format!("a queue in memory: {error}"))
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
