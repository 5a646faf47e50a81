//! Time as faults meet it: what is slow takes some, what hangs takes all of it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How time passes. The simulator has no clock of its own: a test brings a [`VirtualClock`], a server the real one.
pub trait Time: Send + Sync + fmt::Debug {
    /// What time it is, since 1970.
    fn now(&self) -> Duration;

    /// Something takes so long.
    fn pass(&self, time: Duration);

    /// Something does not come back, until somebody lets it.
    fn hang(&self);
}

/// A clock that stands still until it is moved. Every clone is the same clock.
///
/// ```
/// use simulator::fault::VirtualClock;
/// use std::time::Duration;
///
/// let clock = VirtualClock::new(Duration::from_secs(1_700_000_000));
/// let host = simulator::Host::new(simulator::Machine::vm(1), clock.reader());
/// clock.advance(Duration::from_secs(15));
/// assert_eq!(host.kernel().now(), Duration::from_secs(1_700_000_015));
/// ```
#[derive(Clone, Debug)]
pub struct VirtualClock {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    held: Mutex<Held>,
    change: Condvar,
}

#[derive(Debug)]
struct Held {
    now: Duration,
    /// How many hang.
    hanging: usize,
    /// How often those that hang were released.
    releases: u64,
}

impl VirtualClock {
    /// A clock that says this time.
    pub fn new(now: Duration) -> Self {
        let held = Mutex::new(Held { now, hanging: 0, releases: 0 });
        Self { state: Arc::new(State { held, change: Condvar::new() }) }
    }

    /// What time it is, since 1970.
    pub fn now(&self) -> Duration {
        self.lock().now
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let mut held = self.lock();
        held.now = held.now.saturating_add(time);
    }

    /// The clock of a [`Host`](crate::Host).
    pub fn reader(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }

    /// How many readings hang.
    pub fn hanging(&self) -> usize {
        self.lock().hanging
    }

    /// Waits until so many readings hang.
    pub fn wait_until_hanging(&self, count: usize) {
        let held = self.lock();
        let waited = self.state.change.wait_while(held, |held| held.hanging < count);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets everything that hangs come back. What is asked afterwards hangs anew.
    pub fn release(&self) {
        self.lock().releases += 1;
        self.state.change.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.state.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Time for VirtualClock {
    fn now(&self) -> Duration {
        Self::now(self)
    }

    fn pass(&self, time: Duration) {
        self.advance(time);
    }

    fn hang(&self) {
        let mut held = self.lock();
        held.hanging += 1;
        let releases = held.releases;
        self.state.change.notify_all();
        let waited = self.state.change.wait_while(held, |held| held.releases == releases);
        waited.unwrap_or_else(PoisonError::into_inner).hanging -= 1;
        self.state.change.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_clock() {
        let clock = VirtualClock::new(Duration::from_secs(7));
        let other = clock.clone();
        other.advance(Duration::from_millis(500));
        assert_eq!((clock.now(), clock.reader()()), (Duration::from_millis(7_500), Duration::from_millis(7_500)));
        clock.advance(Duration::MAX);
        assert_eq!(other.now(), Duration::MAX);
    }

    #[test]
    fn what_hangs_comes_back_when_it_is_released() {
        let clock = VirtualClock::new(Duration::ZERO);
        std::thread::scope(|scope| {
            let hanging = [(); 2].map(|()| scope.spawn(|| Time::hang(&clock)));
            clock.wait_until_hanging(2);
            assert_eq!(clock.hanging(), 2);
            clock.release();
            for thread in hanging {
                thread.join().unwrap();
            }
        });
        assert_eq!(clock.hanging(), 0);
    }
}
