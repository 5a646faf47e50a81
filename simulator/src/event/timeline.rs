//! The eras of a host: which machine it is at which moment.

use std::sync::Arc;

use super::churn::{self, Churn};
use super::{Event, EventError, Scene};
use crate::machine::Machine;
use crate::past::State;
use crate::wave::{LAST_SECONDS, MICROS};

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

    /// The position of a moment among all turns and changes.
    pub(crate) fn position(&self, micros: u64) -> Position {
        Position { turns: self.turns(micros), changes: churn::changes(&self.churns, micros) }
    }

    /// The machine as all turns up to a moment have left it.
    pub(crate) fn state_at(&self, first: &Machine, micros: u64) -> Result<State, EventError> {
        // Pods have their places whatever else happens.
        let tenants = churn::tenants(&self.churns, micros.min(LAST_SECONDS * MICROS), first);
        let housed = (!self.churns.is_empty()).then(|| first.with_tenants(&tenants));
        let first = housed.as_ref().unwrap_or(first);
        let mut state = State::from(first.clone());
        for turn in self.turns.iter().take(self.turns(micros)) {
            let Some(event) = self.events.get(turn.event) else { continue };
            let scene = Scene { micros: turn.micros, first };
            (event.kind.turn)(event, turn.step, &mut state, &scene)?;
        }
        Ok(state)
    }
}

/// The number of turns and of changes of pods before a moment: the machine is constant while both are.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    turns: usize,
    changes: u64,
}
