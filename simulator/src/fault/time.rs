//! Time source of faults: delays and blocking calls.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time source of an injection. The simulator reads no clock: tests provide a [`VirtualClock`], a server the real one.
pub trait Time: Send + Sync + fmt::Debug {
    /// Time since 1970.
    fn now(&self) -> Duration;

    /// Spends this much time.
    fn pass(&self, time: Duration);

    /// Blocks until released.
    fn hang(&self);
}

/// Clock that only moves when told to. Clones share one time.
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
    /// Number of blocked calls.
    hanging: usize,
    /// Number of releases.
    releases: u64,
}

impl VirtualClock {
    /// Clock at a time since 1970.
    pub fn new(now: Duration) -> Self {
        let held = Mutex::new(Held { now, hanging: 0, releases: 0 });
        Self { state: Arc::new(State { held, change: Condvar::new() }) }
    }

    /// Time since 1970.
    pub fn now(&self) -> Duration {
        self.lock().now
    }

    /// Advances the clock.
    pub fn advance(&self, time: Duration) {
        let mut held = self.lock();
        held.now = held.now.saturating_add(time);
    }

    /// Clock function for a simulated host or a replay.
    pub fn reader(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }

    /// Number of blocked calls.
    pub fn hanging(&self) -> usize {
        self.lock().hanging
    }

    /// Waits until `count` calls are blocked.
    pub fn wait_until_hanging(&self, count: usize) {
        let held = self.lock();
        let waited = self.state.change.wait_while(held, |held| held.hanging < count);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Releases all blocked calls. Later calls block again.
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
    fn clones_share_one_time() {
        let clock = VirtualClock::new(Duration::from_secs(7));
        let other = clock.clone();
        other.advance(Duration::from_millis(500));
        assert_eq!((clock.now(), clock.reader()()), (Duration::from_millis(7_500), Duration::from_millis(7_500)));
        clock.advance(Duration::MAX);
        assert_eq!(other.now(), Duration::MAX);
    }

    #[test]
    fn blocked_calls_return_when_released() {
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
