//! Questions that may never be answered: they are asked in a thread of their own, which is left behind if it hangs.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

/// So many threads may hang before nothing more is asked: a dead mount should not take all memory with it.
pub(super) const STUCK_CAP: usize = 32;

type Job = Box<dyn FnOnce() + Send>;

/// Asks, and waits so long at most.
#[derive(Debug)]
pub(super) struct Patience {
    timeout: Duration,
    worker: Mutex<Option<Sender<Job>>>,
    stuck: AtomicUsize,
}

impl Patience {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, worker: Mutex::new(None), stuck: AtomicUsize::new(0) }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The answer, or `None` after the timeout. One question is asked at a time.
    pub(super) fn ask<T: Send + 'static>(&self, question: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        if self.stuck.load(Ordering::Relaxed) >= STUCK_CAP {
            return None;
        }
        let (sender, receiver) = mpsc::channel();
        let job: Job = Box::new(move || {
            // Nobody may be waiting any more.
            let _ = sender.send(question());
        });
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = worker.get_or_insert_with(spawn);
        if let Err(refused) = jobs.send(job) {
            // It ended in a panic of the last question.
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
    fn what_hangs_is_left_behind_until_there_are_too_many() {
        let patience = Patience::new(Duration::from_millis(10));
        assert_eq!(patience.ask(|| 1), Some(1));
        for _ in 0..STUCK_CAP {
            assert_eq!(patience.ask(|| std::thread::sleep(Duration::from_secs(3))), None);
        }
        assert_eq!(patience.ask(|| 1), None);
        let patience = Patience::new(Duration::from_secs(20));
        assert_eq!(patience.ask(|| panic!("on purpose")).map(|()| 0), None);
        assert_eq!(patience.ask(|| 2), Some(2));
    }
}
