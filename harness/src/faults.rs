//! Fault injection: every file access of every collector, with every kind of fault.
//!
//! The kinds are those of [`simulator::fault`], so a failing case can be pasted into a fault file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::root::Roots;
use simulator::fault::{Injection, Kind, Plan, Stage, VirtualClock};

use crate::meter::{Meter, MountPath, Operation};

/// Every kind of fault that returns at once.
pub fn kinds() -> [Kind; 19] {
    [
        Kind::Missing,
        Kind::Error(Errno::EACCES),
        Kind::Error(Errno::EIO),
        Kind::Error(Errno::EINVAL),
        Kind::Vanishing(Stage::Open),
        Kind::Vanishing(Stage::Read),
        Kind::Directory,
        Kind::Loop,
        Kind::Empty,
        Kind::Cut(None),
        Kind::Torn(None),
        Kind::Garbled(None),
        Kind::Garbage,
        Kind::Beyond64Bits(None),
        Kind::Negative(None),
        Kind::NoUtf8(None),
        // Drivers write this for a missing value.
        Kind::Content(b"<unknown>".to_vec()),
        Kind::Added(b"<unknown>".to_vec()),
        Kind::Slow(SLOW),
    ]
}

/// Delay of a slow answer on the virtual clock.
pub const SLOW: Duration = Duration::from_secs(6);

/// Number of accesses to a path.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Count {
    /// As a directory.
    pub listed: usize,
    /// In another way.
    pub read: usize,
}

impl Count {
    /// The kinds of faults that can affect these accesses: a listing has no content and is always of a directory.
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        let is_listing = self.read == 0;
        self::kinds()
            .into_iter()
            .filter(move |kind| !is_listing || !(kind.is_about_content() || *kind == Kind::Directory))
    }
}

/// Roots that record accesses and inject one fault on request.
#[derive(Clone, Debug)]
pub struct FaultyRoots {
    meter: Meter,
    injection: Injection,
    /// The clock that slow answers advance; advancing it also releases hanging ones.
    pub clock: VirtualClock,
}

impl FaultyRoots {
    /// Wraps the roots of a host without faults.
    pub fn new(sound: &Roots) -> Self {
        let clock = VirtualClock::new(Duration::ZERO);
        let injection = Injection::new(Plan::default(), 0, Arc::new(clock.clone()));
        Self { meter: Meter::new(&injection.over(sound)), injection, clock }
    }

    /// The roots to scrape.
    pub fn roots(&self) -> Roots {
        self.meter.roots()
    }

    /// The accesses since the last call, by path.
    pub fn take_accesses(&self) -> BTreeMap<MountPath, Count> {
        let mut counts = BTreeMap::<MountPath, Count>::new();
        for ((ask, question), times) in self.meter.take().paths {
            let count = counts.entry(question).or_default();
            match ask {
                Operation::List => count.listed += times.asked,
                Operation::Read | Operation::Link | Operation::Metadata => count.read += times.asked,
            }
        }
        counts
    }

    /// Injects a fault at one path, in place of the previous fault.
    pub fn inject(&self, question: &MountPath, kind: Kind) {
        self.injection.replace(Plan::new([question.broken(kind)]));
    }

    /// Removes the fault.
    pub fn clear(&self) {
        self.injection.replace(Plan::default());
    }
}

/// Effect of a fault on the samples of a collector or page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct FaultEffect {
    /// Series that disappeared.
    pub lost: usize,
    /// Series whose value changed.
    pub other: usize,
    /// Series that appeared.
    pub new: usize,
}

impl FaultEffect {
    /// Compares the samples without and with the fault.
    pub fn between(sound: &BTreeSet<String>, broken: &BTreeSet<String>) -> Self {
        let series = |sample: &String| sample.rsplit_once(' ').map(|(series, _)| series.to_owned()).unwrap_or_default();
        let (before, after) = (sound.iter().map(series), broken.iter().map(series));
        let (before, after): (BTreeSet<String>, BTreeSet<String>) = (before.collect(), after.collect());
        let lost = before.difference(&after).count();
        let other = sound.difference(broken).count() - lost;
        Self { lost, other, new: after.difference(&before).count() }
    }
}

impl fmt::Display for FaultEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} lost", self.lost)?;
        for (count, word) in [(self.other, "other"), (self.new, "new")] {
            if count > 0 {
                write!(f, " {count:>4} {word}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::host::root::Mount;
    use collectors::host::root::Names;
    use collectors::host::root::tree::Tree;

    #[test]
    fn only_the_faulty_path_is_affected() {
        let tree = Arc::new(Tree::new().with_file("proc/a", "1\n").with_file("proc/b", "2\n"));
        let breakable = FaultyRoots::new(&tree.roots());
        breakable.inject(&MountPath { mount: Mount::Proc, path: b"a".to_vec() }, Kind::Missing);
        let read = |path: &[u8]| {
            let mut content = Vec::new();
            breakable.roots().get(Mount::Proc).read(path, &mut content, 100).map(|()| content)
        };
        assert_eq!(read(b"a"), Err(Errno::ENOENT.into()));
        assert_eq!(read(b"b"), Ok(b"2\n".to_vec()));
        breakable.clear();
        assert_eq!(read(b"a"), Ok(b"1\n".to_vec()));
        breakable.roots().get(Mount::Proc).list(b"", &mut Names::new()).unwrap();
        let asked = breakable.take_accesses().into_iter();
        let asked: Vec<_> = asked.map(|(question, count)| (question.to_string(), count.listed, count.read)).collect();
        assert_eq!(asked, [("proc".to_owned(), 1, 0), ("proc/a".to_owned(), 0, 2), ("proc/b".to_owned(), 0, 1)]);
    }

    /// The matrix covers every kind of the simulator except `hanging`, which takes a thread, and `line`, which depends
    /// on the content.
    #[test]
    fn the_matrix_covers_every_kind() {
        let here: BTreeSet<&str> = kinds().iter().map(|kind| kind.info().name).collect();
        let all = simulator::fault::KINDS.iter().map(|info| info.name);
        let all: BTreeSet<&str> = all.filter(|name| !matches!(*name, "hanging" | "line")).collect();
        assert_eq!(here, all);
    }
}
