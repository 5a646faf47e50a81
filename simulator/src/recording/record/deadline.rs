//! Calls with a deadline: they run in a thread of a pool, which is abandoned if a call blocks.

use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use collectors::kit::pool::{Limits, Pool, Task};

/// Maximum number of stuck threads. Then every call fails at once, so that dead mounts do not exhaust memory.
const STUCK_MAX: usize = 32;

const LIMITS: Limits = Limits { name: "record", threads_max: 1, stuck_max: STUCK_MAX - 1, stack_bytes: None };

/// Runs calls that may block forever, each with the same deadline.
#[derive(Debug)]
pub(super) struct Deadline {
    timeout: Duration,
    pool: Mutex<Pool<Task>>,
}

impl Deadline {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, pool: Mutex::new(Pool::new(LIMITS)) }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Result of a call, or why there is none. Calls run one at a time.
    pub(super) fn run<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
        let (sender, receiver) = mpsc::channel();
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.ask(Box::new(move || {
            // The receiver is gone after the deadline.
            let _ = sender.send(call());
        }));
        let waited = pool.wait(self.timeout);
        pool.clear();
        waited.map_err(|error| format!("no thread to ask with ({error})"))?;
        receiver.try_recv().map_err(|_| format!("no answer within {} s", self.timeout.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocked_calls_are_abandoned_up_to_a_limit() {
        let deadline = Deadline::new(Duration::from_millis(10));
        let late = Err("no answer within 0.01 s".to_owned());
        assert_eq!(Deadline::new(Duration::from_secs(20)).run(|| 1), Ok(1));
        let mut gates = Vec::new();
        for _ in 0..STUCK_MAX {
            let (gate, blocked) = mpsc::channel::<()>();
            gates.push(gate);
            assert_eq!(deadline.run(move || blocked.recv().is_ok()), late);
        }
        assert_eq!(deadline.run(|| -> bool { panic!("no thread is left for this") }), late);
    }

    #[test]
    fn a_panic_costs_its_own_call() {
        let deadline = Deadline::new(Duration::from_secs(20));
        assert!(deadline.run(|| panic!("on purpose")).map(|()| 0).is_err());
        assert_eq!(deadline.run(|| 2), Ok(2));
    }
}
