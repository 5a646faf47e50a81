//! When a fault shows.

use std::fmt;
use std::time::Duration;

use crate::span::{self, Span};

/// The chance of something certain.
const CERTAIN: u32 = 1_000_000;
/// As many digits as [`CERTAIN`] has zeros.
const DIGITS: usize = 6;

/// When a fault shows: at every question if nothing is said, else where all that is said holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct When {
    /// At these questions alone.
    pub reads: Option<Reads>,
    /// From so long after the start on.
    pub from: Option<Duration>,
    /// Until so long after the start.
    pub until: Option<Duration>,
    /// By chance, under the seed.
    pub chance: Option<Chance>,
}

/// Which of the questions of one kind that are put to one path, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// This one.
    Only(u64),
    /// This one and all after it.
    From(u64),
}

/// A chance, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Chance(u32);

impl Chance {
    /// So many millionths, a million at most.
    pub fn millionths(millionths: u32) -> Self {
        Self(millionths.min(CERTAIN))
    }

    /// Whether it comes true for a number below a million.
    pub(super) fn has(self, drawn: u64) -> bool {
        drawn < u64::from(self.0)
    }

    /// What a number to draw is below.
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
    /// At every question.
    pub const ALWAYS: Self = Self { reads: None, from: None, until: None, chance: None };

    /// The words that may be said.
    pub(super) const WORDS: [(&'static str, &'static str); 4] = [
        (
            "read=N",
            "Only the Nth question of its kind to this path, counted from 1; `read=N..` is that one and all after it.",
        ),
        ("from=TIME", "From so long after the start on: `from=10m`."),
        ("until=TIME", "Until so long after the start, without that moment."),
        (
            "chance=P",
            "By chance, from 0 to 1 with up to six decimals, under the seed: the same seed, path and question, the same luck.",
        ),
    ];

    /// Whether it has to be known how often was asked.
    pub(super) fn counts(&self) -> bool {
        self.reads.is_some() || self.chance.is_some()
    }

    /// Whether it depends on nothing but the moment.
    pub(super) fn is_still(&self) -> bool {
        !self.counts()
    }

    /// Whether the moment, counted from the start, is one of these.
    pub(super) fn has_moment(&self, elapsed: Duration) -> bool {
        self.from.is_none_or(|from| elapsed >= from) && self.until.is_none_or(|until| elapsed < until)
    }

    /// Whether the question of this number is one of these.
    pub(super) fn has_question(&self, number: u64) -> bool {
        match self.reads {
            None => true,
            Some(Reads::Only(only)) => number == only,
            Some(Reads::From(first)) => number >= first,
        }
    }

    /// Adds a word such as `read=2`; `None` if it is none of these.
    pub(super) fn add(&mut self, name: &str, value: &str) -> Option<Result<(), String>> {
        let fail = |expected: &str| format!("{name}: expected {expected}, found `{value}`");
        let time = || span::parse(value).ok_or_else(|| fail(span::EXPECTED));
        Some(match name {
            "read" => reads(value)
                .ok_or_else(|| fail("a number from 1 on, or such a number and `..`"))
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

/// The words, each after a space.
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
    fn chances_go_from_never_to_always() {
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
    fn windows_begin_with_their_first_moment_and_end_before_their_last() {
        let second = Duration::from_secs;
        let when = When { from: Some(second(10)), until: Some(second(20)), ..When::ALWAYS };
        let has = [9, 10, 19, 20].map(|at| when.has_moment(second(at)));
        assert_eq!(has, [false, true, true, false]);
    }

    #[test]
    fn questions_are_counted_from_one() {
        let has = |reads| [1, 2, 3].map(|number| When { reads: Some(reads), ..When::ALWAYS }.has_question(number));
        assert_eq!(has(Reads::Only(2)), [false, true, false]);
        assert_eq!(has(Reads::From(2)), [false, true, true]);
    }
}
