//! The eras of a host: which machine it is at which moment.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::churn::{self, Churn};
use super::{Event, EventError, Scene};
use crate::machine::Machine;
use crate::moment::LAST_SECONDS;
use crate::wave::MICROS;

/// What happens to a machine, and the moments at which it becomes another.
#[derive(Clone, Default, Debug)]
pub(crate) struct Timeline {
    events: Arc<[Event]>,
    /// In the order of time; at one moment in the order of the events.
    turns: Arc<[Turn]>,
    /// In the order of time.
    churns: Arc<[Churn]>,
}

/// The moment at which an event changes what the machine is made of.
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

    /// With more events, after the others.
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

    /// How many turns there were by a moment.
    fn turns(&self, micros: u64) -> usize {
        self.turns.partition_point(|turn| turn.micros <= micros)
    }

    /// Which era a moment is in.
    fn era(&self, micros: u64) -> Era {
        Era { turns: self.turns(micros), changes: churn::changes(&self.churns, micros) }
    }

    /// The machine as all turns up to a moment have left it.
    pub(super) fn machine_at(&self, first: &Machine, micros: u64) -> Result<Machine, EventError> {
        // Pods have their places whatever else happens.
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

/// Over which the machine is the same: after so many turns, and so many changes of pods.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Era {
    turns: usize,
    changes: u64,
}

/// The machine of the era that was asked for last. Only the time that it takes to make it again depends on it.
#[derive(Default, Debug)]
pub(crate) struct Latest(Mutex<Option<(Era, Arc<Machine>)>>);

impl Latest {
    /// The machine of a moment since 1970.
    pub(crate) fn machine(&self, first: &Arc<Machine>, now: Duration) -> Arc<Machine> {
        let timeline = &first.timeline;
        // What is before the start is answered as of it.
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
