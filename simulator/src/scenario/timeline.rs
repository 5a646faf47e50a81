//! What happens to the host, and when.

use std::time::Duration;

use super::ScenarioError;
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

/// The machine with what happens to it.
pub(super) fn put(machine: Machine, timeline: &[Entry], start: Duration) -> Result<Machine, ScenarioError> {
    let Some(Entry { line, at, kind, settings }) = timeline.first() else { return Ok(machine) };
    let settings: Vec<&str> = settings.iter().map(|(key, _)| key.as_str()).collect();
    let (at, settings) = (at.since(start).as_secs(), settings.join(", "));
    Err(ScenarioError::at(*line, format!("no event is called `{kind}`; it is to begin at {at} s and sets {settings}")))
}
