//! Why a scenario cannot be.

use std::fmt;

use crate::profile::ProfileError;

/// What is wrong with a scenario, and in which line of its file, where it is one of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError {
    /// The number of the line; the first is 1.
    pub line: Option<usize>,
    /// What was found there and what to do about it.
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
