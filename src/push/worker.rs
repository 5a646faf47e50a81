//! A target with its queue and its thread.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::kernel::clock;

use super::backoff::Backoff;
use super::batch::Identity;
use super::batch::{self, Batch};
use super::metrics::TargetMetrics;
use super::queue::{Queue, QueueOptions};
use super::source::Collected;
use super::storage::Storage;
use super::target::{Outcome, Target};
use crate::log::{Field, Log};

#[cfg(test)]
mod tests;

/// Minimum time between log lines about a failure.
const LOG_PAUSE: Duration = Duration::from_secs(60);

/// A queue over any storage.
pub(super) type AnyQueue = Queue<Box<dyn Storage>>;

/// Undelivered batches of a target.
enum Waiting {
    /// The newest pages only, with the number of their tick.
    Newest(Option<(u64, Arc<Vec<Collected>>)>),
    /// Every batch.
    All(AnyQueue),
}

struct State {
    waiting: Waiting,
    /// Number of ticks accepted.
    ticks: u64,
    /// Why the last batch was dropped for good, if one was.
    loss: Option<String>,
    is_stopping: bool,
    /// Whether nothing is accepted or sent; `None` before the first check, when nothing is either.
    is_paused: Option<bool>,
    /// Nothing waits and nothing is on its way.
    is_idle: bool,
}

/// A target, its queue, and the outcome of deliveries.
pub(super) struct Lane {
    target: Target,
    state: Mutex<State>,
    changed: Condvar,
    /// Why the last attempt failed, if it did. The status page reads it while the queue is written.
    failure: Mutex<Option<String>>,
    metrics: TargetMetrics,
    log: Arc<Log>,
    seed: u64,
}

/// The clocks of deliveries.
pub(super) trait Time {
    /// Time since 1970.
    fn now(&self) -> Duration;
    /// Time of the monotonic clock.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the system.
struct SystemTime;

impl Time for SystemTime {
    fn now(&self) -> Duration {
        clock::now()
    }

    fn monotonic(&self) -> Duration {
        clock::monotonic()
    }
}

/// State of a lane's thread that lasts from one attempt to the next.
struct Progress {
    backoff: Backoff,
    /// Time of the last log line about a failure that lasts.
    told: Option<Duration>,
    /// Minimum time between the batches of a backlog.
    spacing: Duration,
}

impl Progress {
    fn new(lane: &Lane) -> Self {
        let rate = u32::try_from(lane.target.options().requests_per_second).unwrap_or(u32::MAX);
        Self { backoff: Backoff::new(lane.seed), told: None, spacing: Duration::from_secs(1) / rate.max(1) }
    }
}

/// The batch that is being sent.
enum Shipment {
    Pages(u64, Arc<Vec<Collected>>),
    Batch(u64, Batch),
}

/// State of a target for people.
#[derive(Clone, PartialEq, Debug)]
pub struct TargetReport {
    /// Its name, without secrets.
    pub name: String,
    /// Why the last attempt failed; `None` if it did not.
    pub failure: Option<String>,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Time of the last delivery in seconds since 1970; 0 before the first one.
    pub last_success: f64,
    /// Samples delivered.
    pub samples: u64,
    /// Batches dropped, for any reason.
    pub dropped: u64,
    /// Size of the queue in bytes.
    pub queue_bytes: i64,
}

impl Lane {
    pub(super) fn new(
        target: Target,
        queue: Option<AnyQueue>,
        metrics: TargetMetrics,
        log: Arc<Log>,
        seed: u64,
    ) -> Self {
        let waiting = queue.map_or(Waiting::Newest(None), Waiting::All);
        let is_paused = (!target.can_be_paused()).then_some(false);
        let state = State { waiting, ticks: 0, loss: None, is_stopping: false, is_paused, is_idle: false };
        let (state, failure) = (Mutex::new(state), Mutex::default());
        Self { target, state, changed: Condvar::new(), failure, metrics, log, seed }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether the target is paused. While it is, nothing is accepted or sent.
    pub(super) fn pause_while(&self, is_paused: bool) {
        let mut state = self.lock();
        if state.is_paused.unwrap_or(false) != is_paused {
            let message = if is_paused { "The target is paused" } else { "The target is no longer paused" };
            self.log.info(message, &[("target", Field::Text(&self.target.name()))]);
        }
        state.is_paused = Some(is_paused);
        self.metrics.paused.set(i64::from(is_paused));
        self.changed.notify_all();
    }

    /// Hands over a tick.
    pub(super) fn accept(&self, tick: &Arc<Vec<Collected>>) {
        let mut state = self.lock();
        let State { waiting, ticks, loss, is_paused, .. } = &mut *state;
        if *is_paused != Some(false) {
            return;
        }
        match waiting {
            Waiting::Newest(newest) => {
                // Stale markers alone are no page.
                if tick.iter().flat_map(|page| &page.batches).any(|batch| !batch.is_stale()) {
                    *ticks += 1;
                    *newest = Some((*ticks, Arc::clone(tick)));
                }
            }
            Waiting::All(queue) => {
                for page in tick.iter() {
                    let labels = self.target.labels(&page.identity);
                    let is_wanted = |batch: &&Batch| self.target.takes_stale_markers() || !batch.is_stale();
                    for batch in page.batches.iter().filter(is_wanted) {
                        let batch = Batch { text: batch::with_labels(&batch.text, &labels), ..*batch };
                        if let Err(error) = queue.append(&batch.to_record()) {
                            self.metrics.dropped_unwritten.inc();
                            self.tell("A batch could not be queued", &error.to_string());
                            *loss = Some(format!("the queue could not be written: {error}"));
                        }
                    }
                }
                self.show(queue);
            }
        }
        state.is_idle = false;
        self.changed.notify_all();
    }

    fn show(&self, queue: &AnyQueue) {
        let set = |counter: &prometheus::IntCounter, count: u64| counter.inc_by(count.saturating_sub(counter.get()));
        set(&self.metrics.dropped_full, queue.counts().dropped_full);
        set(&self.metrics.dropped_damaged, queue.counts().damaged);
        self.metrics.queue_bytes.set(i64::try_from(queue.bytes()).unwrap_or(i64::MAX));
    }

    fn tell(&self, message: &str, error: &str) {
        self.log.warn(message, &[("target", Field::Text(&self.target.name())), ("err", Field::Text(&error))]);
    }

    /// Delivers until it is told to stop.
    pub(super) fn run(&self) {
        if self.target.can_be_paused() {
            // A standby does not send the backlog of an earlier run either.
            self.pause_while(self.target.is_paused());
        }
        let mut progress = Progress::new(self);
        while let Some(shipment) = self.next() {
            let pause = self.attempt(&shipment, &mut progress, &SystemTime);
            self.pause(pause);
        }
    }

    /// Sends a shipment once. Returns the pause before the next attempt.
    fn attempt(&self, shipment: &Shipment, progress: &mut Progress, time: &dyn Time) -> Duration {
        let begin = time.monotonic();
        let outcome = match shipment {
            Shipment::Pages(_, pages) => self.target.deliver_pages(pages, time.now()),
            Shipment::Batch(_, batch) => self.target.deliver(batch, time.now()),
        };
        let took = time.monotonic().saturating_sub(begin);
        self.metrics.duration.set(took.as_secs_f64());
        match outcome {
            Outcome::Delivered(bytes) | Outcome::Partial(bytes, _) => {
                self.metrics.samples.inc_by(shipment.samples() as u64);
                self.metrics.bytes.inc_by(bytes);
                self.metrics.last_success.set(time.now().as_secs_f64());
                if progress.told.take().is_some() {
                    self.log.info("The target takes samples again", &[("target", Field::Text(&self.target.name()))]);
                }
                *self.failure() = None;
                if let Outcome::Partial(_, error) = outcome {
                    self.lose("The target did not write all samples of a batch", error);
                }
            }
            Outcome::Refused(error) => self.lose("The target refused a batch, which is dropped", error),
            Outcome::Retry(error, asked) => {
                self.metrics.retries.inc();
                if progress.told.is_none_or(|told| begin.saturating_sub(told) >= LOG_PAUSE) {
                    self.tell("The target does not take samples; they wait", &error);
                    progress.told = Some(begin);
                }
                *self.failure() = Some(error);
                return progress.backoff.next(asked);
            }
        }
        progress.backoff.reset();
        if self.done(shipment) { progress.spacing.saturating_sub(took) } else { Duration::ZERO }
    }

    /// Counts a batch that the target did not take as a whole, and tells why.
    fn lose(&self, message: &str, error: String) {
        self.metrics.dropped_refused.inc();
        self.tell(message, &error);
        self.lock().loss = Some(format!("refused: {error}"));
        *self.failure() = Some(error);
    }

    /// Waits for the next batch to send. `None` when the lane stops.
    fn next(&self) -> Option<Shipment> {
        let mut state = self.lock();
        loop {
            if state.is_stopping {
                return None;
            }
            match self.poll(&mut state) {
                Ok(Some(shipment)) => return Some(shipment),
                Ok(None) => {
                    state.is_idle = true;
                    self.changed.notify_all();
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Err(error) => {
                    self.tell("The queue could not be read", &error.to_string());
                    state = self
                        .changed
                        .wait_timeout(state, LOG_PAUSE)
                        .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
                }
            }
        }
    }

    /// The next batch to send, if there is one.
    fn poll(&self, state: &mut State) -> io::Result<Option<Shipment>> {
        if state.is_paused != Some(false) {
            return Ok(None);
        }
        match &mut state.waiting {
            Waiting::Newest(newest) => {
                if let Some((number, pages)) = newest {
                    let timestamp = pages.iter().flat_map(|page| &page.batches).map(|batch| batch.timestamp).min();
                    self.metrics.oldest.set(seconds(timestamp.unwrap_or_default()));
                    return Ok(Some(Shipment::Pages(*number, Arc::clone(pages))));
                }
            }
            Waiting::All(queue) => {
                while let Some((id, batch)) = next_batch(queue)? {
                    if let Some(batch) = batch {
                        self.metrics.oldest.set(seconds(batch.timestamp));
                        return Ok(Some(Shipment::Batch(id, batch)));
                    }
                    self.metrics.dropped_damaged.inc();
                    _ = queue.delivered(id);
                }
            }
        }
        self.metrics.oldest.set(0.0);
        Ok(None)
    }

    /// Removes a delivered shipment. Returns whether others may be left.
    fn done(&self, shipment: &Shipment) -> bool {
        let mut state = self.lock();
        match (&mut state.waiting, shipment) {
            // Newer pages may have come in the meantime.
            (Waiting::Newest(newest), Shipment::Pages(number, _)) => {
                newest.take_if(|(newest, _)| newest == number);
                false
            }
            (Waiting::All(queue), Shipment::Batch(id, _)) => {
                if let Err(error) = queue.delivered(*id) {
                    self.tell(
                        "The position of the queue could not be written; a restart sends a batch again",
                        &error.to_string(),
                    );
                }
                self.show(queue);
                true
            }
            _ => false,
        }
    }

    fn pause(&self, time: Duration) {
        if !time.is_zero() {
            let state = self.lock();
            drop(self.changed.wait_timeout_while(state, time, |state| !state.is_stopping));
        }
    }

    /// Waits until nothing waits any more. The error says why not everything arrived.
    pub(super) fn drained_within(&self, time: Duration) -> Result<(), String> {
        let state = self.lock();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| !state.is_idle && !state.is_stopping)
            .unwrap_or_else(PoisonError::into_inner);
        match (&state.loss, &*self.failure()) {
            (Some(loss), _) => Err(format!("{}: {loss}", self.target.name())),
            (None, _) if state.is_idle => Ok(()),
            (None, Some(failure)) => Err(format!("{}: no delivery in time: {failure}", self.target.name())),
            (None, None) => Err(format!("{}: no delivery in time", self.target.name())),
        }
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopping = true;
        self.changed.notify_all();
    }

    /// Deletes what the target has of this exporter, if its options ask for it.
    pub(super) fn delete<'a>(&self, identities: impl Iterator<Item = &'a Identity>) {
        if let Err(error) = self.target.delete(identities) {
            self.tell("The group could not be deleted", &error);
        }
    }

    /// Takes over what waits in a lane of the same name whose thread has ended.
    pub(super) fn succeed(&self, before: &Self, limits: QueueOptions) {
        let (waiting, ticks) = before.take_waiting();
        let mut state = self.lock();
        state.ticks = ticks;
        match (&mut state.waiting, waiting) {
            (own @ Waiting::All(_), Waiting::All(mut queue)) => {
                queue.limit(limits);
                self.show(&queue);
                *own = Waiting::All(queue);
            }
            (own @ Waiting::Newest(_), waiting @ Waiting::Newest(_)) => *own = waiting,
            // The kind of the target changed: what waits on disk stays there.
            (Waiting::All(_), Waiting::Newest(_)) => {}
            (Waiting::Newest(_), Waiting::All(_)) => self.metrics.queue_bytes.set(0),
        }
        state.is_idle = false;
        drop(state);
        self.changed.notify_all();
    }

    /// Closes the queue of a target that is removed, so that another one of its name can open it at once.
    pub(super) fn give_up(&self, is_on_disk: bool) {
        let name = self.target.name();
        match self.take_waiting().0 {
            Waiting::All(queue) if queue.bytes() > 0 && !is_on_disk => {
                let fields = [("target", Field::Text(&name)), ("bytes", Field::Text(&queue.bytes()))];
                self.log.warn("No longer pushing to; what waited in memory is lost", &fields);
            }
            _ => self.log.info("No longer pushing to", &[("target", Field::Text(&name))]),
        }
    }

    fn take_waiting(&self) -> (Waiting, u64) {
        let mut state = self.lock();
        (std::mem::replace(&mut state.waiting, Waiting::Newest(None)), state.ticks)
    }

    /// State of the target. Waits for nothing but a moment.
    pub(super) fn report(&self) -> TargetReport {
        TargetReport {
            name: self.target.name().to_owned(),
            failure: self.failure().clone(),
            is_paused: self.metrics.paused.get() != 0,
            last_success: self.metrics.last_success.get(),
            samples: self.metrics.samples.get(),
            dropped: self.metrics.dropped(),
            queue_bytes: self.metrics.queue_bytes.get(),
        }
    }
}

impl Shipment {
    fn samples(&self) -> usize {
        match self {
            Self::Pages(_, pages) => pages.iter().flat_map(|page| &page.batches).map(Batch::samples).sum(),
            Self::Batch(_, batch) => batch.samples(),
        }
    }
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

/// Id and content of the oldest batch; no content where another version wrote the record.
fn next_batch(queue: &mut AnyQueue) -> io::Result<Option<(u64, Option<Batch>)>> {
    Ok(queue.peek()?.map(|record| (record.id, Batch::of_record(record.payload))))
}
