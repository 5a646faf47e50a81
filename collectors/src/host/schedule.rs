//! Threads and waiting. A simulation replaces them to decide the order of all events, on a clock of its own.
//!
//! In production each call is one load of an empty cell and then the standard library's.

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Work of a thread.
pub type Work = Box<dyn FnOnce() + Send>;

/// Order of events of a simulation. Threads that the simulation did not start are real.
pub trait Schedule: Send + Sync + fmt::Debug {
    /// Whether the calling thread is simulated. All other methods are called by simulated threads only.
    fn is_simulated(&self) -> bool;

    /// Time of the simulated clock.
    fn monotonic(&self) -> Duration;

    /// Starts a simulated thread.
    fn spawn(&self, work: Work) -> io::Result<()>;

    /// Waits until the event is notified, at most for `time`. It may return earlier.
    fn wait(&self, event: Event, time: Option<Duration>);

    /// Ends all waits for the event.
    fn notify(&self, event: Event);
}

/// An event that threads wait for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// A socket is ready.
    Socket,
    /// A [`Condvar`], by its address.
    Condvar(usize),
    /// Another event of the simulation.
    Other(u32),
}

static SCHEDULE: OnceLock<&'static dyn Schedule> = OnceLock::new();

/// Sets the schedule of this process, once.
pub fn simulate_by(schedule: &'static dyn Schedule) {
    // A second one would lose the threads of the first.
    let _ = SCHEDULE.set(schedule);
}

/// The schedule, in a simulated thread.
pub fn simulated() -> Option<&'static dyn Schedule> {
    SCHEDULE.get().copied().filter(|schedule| schedule.is_simulated())
}

/// Starts a thread that is not joined.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    match simulated() {
        None => std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop),
        Some(schedule) => schedule.spawn(Box::new(work)),
    }
}

/// The standard library's condition variable, which a simulation replaces.
#[derive(Default, Debug)]
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// A condition variable.
    pub const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    fn event(&self) -> Event {
        Event::Condvar(std::ptr::from_ref(self).addr())
    }

    /// Waits until it is notified, at most for `time`; without one until then. It may return earlier.
    pub fn wait<'a, T>(
        &self,
        mutex: &'a Mutex<T>,
        guard: MutexGuard<'a, T>,
        time: Option<Duration>,
    ) -> MutexGuard<'a, T> {
        match (simulated(), time) {
            (Some(schedule), time) => {
                drop(guard);
                schedule.wait(self.event(), time);
                mutex.lock().unwrap_or_else(PoisonError::into_inner)
            }
            (None, None) => self.0.wait(guard).unwrap_or_else(PoisonError::into_inner),
            (None, Some(time)) => self.0.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0,
        }
    }

    /// Waits while the condition holds, at most for `time` if there is one.
    pub fn wait_while<'a, T>(
        &self,
        mutex: &'a Mutex<T>,
        mut guard: MutexGuard<'a, T>,
        time: Option<Duration>,
        mut is_waiting: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        let Some(schedule) = simulated() else {
            return match time {
                None => self.0.wait_while(guard, is_waiting).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    self.0.wait_timeout_while(guard, time, is_waiting).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        };
        let until = time.map(|time| schedule.monotonic() + time);
        while is_waiting(&mut guard) {
            let left = until.map(|until| until.saturating_sub(schedule.monotonic()));
            if left == Some(Duration::ZERO) {
                break;
            }
            guard = self.wait(mutex, guard, left);
        }
        guard
    }

    /// Wakes one waiting thread.
    pub fn notify_one(&self) {
        match simulated() {
            None => self.0.notify_one(),
            Some(schedule) => schedule.notify(self.event()),
        }
    }

    /// Wakes all waiting threads.
    pub fn notify_all(&self) {
        match simulated() {
            None => self.0.notify_all(),
            Some(schedule) => schedule.notify(self.event()),
        }
    }
}
