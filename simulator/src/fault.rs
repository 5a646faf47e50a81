//! Faults as data: which paths break, how and when, over any roots and any kernel.
//!
//! A fault is a line of text, `PLACE KIND [WHEN]`, so that a case that failed can be pasted; a [`Plan`] is a list of them.
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
//! A fault sits on the path that is asked for, so symbolic links on the way play no part. Where several sit on one path
//! they show in the order of the plan: an error ends the matter, changes of the content add up. What is so is a function
//! of the seed, the questions and the time ([`Time`]) that the caller brings; there is no state but that of the
//! [`Injection`], which counts questions.

mod content;
mod inject;
mod kernel;
mod kind;
mod place;
mod root;
#[cfg(feature = "tools")]
mod still;
mod text;
mod time;
mod when;

use std::sync::Arc;

use collectors::host::root::Roots;

pub use inject::Injection;
pub use kind::{KINDS, Kind, KindInfo, Stage};
pub use place::Place;
#[cfg(feature = "tools")]
pub use still::Still;
pub use text::PlanError;
pub use time::{Time, VirtualClock};
pub use when::{Chance, Reads, When};

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Which paths break.
    pub place: Place,
    /// In what way.
    pub kind: Kind,
    /// When.
    pub when: When,
}

/// Faults, in order.
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

    /// These roots with the faults of the plan, which starts now. Who has a kernel to break as well, or a start to name,
    /// makes an [`Injection`].
    pub fn over(&self, sound: &Roots, seed: u64, time: Arc<dyn Time>) -> Roots {
        Injection::new(self.clone(), seed, time).over(sound)
    }
}

/// The words that say when a fault shows, and what each means.
pub fn when_words() -> &'static [(&'static str, &'static str)] {
    &When::WORDS
}
