//! Conditions under which a fault applies.

use std::fmt;
use std::time::Duration;

use crate::span::{self, Span};

/// Probability 1, in millionths.
const CERTAIN: u32 = 1_000_000;
/// Number of decimals of a probability.
const DIGITS: usize = 6;

/// Conditions of a fault, all of which must hold. Without any it applies to every operation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct When {
    /// Only these operations.
    pub reads: Option<Reads>,
    /// Time after the start at which it begins.
    pub from: Option<Duration>,
    /// Time after the start at which it ends.
    pub until: Option<Duration>,
    /// Probability, determined by the seed.
    pub chance: Option<Chance>,
}

/// Operations of one kind on one path, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// A single operation.
    Only(u64),
    /// An operation and all that follow.
    From(u64),
}

/// Probability in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Chance(u32);

impl Chance {
    /// Probability of `millionths`, capped at a million.
    pub fn millionths(millionths: u32) -> Self {
        Self(millionths.min(CERTAIN))
    }

    /// Whether it applies for a random number below [`Chance::LIMIT`].
    pub(super) fn has(self, drawn: u64) -> bool {
        drawn < u64::from(self.0)
    }

    /// Exclusive upper bound of the random number.
    pub(super) const LIMIT: u64 = CERTAIN as u64;

    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > DIGITS || text.ends_with('.') {
            return None;
        }
        let part: u32 = format!("{part:0<DIGITS$}").parse().ok()?;
        let millionths = whole.parse::<u32>().ok()?.checked_mul(CERTAIN)?.checked_add(part)?;
        (millionths <= CERTAIN).then_some(Self(millionths))
    }
}

impl When {
    /// Applies to every operation.
    pub const ALWAYS: Self = Self { reads: None, from: None, until: None, chance: None };

    /// Syntax and description of each condition.
    pub(super) const WORDS: [(&'static str, &'static str); 4] = [
        (
            "read=N",
            "Only the Nth operation of its kind on this path, counted from 1; `read=N..` includes all that follow.",
        ),
        ("from=TIME", "Begins this long after the start: `from=10m`."),
        ("until=TIME", "Ends this long after the start; that moment is excluded."),
        (
            "chance=P",
            "Probability from 0 to 1 with up to six decimals. The seed, the path and the number of the operation determine the result.",
        ),
    ];

    /// Whether operations have to be counted.
    pub(super) fn counts_operations(&self) -> bool {
        self.reads.is_some() || self.chance.is_some()
    }

    /// Whether it is active `elapsed` after the start.
    pub(super) fn has_moment(&self, elapsed: Duration) -> bool {
        self.from.is_none_or(|from| elapsed >= from) && self.until.is_none_or(|until| elapsed < until)
    }

    /// Whether it applies to the operation of this number.
    pub(super) fn has_operation(&self, number: u64) -> bool {
        match self.reads {
            None => true,
            Some(Reads::Only(only)) => number == only,
            Some(Reads::From(first)) => number >= first,
        }
    }

    /// Adds a condition such as `read=2`; `None` if the name is not a condition.
    pub(super) fn add(&mut self, name: &str, value: &str) -> Option<Result<(), String>> {
        let fail = |expected: &str| format!("{name}: expected {expected}, found `{value}`");
        let time = || span::parse(value).ok_or_else(|| fail(span::EXPECTED));
        Some(match name {
            "read" => reads(value)
                .ok_or_else(|| fail("a number from 1, optionally followed by `..`"))
                .map(|reads| self.reads = Some(reads)),
            "from" => time().map(|time| self.from = Some(time)),
            "until" => time().map(|time| self.until = Some(time)),
            "chance" => Chance::parse(value)
                .ok_or_else(|| fail("a number from 0 to 1 with up to six decimals"))
                .map(|chance| self.chance = Some(chance)),
            _ => return None,
        })
    }
}

fn reads(value: &str) -> Option<Reads> {
    let (number, reads): (_, fn(u64) -> Reads) =
        value.strip_suffix("..").map_or((value, Reads::Only), |number| (number, Reads::From));
    number.parse().ok().filter(|number| *number > 0 && !value.starts_with('+')).map(reads)
}

/// Writes each condition after a space.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reads {
            None => {}
            Some(Reads::Only(number)) => write!(f, " read={number}")?,
            Some(Reads::From(number)) => write!(f, " read={number}..")?,
        }
        for (name, time) in [("from", self.from), ("until", self.until)] {
            if let Some(time) = time {
                write!(f, " {name}={}", Span(time))?;
            }
        }
        match self.chance {
            None => Ok(()),
            Some(Chance(CERTAIN)) => f.write_str(" chance=1"),
            Some(Chance(millionths)) => write!(f, " chance=0.{}", format!("{millionths:06}").trim_end_matches('0'))
                .and_then(|()| if millionths == 0 { f.write_str("0") } else { Ok(()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u32>) {
        assert_eq!(Chance::parse(text), expected.map(Chance), "{text}");
    }

    #[test]
    fn probabilities_range_from_zero_to_one() {
        check("0", Some(0));
        check("0.5", Some(500_000));
        check("0.000001", Some(1));
        check("1", Some(CERTAIN));
        check("1.0", Some(CERTAIN));
        for no_chance in ["", ".5", "1.", "2", "1.000001", "0.0000001", "-1", "+1", "0.x", "99999999999"] {
            check(no_chance, None);
        }
        assert!(!Chance(0).has(0) && Chance(1).has(0) && !Chance(1).has(1));
        assert!(Chance(CERTAIN).has(Chance::LIMIT - 1));
    }

    #[test]
    fn the_start_of_a_window_is_included_and_its_end_excluded() {
        let second = Duration::from_secs;
        let when = When { from: Some(second(10)), until: Some(second(20)), ..When::ALWAYS };
        let has = [9, 10, 19, 20].map(|at| when.has_moment(second(at)));
        assert_eq!(has, [false, true, true, false]);
    }

    #[test]
    fn operations_are_counted_from_one() {
        let has = |reads| [1, 2, 3].map(|number| When { reads: Some(reads), ..When::ALWAYS }.has_operation(number));
        assert_eq!(has(Reads::Only(2)), [false, true, false]);
        assert_eq!(has(Reads::From(2)), [false, true, true]);
    }
}
