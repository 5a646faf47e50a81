//! Where a collector is while nobody runs it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::kernel::clock;
use crate::kit::declare::AnyCollector;

/// A collector, for one scrape at a time.
pub(super) struct Slot {
    state: Mutex<State>,
    change: Condvar,
}

struct State {
    collector: Option<Box<dyn AnyCollector>>,
    /// How often it was taken, which tells those apart who have it.
    turn: Turn,
    /// When whoever has it began, if its scrape has given it up.
    stuck_since: Option<Duration>,
    /// How many wait for it. Telling nobody would still be a system call.
    waiting: usize,
}

/// Who has the collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn(u64);

/// Why a collector is not to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Absence {
    /// A scrape that is over still waits for it, for so long already.
    Stuck(Duration),
    /// Another scrape has it.
    Busy,
}

impl Slot {
    pub(super) fn new(collector: Box<dyn AnyCollector>) -> Self {
        let state = State { collector: Some(collector), turn: Turn(0), stuck_since: None, waiting: 0 };
        Self { state: Mutex::new(state), change: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the collector, and waits until then for another scrape that has it.
    pub(super) fn take(&self, until: Option<Duration>) -> Result<(Box<dyn AnyCollector>, Turn), Absence> {
        let mut state = self.lock();
        loop {
            if let Some(collector) = state.collector.take() {
                state.turn = Turn(state.turn.0.wrapping_add(1));
                return Ok((collector, state.turn));
            }
            if let Some(since) = state.stuck_since {
                return Err(Absence::Stuck(clock::monotonic().saturating_sub(since)));
            }
            let time = until.map(|until| until.saturating_sub(clock::monotonic()));
            if time == Some(Duration::ZERO) {
                return Err(Absence::Busy);
            }
            state.waiting += 1;
            state = match time {
                None => self.change.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(time) => self.change.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0,
            };
            state.waiting -= 1;
        }
    }

    /// Gives it back.
    pub(super) fn put(&self, collector: Box<dyn AnyCollector>) {
        let mut state = self.lock();
        state.collector = Some(collector);
        state.stuck_since = None;
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.change.notify_one();
        }
    }

    /// Nobody waits any more for whoever took it in this turn and began then.
    pub(super) fn give_up(&self, turn: Turn, since: Duration) {
        let mut state = self.lock();
        if state.collector.is_none() && state.turn == turn {
            state.stuck_since = Some(since);
        }
        drop(state);
        self.change.notify_all();
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
        slot.take(Some(Duration::ZERO)).err()
    }

    #[test]
    fn one_scrape_has_it_at_a_time() {
        let slot = Slot::new(Box::new(Nothing));
        let (collector, _) = taken(&slot);
        assert_eq!(absence(&slot), Some(Absence::Busy));
        slot.put(collector);
        assert_eq!(absence(&slot), None);
    }

    #[test]
    fn who_was_given_up_is_not_waited_for() {
        let slot = Slot::new(Box::new(Nothing));
        let (collector, turn) = taken(&slot);
        slot.give_up(turn, clock::monotonic());
        assert!(matches!(slot.take(None).err(), Some(Absence::Stuck(_))));
        slot.put(collector);
        let (collector, _) = taken(&slot);
        slot.give_up(turn, clock::monotonic());
        assert_eq!(absence(&slot), Some(Absence::Busy), "that turn is over");
        slot.put(collector);
        slot.give_up(turn, clock::monotonic());
        assert_eq!(absence(&slot), None);
    }
}
