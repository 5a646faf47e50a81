//! A target with its queue and its thread.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::kernel::clock;

use super::backoff::Backoff;
use super::batch::{self, Batch};
use super::client::Client;
use super::metrics::TargetMetrics;
use super::queue::Queue;
use super::storage::Storage;
use super::target::{Outcome, Target};
use crate::log::{Field, Log};

/// Minimum time between log lines about a failure.
const LOG_PAUSE: Duration = Duration::from_secs(60);

/// Undelivered batches of a target.
enum Waiting {
    /// The newest page only.
    Newest(Option<Batch>),
    /// Every batch.
    All(Queue<Box<dyn Storage>>),
}

struct State {
    waiting: Waiting,
    /// Reason of the last dropped batch, if any.
    loss: Option<String>,
    is_stopping: bool,
    /// Whether no batch is queued or being sent.
    is_idle: bool,
}

/// A target, its queue, and the outcome of deliveries.
pub(super) struct Lane {
    target: Target,
    state: Mutex<State>,
    changed: Condvar,
    metrics: TargetMetrics,
    client: Client,
    log: Arc<Log>,
    seed: u64,
}

impl Lane {
    pub(super) fn new(
        target: Target,
        queue: Option<Queue<Box<dyn Storage>>>,
        metrics: TargetMetrics,
        client: Client,
        log: Arc<Log>,
        seed: u64,
    ) -> Self {
        let waiting = queue.map_or(Waiting::Newest(None), Waiting::All);
        let state = State { waiting, loss: None, is_stopping: false, is_idle: false };
        Self { target, state: Mutex::new(state), changed: Condvar::new(), metrics, client, log, seed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over the batches of a tick.
    pub(super) fn accept(&self, batches: &[Batch]) {
        let mut state = self.lock();
        let State { waiting, loss, .. } = &mut *state;
        match waiting {
            Waiting::Newest(newest) => {
                let text = batch::whole(batches);
                if let Some(first) = batches.first().filter(|_| !text.is_empty()) {
                    *newest = Some(Batch { text, ..first.clone() });
                }
            }
            Waiting::All(queue) => {
                let is_wanted = |batch: &&Batch| self.target.takes_stale_markers() || !batch.is_stale();
                for batch in batches.iter().filter(is_wanted) {
                    if let Err(error) = queue.append(&batch.to_record()) {
                        self.metrics.dropped_unwritten.inc();
                        self.tell("A batch could not be queued", &error.to_string());
                        *loss = Some(format!("the queue could not be written: {error}"));
                    }
                }
                self.show(queue);
            }
        }
        state.is_idle = false;
        self.changed.notify_all();
    }

    fn show(&self, queue: &Queue<Box<dyn Storage>>) {
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
        let mut backoff = Backoff::new(self.seed);
        let mut told: Option<Duration> = None;
        while let Some((id, batch)) = self.next() {
            let begin = clock::monotonic();
            let outcome = self.target.deliver(&self.client, &batch, clock::now());
            self.metrics.duration.set(clock::monotonic().saturating_sub(begin).as_secs_f64());
            match outcome {
                Outcome::Delivered => {
                    self.metrics.samples.inc_by(batch.samples() as u64);
                    self.metrics.last_success.set(clock::now().as_secs_f64());
                    if told.take().is_some() {
                        self.log
                            .info("The target takes samples again", &[("target", Field::Text(&self.target.name()))]);
                    }
                    backoff.reset();
                    self.done(id, &batch);
                }
                Outcome::Refused(error) => {
                    self.metrics.dropped_refused.inc();
                    self.tell("The target refused a batch, which is dropped", &error);
                    self.lock().loss = Some(format!("refused: {error}"));
                    backoff.reset();
                    self.done(id, &batch);
                }
                Outcome::Retry(error, asked) => {
                    self.metrics.retries.inc();
                    if told.is_none_or(|told| begin.saturating_sub(told) >= LOG_PAUSE) {
                        self.tell("The target does not take samples; they wait", &error);
                        told = Some(begin);
                    }
                    self.pause(backoff.next(asked));
                }
            }
        }
    }

    /// The next batch; waits for one. `None` when the lane stops.
    fn next(&self) -> Option<(u64, Batch)> {
        let mut state = self.lock();
        loop {
            if state.is_stopping {
                return None;
            }
            match &mut state.waiting {
                Waiting::Newest(newest) => {
                    if let Some(batch) = newest {
                        return Some((0, batch.clone()));
                    }
                }
                Waiting::All(queue) => match next_batch(queue) {
                    Ok(Some((id, Some(batch)))) => return Some((id, batch)),
                    Ok(Some((id, None))) => {
                        self.metrics.dropped_damaged.inc();
                        _ = queue.delivered(id);
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        self.tell("The queue could not be read", &error.to_string());
                        state = self
                            .changed
                            .wait_timeout(state, LOG_PAUSE)
                            .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
                        continue;
                    }
                },
            }
            state.is_idle = true;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a batch off what waits.
    fn done(&self, id: u64, batch: &Batch) {
        let mut state = self.lock();
        match &mut state.waiting {
            // A newer page may have come in the meantime.
            Waiting::Newest(newest) => _ = newest.take_if(|newest| newest == batch),
            Waiting::All(queue) => {
                if let Err(error) = queue.delivered(id) {
                    self.tell(
                        "The position of the queue could not be written; a restart sends a batch again",
                        &error.to_string(),
                    );
                }
                self.show(queue);
            }
        }
    }

    fn pause(&self, time: Duration) {
        let state = self.lock();
        drop(self.changed.wait_timeout_while(state, time, |state| !state.is_stopping));
    }

    /// Waits until nothing waits any more. The error says why not everything arrived.
    pub(super) fn drained_within(&self, time: Duration) -> Result<(), String> {
        let state = self.lock();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| !state.is_idle && !state.is_stopping)
            .unwrap_or_else(PoisonError::into_inner);
        match &state.loss {
            Some(loss) => Err(format!("{}: {loss}", self.target.name())),
            None if state.is_idle => Ok(()),
            None => Err(format!("{}: no delivery in time", self.target.name())),
        }
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopping = true;
        self.changed.notify_all();
    }
}

/// Id and content of the oldest batch; no content where another version wrote the record.
fn next_batch(queue: &mut Queue<Box<dyn Storage>>) -> io::Result<Option<(u64, Option<Batch>)>> {
    Ok(queue.peek()?.map(|record| (record.id, Batch::of_record(record.payload))))
}
