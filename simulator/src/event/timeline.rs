//! Timeline: eras of a host and the machine of each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::churn::{self, Churn};
use super::{Event, EventError, Scene};
use crate::machine::Machine;
use crate::moment::LAST_SECONDS;
use crate::wave::MICROS;

/// Events of a machine, and the times at which it changes.
#[derive(Clone, Default, Debug)]
pub(crate) struct Timeline {
    events: Arc<[Event]>,
    /// By time, then in the order of events.
    turns: Arc<[Turn]>,
    /// By time.
    churns: Arc<[Churn]>,
}

/// Time at which an event changes the machine.
#[derive(Clone, Copy, Debug)]
struct Turn {
    micros: u64,
    event: usize,
    step: usize,
}

impl Timeline {
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Adds events after the existing ones.
    pub(super) fn with(&self, more: Vec<Event>) -> Self {
        let events: Arc<[Event]> = self.events.iter().cloned().chain(more).collect();
        let turns_of = |(place, event): (usize, &Event)| {
            let turns = (event.kind.turns)(event).into_iter().enumerate();
            turns.map(move |(step, micros)| Turn { micros, event: place, step })
        };
        let mut turns: Vec<Turn> = events.iter().enumerate().flat_map(turns_of).collect();
        turns.sort_by_key(|turn| turn.micros);
        let churns = turns.iter().filter_map(|turn| events.get(turn.event)).filter_map(Churn::of).collect();
        Self { events, turns: turns.into(), churns }
    }

    /// Number of turns up to a time.
    fn turns(&self, micros: u64) -> usize {
        self.turns.partition_point(|turn| turn.micros <= micros)
    }

    /// Era of a time.
    fn era(&self, micros: u64) -> Era {
        Era { turns: self.turns(micros), changes: churn::changes(&self.churns, micros) }
    }

    /// Machine after all turns up to a time.
    pub(super) fn machine_at(&self, first: &Machine, micros: u64) -> Result<Machine, EventError> {
        // Pod slots do not depend on other events.
        let tenants = churn::tenants(&self.churns, micros.min(LAST_SECONDS * MICROS), first);
        let housed = (!self.churns.is_empty()).then(|| first.with_tenants(&tenants));
        let first = housed.as_ref().unwrap_or(first);
        let mut machine = first.clone();
        for turn in self.turns.iter().take(self.turns(micros)) {
            let Some(event) = self.events.get(turn.event) else { continue };
            let scene = Scene { micros: turn.micros, first };
            (event.kind.turn)(event, turn.step, &mut machine, &scene)?;
        }
        Ok(machine)
    }
}

/// Period with a constant machine, by number of turns and of pod replacements.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Era {
    turns: usize,
    changes: u64,
}

/// Cache of the last machine used. It affects speed only.
#[derive(Default, Debug)]
pub(crate) struct Latest(Mutex<Option<(Era, Arc<Machine>)>>);

impl Latest {
    /// Machine at a time since 1970.
    pub(crate) fn machine(&self, first: &Arc<Machine>, now: Duration) -> Arc<Machine> {
        let timeline = &first.timeline;
        // Times before the start count as the start.
        let micros = u64::try_from(now.as_micros()).unwrap_or(u64::MAX).max(first.boot_micros());
        let era = timeline.era(micros);
        if era == Era::default() {
            return Arc::clone(first);
        }
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((of, machine)) if *of == era => Arc::clone(machine),
            _ => {
                let made = timeline.machine_at(first, micros);
                debug_assert!(made.is_ok(), "{made:?} is known to be possible since the events were taken");
                let machine = made.map_or_else(|_| Arc::clone(first), Arc::new);
                *latest = Some((era, Arc::clone(&machine)));
                machine
            }
        }
    }
}
