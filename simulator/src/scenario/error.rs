//! Errors of scenarios.

use std::fmt;

use crate::profile::ProfileError;

/// Problem of a scenario, and its line if it comes from a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError {
    /// Line number, counted from 1.
    pub line: Option<usize>,
    /// Found and expected text.
    pub problem: String,
}

impl ScenarioError {
    pub(super) fn at(line: usize, problem: impl Into<String>) -> Self {
        Self { line: Some(line), problem: problem.into() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is the error that is mapped")]
    pub(super) fn profile(error: ProfileError) -> Self {
        Self { line: None, problem: error.to_string() }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ScenarioError {}
