//! Effect of a fault on a page.

use std::collections::BTreeSet;
use std::fmt;

/// Effect of a fault on the samples of a collector or page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Damage {
    /// Series that disappeared.
    pub lost: usize,
    /// Series with another value.
    pub other: usize,
    /// Series that appeared.
    pub new: usize,
}

impl Damage {
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

impl fmt::Display for Damage {
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
