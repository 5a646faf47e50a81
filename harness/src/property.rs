//! Laws that every exporter keeps, put to random hosts of which something breaks.
//!
//! A [`Case`] is a machine, what happens to it, two moments, an exporter and faults; proptest makes and shrinks it
//! ([`cases`]). [`Laws`] puts them to an [`Exporter`]: ours are [`Ours`], anybody's is a few lines ([`Exporter`] shows
//! them). What is broken is made small once more, as a host without anything that does not matter ([`Minimal`]), and
//! kept as files that are tried first from then on ([`Kept`]).
//!
//! | law | what it says |
//! |---|---|
//! | served | whatever breaks, there is a page, and nothing panics |
//! | well formed | the strict parser reads it |
//! | declared | it has no family, and asks for no file, that the exporter does not declare |
//! | steady | two scrapes at one instant are alike |
//! | rising | without a fault or an event, no counter falls from one moment to a later one |
//! | apart | what breaks for one exporter changes nothing for another that does not ask for it |
//! | thrifty | it asks for no file twice, and its allocations do not grow with its samples |
//! | contained | of an empty host it tells nothing: there is no other way to a host than its roots |

mod case;
mod explore;
mod exporter;
mod happening;
mod kept;
mod laws;
mod matrix;
mod minimal;
mod thrift;
mod trial;

use std::fmt;

pub use case::{Case, cases};
pub use explore::{Broken, Laws, check_frozen};
pub use exporter::{Exporter, Opened, Ours};
pub use kept::Kept;
pub use laws::{check_on, contained};
pub use matrix::{Breaks, Outcome, matrix, table};
pub use minimal::Minimal;
pub use thrift::{Cost, allocates_alike, asks_once, cost};
pub use trial::Trial;

/// A law that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which law: a word of the table above.
    pub law: &'static str,
    /// Who breaks it.
    pub exporter: String,
    /// How.
    pub problem: String,
}

impl Violation {
    fn new(law: &'static str, exporter: &dyn Exporter, problem: impl Into<String>) -> Self {
        Self { law, exporter: exporter.name().to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not {}: {}", self.exporter, self.law, self.problem)
    }
}
