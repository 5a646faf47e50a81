//! Exclusive access to a collector.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::kernel::clock;
use crate::host::schedule::Condvar;
use crate::kit::declare::AnyCollector;

/// The slot of a collector, which one scrape at a time can take.
pub(super) struct Slot {
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    collector: Option<Box<dyn AnyCollector>>,
    /// Number of times it was taken, which identifies its holder.
    turn: Turn,
    /// When the current holder took it.
    taken: Duration,
    /// Whether the holder's scrape has ended without it.
    is_abandoned: bool,
    /// Number of waiting threads. Without any, no notification (a system call) is made.
    waiting: usize,
}

/// Identifies the holder of a collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn(u64);

/// How long a scrape waits for a collector of another scrape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) until: Duration,
    /// Maximum age of the holder: the wait ends when the collector has run for the whole time limit of this scrape. The
    /// deadline of the holder's scrape has no influence.
    pub(super) run_max: Duration,
}

/// Error of taking a collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Absence {
    /// Another scrape has run it for this long.
    Stuck(Duration),
    /// Another scrape holds it.
    Busy,
}

impl Slot {
    pub(super) fn new(collector: Box<dyn AnyCollector>) -> Self {
        let state =
            State { collector: Some(collector), turn: Turn(0), taken: Duration::ZERO, is_abandoned: false, waiting: 0 };
        Self { state: Mutex::new(state), returned: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the collector. Waits for another scrape that holds it, within the limits of `wait`; without them until it is
    /// returned or abandoned.
    pub(super) fn take(&self, wait: Option<Wait>) -> Result<(Box<dyn AnyCollector>, Turn), Absence> {
        let mut state = self.lock();
        loop {
            if let Some(collector) = state.collector.take() {
                state.turn = Turn(state.turn.0.wrapping_add(1));
                state.taken = clock::monotonic();
                return Ok((collector, state.turn));
            }
            let now = clock::monotonic();
            let run = now.saturating_sub(state.taken);
            let time = match wait {
                None if state.is_abandoned => return Err(Absence::Stuck(run)),
                None => None,
                Some(wait) if run >= wait.run_max => return Err(Absence::Stuck(run)),
                Some(wait) if now >= wait.until => return Err(Absence::Busy),
                Some(wait) => Some(wait.until.saturating_sub(now).min(wait.run_max.saturating_sub(run))),
            };
            state.waiting += 1;
            state = self.returned.wait(&self.state, state, time);
            state.waiting -= 1;
        }
    }

    /// Whether a scrape has ended without it, and it is not back.
    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().is_abandoned
    }

    /// Returns the collector.
    pub(super) fn put(&self, collector: Box<dyn AnyCollector>) {
        let mut state = self.lock();
        state.collector = Some(collector);
        state.is_abandoned = false;
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.returned.notify_one();
        }
    }

    /// Records that the holder's scrape has ended without the collector.
    pub(super) fn abandon(&self, turn: Turn) {
        let mut state = self.lock();
        if state.collector.is_none() && state.turn == turn {
            state.is_abandoned = true;
        }
        drop(state);
        self.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::declare::AnyCx;
    use crate::kit::failure::Failure;

    struct Nothing;

    impl AnyCollector for Nothing {
        fn collect_any(&mut self, _: AnyCx<'_>) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[track_caller]
    fn taken(slot: &Slot) -> (Box<dyn AnyCollector>, Turn) {
        slot.take(None).unwrap_or_else(|absence| panic!("{absence:?}"))
    }

    fn absence(slot: &Slot) -> Option<Absence> {
        slot.take(Some(Wait { until: Duration::ZERO, run_max: Duration::MAX })).err()
    }

    #[test]
    fn one_scrape_at_a_time_holds_the_collector() {
        let slot = Slot::new(Box::new(Nothing));
        let (collector, _) = taken(&slot);
        assert_eq!(absence(&slot), Some(Absence::Busy));
        slot.put(collector);
        assert_eq!(absence(&slot), None);
    }

    #[test]
    fn an_abandoned_holder_is_not_waited_for() {
        let slot = Slot::new(Box::new(Nothing));
        let (collector, turn) = taken(&slot);
        slot.abandon(turn);
        assert!(matches!(slot.take(None).err(), Some(Absence::Stuck(_))) && slot.is_abandoned());
        slot.put(collector);
        assert!(!slot.is_abandoned());
        let (collector, _) = taken(&slot);
        slot.abandon(turn);
        assert_eq!(absence(&slot), Some(Absence::Busy), "that turn is over");
        slot.put(collector);
        slot.abandon(turn);
        assert_eq!(absence(&slot), None);
    }

    #[test]
    fn the_wait_depends_on_the_age_of_the_holder_and_not_on_its_deadline() {
        const AGE: Duration = Duration::from_millis(30);
        let slot = Slot::new(Box::new(Nothing));
        let (collector, turn) = taken(&slot);
        slot.abandon(turn);
        let begin = clock::monotonic();
        let until = begin + 100 * AGE;
        let stuck = |run_max| slot.take(Some(Wait { until, run_max })).err();
        assert!(matches!(stuck(AGE), Some(Absence::Stuck(run)) if run >= AGE));
        assert!(matches!(stuck(AGE), Some(Absence::Stuck(_))));
        assert!(clock::monotonic() < until);
        std::thread::scope(|scope| {
            let patient = scope.spawn(|| stuck(100 * AGE));
            slot.put(collector);
            assert_eq!(patient.join().expect("a result"), None);
        });
    }
}
