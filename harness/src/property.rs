//! Laws that every exporter keeps, tested on random hosts with faults.
//!
//! A [`Case`] is a machine, its events, two times, an exporter and faults; proptest generates and shrinks it
//! ([`cases`]). [`Laws`] tests an [`Exporter`]: ours are [`Ours`], and any other one implements a few methods. A
//! failing case is reduced once more to a host with only the files that matter ([`MinimalHost`]), and stored as files that
//! are tried first in later runs ([`StoredCase`]).
//!
//! | law | statement |
//! |---|---|
//! | served | with any fault there is a page, and nothing panics |
//! | well formed | the strict parser accepts the page |
//! | declared | every family and every file access is declared |
//! | steady | two scrapes at the same simulated time give the same page |
//! | rising | without faults and events, no counter falls |
//! | isolated | a fault does not change the page of an exporter that does not read the faulty file |
//! | bounded | no file is read twice, and allocations do not grow with samples |
//! | contained | on an empty host the page is empty: the roots are the only access to a host |

mod case;
mod explore;
mod exporter;
mod host_event;
mod laws;
mod matrix;
mod minimize;
mod resources;
mod stored_case;
mod trial;

use std::fmt;

pub use case::{Case, cases};
pub use explore::{Broken, Laws, check_frozen};
pub use exporter::{Exporter, Opened, Ours};
pub use laws::{check_on, contained};
pub use matrix::{FaultTarget, Outcome, matrix, table};
pub use minimize::MinimalHost;
pub use resources::{Cost, allocates_alike, asks_once, cost};
pub use stored_case::StoredCase;
pub use trial::Trial;

/// A broken law.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The law: a word of the table above.
    pub law: &'static str,
    /// The exporter.
    pub exporter: String,
    /// Description of the violation.
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
