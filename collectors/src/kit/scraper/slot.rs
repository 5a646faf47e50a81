//! Where a collector is while no thread runs it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::kernel::clock;
use crate::kit::declare::AnyCollector;

/// A collector, for one scrape at a time.
pub(super) struct Slot {
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    collector: Option<Box<dyn AnyCollector>>,
    /// Number of times it was taken, which identifies its holder.
    turn: Turn,
    /// When its holder took it.
    taken: Duration,
    /// Its holder's scrape has ended without it.
    is_abandoned: bool,
    /// Threads that wait for it. Notifying none would still be a system call.
    waiting: usize,
}

/// Identifies the holder of a collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn(u64);

/// How long a scrape waits for a collector that another one holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) until: Duration,
    /// A collector that has run this long already is not waited for: it has had the whole time of this scrape. The
    /// deadline of the holder's scrape does not matter, so that it cannot cost this scrape the collector.
    pub(super) run_max: Duration,
}

/// Why a collector cannot be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Absence {
    /// It has run for this long in another scrape.
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

    /// Takes the collector. Where another scrape holds it, waits; without a `wait`, until it is returned or abandoned.
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
            state = match time {
                None => self.returned.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(time) => self.returned.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0,
            };
            state.waiting -= 1;
        }
    }

    /// Whether a scrape has ended without it, and it is not back.
    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().is_abandoned
    }

    /// Returns it.
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

    /// The scrape of the holder of this turn has ended without it.
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
    fn one_scrape_holds_it_at_a_time() {
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
    fn a_holder_is_waited_for_by_its_age_and_not_by_its_own_deadline() {
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
