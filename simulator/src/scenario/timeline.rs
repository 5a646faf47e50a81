//! Events of a scenario.

use std::time::Duration;

use super::ScenarioError;
use crate::event::Event;
use crate::machine::Machine;
use crate::span;

/// `[[event]]` entry of a scenario file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TimelineEntry {
    /// Line in the file.
    pub(super) line: usize,
    pub(super) at: At,
    pub(super) kind: String,
    pub(super) settings: Vec<(String, String)>,
}

/// Time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum At {
    /// Time after the start.
    After(Duration),
    /// Time since 1970.
    Since(Duration),
}

impl At {
    /// Parses `+10m` or seconds since 1970.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('+') {
            Some(span) => span::parse(span).map(Self::After),
            None => text.parse().ok().map(|seconds| Self::Since(Duration::from_secs(seconds))),
        }
    }

    /// Absolute time for a start time.
    pub(super) fn since(self, start: Duration) -> Duration {
        match self {
            Self::After(time) => start.saturating_add(time),
            Self::Since(time) => time,
        }
    }
}

/// Adds the events to a machine. Errors name the line of the event.
pub(super) fn put(machine: Machine, timeline: &[TimelineEntry], start: Duration) -> Result<Machine, ScenarioError> {
    let mut machine = machine;
    for TimelineEntry { line, at, kind, settings } in timeline {
        let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let event = Event::of(kind, at.since(start), &settings);
        machine = event
            .and_then(|event| machine.with_events(vec![event]))
            .map_err(|error| ScenarioError::at(*line, error.to_string()))?;
    }
    Ok(machine)
}
