//! Fault injection: which paths fail, how and when, over any roots and any kernel.
//!
//! A fault is a line of text, `SITE KIND [CONDITION]`, so that a failing case can be pasted. A [`Plan`] is a list of
//! faults.
//!
//! ```
//! use collectors::host::root::{Mount, tree::Tree};
//! use simulator::fault::{Plan, VirtualClock};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! let plan = Plan::parse("proc/stat error=EIO read=2..\nsys/class/hwmon/** slow=20ms\n").unwrap();
//! let tree = Arc::new(Tree::new().with_file("proc/stat", "btime 1\n"));
//! let roots = plan.over(&tree.roots(), 1, Arc::new(VirtualClock::new(Duration::ZERO)));
//! let read = || roots.get(Mount::Proc).read(b"stat", &mut Vec::new(), 100);
//! assert!(read().is_ok() && read().is_err() && read().is_err());
//! ```
//!
//! Faults match the path as requested; symbolic links on the way are not considered. Several faults of one path apply in
//! the order of the plan: the first error is the result, changes of content accumulate. Everything is a function of the
//! seed, the sequence of operations and the [`Time`] that the caller provides; the only state is the [`Injection`]'s
//! count of operations.

mod corruption;
#[cfg(feature = "tools")]
mod frozen;
mod inject;
mod kernel;
mod kind;
mod root;
mod site;
mod text;
mod time;
mod when;

use std::sync::Arc;

use collectors::host::root::Roots;

#[cfg(feature = "tools")]
pub use frozen::FrozenHost;
pub use inject::Injection;
pub use kind::{KINDS, Kind, KindInfo, Stage};
pub use site::FaultSite;
pub use text::PlanError;
pub use time::{Time, VirtualClock};
pub use when::{Chance, Reads, When};

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Paths that fail.
    pub site: FaultSite,
    /// Kind of failure.
    pub kind: Kind,
    /// Condition under which it applies.
    pub when: When,
}

/// List of faults, in the order in which they apply.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Plan {
    faults: Vec<Fault>,
}

impl Plan {
    /// A plan of these faults.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self { faults: faults.into_iter().collect() }
    }

    /// The faults.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Wraps roots so that the faults apply, counting time from now. An [`Injection`] also wraps a kernel and can start
    /// at another time.
    pub fn over(&self, sound: &Roots, seed: u64, time: Arc<dyn Time>) -> Roots {
        Injection::new(self.clone(), seed, time).over(sound)
    }
}

/// Conditions of a fault and their descriptions.
pub fn when_words() -> &'static [(&'static str, &'static str)] {
    &When::WORDS
}
