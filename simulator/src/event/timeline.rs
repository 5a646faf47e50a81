//! Timeline: eras of a host and the machine of each.

use std::sync::Arc;

use super::churn::{self, Churn};
use super::{Event, EventError, Scene};
use crate::machine::Machine;
use crate::past::State;
use crate::wave::{LAST_SECONDS, MICROS};

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
