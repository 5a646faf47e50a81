//! What happens to the host, and when.

use std::time::Duration;

use super::ScenarioError;
use crate::event::{Event, ScriptedMachine};
use crate::machine::Machine;
use crate::span;

/// One thing that happens, as the file has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    /// Of the file.
    pub(super) line: usize,
    pub(super) at: At,
    pub(super) kind: String,
    pub(super) settings: Vec<(String, String)>,
}

/// When.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum At {
    /// So long after the start.
    After(Duration),
    /// Since 1970.
    Since(Duration),
}

impl At {
    /// `+10m`, or seconds since 1970.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('+') {
            Some(span) => span::parse(span).map(Self::After),
            None => text.parse().ok().map(|seconds| Self::Since(Duration::from_secs(seconds))),
        }
    }

    /// Since 1970, of a scenario that starts then.
    pub(super) fn since(self, start: Duration) -> Duration {
        match self {
            Self::After(time) => start.saturating_add(time),
            Self::Since(time) => time,
        }
    }
}

/// The machine with what happens to it. An event that is wrong is told with its line.
pub(super) fn put(machine: Machine, timeline: &[Entry], start: Duration) -> Result<ScriptedMachine, ScenarioError> {
    let mut machine = ScriptedMachine::from(machine);
    for Entry { line, at, kind, settings } in timeline {
        let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let event = Event::of(kind, at.since(start), &settings);
        machine = event
            .and_then(|event| machine.with_events(vec![event]))
            .map_err(|error| ScenarioError::at(*line, error.to_string()))?;
    }
    Ok(machine)
}
