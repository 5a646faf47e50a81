//! Versions of packages and ranges of them, as Cargo compares them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version. Build metadata does not count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    numbers: [u64; 3],
    /// Empty for a release.
    pre: String,
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Partial::from_str(text).map(Partial::version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if self.pre.is_empty() { Ok(()) } else { write!(f, "-{}", self.pre) }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let pre = match (self.pre.is_empty(), other.pre.is_empty()) {
            (false, false) => compare_pre(&self.pre, &other.pre),
            (a, b) => a.cmp(&b),
        };
        self.numbers.cmp(&other.numbers).then(pre)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers are less than words; a beginning is less than the whole.
fn compare_pre(a: &str, b: &str) -> Ordering {
    let key = |part: &str| part.parse::<u64>().map_or((1, 0, part.to_owned()), |number| (0, number, String::new()));
    a.split('.').map(key).cmp(b.split('.').map(key))
}

/// A version of which minor and patch number may be left out.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Partial {
    numbers: [u64; 3],
    given: usize,
    pre: String,
}

impl FromStr for Partial {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("version: expected numbers like 1.2.3, found \"{text}\"");
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut partial = Self { numbers: [0; 3], given: 0, pre: pre.to_owned() };
        for number in numbers.split('.') {
            *partial.numbers.get_mut(partial.given).ok_or_else(fail)? = number.parse().map_err(|_| fail())?;
            partial.given += 1;
        }
        Ok(partial)
    }
}

impl Partial {
    fn version(self) -> Version {
        Version { numbers: self.numbers, pre: self.pre }
    }

    /// The first version after those that begin with the first `count` numbers.
    fn after(&self, count: usize) -> Version {
        let mut numbers = [0; 3];
        for (at, number) in self.numbers.iter().enumerate().take(count) {
            numbers[at] = number + u64::from(at + 1 == count);
        }
        Version { numbers, pre: String::new() }
    }
}

/// A range: comparisons that all have to apply, separated by commas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    text: String,
    bounds: Vec<Bounds>,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bounds: Result<Vec<_>, String> = text.split(',').map(|comparison| bounds(comparison.trim())).collect();
        Ok(Self { text: text.trim().to_owned(), bounds: bounds? })
    }
}

/// Bounds from below and from above, and whether each of them is within.
type Bounds = (Option<(Version, bool)>, Option<(Version, bool)>);

fn bounds(comparison: &str) -> Result<Bounds, String> {
    let start = comparison.find(|letter: char| letter.is_ascii_digit()).unwrap_or(comparison.len());
    let (operator, version) = comparison.split_at(start);
    let partial: Partial = version.trim().parse()?;
    // `= 1.2` and `<= 1.2` include every patch of it.
    let after = |count| if partial.given == 3 && count == 3 { None } else { Some((partial.after(count), false)) };
    let exact = |is_within| Some((partial.clone().version(), is_within));
    let last = after(partial.given).or_else(|| exact(true));
    Ok(match operator.trim() {
        ">=" => (exact(true), None),
        ">" if partial.given < 3 => (Some((partial.after(partial.given), true)), None),
        ">" => (exact(false), None),
        "<" => (None, exact(false)),
        "<=" => (None, last),
        "=" => (exact(true), last),
        "~" => (exact(true), Some((partial.after(partial.given.min(2)), false))),
        // Versions are compatible if their first non-zero number is equal.
        "^" | "" => {
            let significant = partial.numbers.iter().take(partial.given).position(|number| *number > 0);
            (exact(true), Some((partial.after(significant.map_or(partial.given, |at| at + 1)), false)))
        }
        other => return Err(format!("range: expected a comparison like >= 1.2, found \"{other}\"")),
    })
}

impl Range {
    /// Whether the version is in the range.
    pub fn has(&self, version: &Version) -> bool {
        let is_within = |(from, to): &Bounds| {
            let is_above = from.as_ref().is_none_or(|(from, is_in)| version > from || (*is_in && version == from));
            let is_below = to.as_ref().is_none_or(|(to, is_in)| version < to || (*is_in && version == to));
            is_above && is_below
        };
        self.bounds.iter().all(is_within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let range: Range = range.parse().unwrap();
        for version in inside {
            assert!(range.has(&version.parse().unwrap()), "{version} is in {range}");
        }
        for version in outside {
            assert!(!range.has(&version.parse().unwrap()), "{version} is not in {range}");
        }
    }

    #[test]
    fn every_form_of_a_range_is_understood() {
        check(">= 0.22.4, < 0.23.0", &["0.22.4", "0.22.99"], &["0.22.3", "0.23.0"]);
        check("<=1.2", &["0.9.0", "1.2.0", "1.2.9"], &["1.3.0"]);
        check("<= 1.2.3", &["1.2.3"], &["1.2.4"]);
        check("> 1.2.3", &["1.2.4"], &["1.2.3"]);
        check("> 1.2", &["1.3.0"], &["1.2.9"]);
        check("=1.2.3", &["1.2.3"], &["1.2.4", "1.2.2"]);
        check("^ 0.22.4", &["0.22.4", "0.22.9"], &["0.22.3", "0.23.0", "1.0.0"]);
        check("^1.2", &["1.2.0", "1.9.0"], &["1.1.9", "2.0.0"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("0.20", &["0.20.0", "0.20.7"], &["0.21.0", "0.19.9"]);
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0"]);
        check(">= 1.0.0-alpha.2", &["1.0.0-alpha.10", "1.0.0-beta", "1.0.0"], &["1.0.0-alpha.1", "0.9.9"]);
    }

    #[test]
    fn versions_are_ordered_like_those_of_cargo() {
        let order = ["0.9.9", "1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.0.1", "1.10.0"];
        let versions: Vec<Version> = order.iter().map(|version| version.parse().unwrap()).collect();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        assert_eq!("1.2.3+meta".parse::<Version>().unwrap(), "1.2.3".parse().unwrap());
    }

    #[test]
    fn nonsense_is_an_error() {
        for range in ["", ">= x", "1.2.3.4", "=> 1.2", "1..2"] {
            assert!(range.parse::<Range>().is_err(), "{range}");
        }
    }
}
