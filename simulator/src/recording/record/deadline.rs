//! Calls with a deadline: they run in a worker thread, which is abandoned if a call blocks.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

/// Maximum number of abandoned threads. Beyond it every call fails at once, so that dead mounts do not exhaust memory.
pub(super) const STUCK_CAP: usize = 32;

type Job = Box<dyn FnOnce() + Send>;

/// Runs calls that may block for ever, each with the same deadline.
#[derive(Debug)]
pub(super) struct Deadline {
    timeout: Duration,
    worker: Mutex<Option<Sender<Job>>>,
    stuck: AtomicUsize,
}

impl Deadline {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, worker: Mutex::new(None), stuck: AtomicUsize::new(0) }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Result of a call, or `None` after the deadline. Calls run one at a time.
    pub(super) fn run<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        if self.stuck.load(Ordering::Relaxed) >= STUCK_CAP {
            return None;
        }
        let (sender, receiver) = mpsc::channel();
        let job: Job = Box::new(move || {
            // The receiver is gone after the deadline.
            let _ = sender.send(call());
        });
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = worker.get_or_insert_with(spawn);
        if let Err(refused) = jobs.send(job) {
            // The last call panicked and ended the worker.
            *worker = Some(spawn());
            worker.as_ref()?.send(refused.0).ok()?;
        }
        let answer = receiver.recv_timeout(self.timeout);
        if answer.is_err() {
            *worker = None;
            self.stuck.fetch_add(1, Ordering::Relaxed);
        }
        answer.ok()
    }
}

fn spawn() -> Sender<Job> {
    let (sender, jobs) = mpsc::channel::<Job>();
    std::thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    sender
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocked_calls_are_abandoned_up_to_a_limit() {
        let deadline = Deadline::new(Duration::from_millis(10));
        assert_eq!(deadline.run(|| 1), Some(1));
        for _ in 0..STUCK_CAP {
            assert_eq!(deadline.run(|| std::thread::sleep(Duration::from_secs(3))), None);
        }
        assert_eq!(deadline.run(|| 1), None);
        let deadline = Deadline::new(Duration::from_secs(20));
        assert_eq!(deadline.run(|| panic!("on purpose")).map(|()| 0), None);
        assert_eq!(deadline.run(|| 2), Some(2));
    }
}
