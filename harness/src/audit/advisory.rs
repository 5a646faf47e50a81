//! Advisories, and the committed extract of their database.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use toml_span::Value;

use super::version::{Range, Version};
use crate::load;

/// An advisory about a package.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// It can be attacked.
    Vulnerability,
    /// Safe code can cause undefined behaviour with it.
    Unsound,
    /// Defects of it are no longer mended.
    Unmaintained,
    /// Anything else.
    Notice,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Vulnerability, Self::Unsound, Self::Unmaintained, Self::Notice];

    const fn word(self) -> &'static str {
        match self {
            Self::Vulnerability => "vulnerability",
            Self::Unsound => "unsound",
            Self::Unmaintained => "unmaintained",
            Self::Notice => "notice",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An advisory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advisory {
    /// Name of the package.
    pub package: String,
    /// Its number in the database.
    pub id: String,
    /// When it was published.
    pub date: String,
    /// Text of the advisory.
    pub kind: Kind,
    /// Versions with a correction.
    pub patched: Vec<Range>,
    /// Versions that never had the defect.
    pub unaffected: Vec<Range>,
}

impl Advisory {
    /// Whether it applies to this version.
    pub fn affects(&self, version: &Version) -> bool {
        !self.patched.iter().chain(&self.unaffected).any(|range| range.has(version))
    }
}

/// An extract of the database.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Snapshot {
    /// The day of the database's last commit.
    pub date: String,
    /// That commit.
    pub commit: String,
    /// Packages that were looked up.
    pub covers: BTreeSet<String>,
    /// The advisories.
    pub advisories: Vec<Advisory>,
}

const RANGE_SEPARATOR: &str = "; ";

pub(super) fn write_ranges(f: &mut impl fmt::Write, ranges: &[Range]) -> fmt::Result {
    for (number, range) in ranges.iter().enumerate() {
        let separator = if number > 0 { RANGE_SEPARATOR } else { "" };
        write!(f, "{separator}{range}")?;
    }
    Ok(())
}

fn ranges(text: &str) -> Result<Vec<Range>, String> {
    text.split(RANGE_SEPARATOR.trim()).map(str::trim).filter(|range| !range.is_empty()).map(str::parse).collect()
}

impl FromStr for Snapshot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut snapshot = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let fail = |expected: &str| format!("{}:{number}: expected {expected}, found \"{line}\"", super::SNAPSHOT);
            let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "" | "#" => {}
                "snapshot" => {
                    let (date, commit) = rest.split_once(' ').ok_or_else(|| fail("a date and a commit"))?;
                    days_of(date).ok_or_else(|| fail("a date like 2025-12-31"))?;
                    (snapshot.date, snapshot.commit) = (date.to_owned(), commit.to_owned());
                }
                "covers" => snapshot.covers.extend(rest.split(' ').map(str::to_owned)),
                "advisory" => {
                    let parsed = advisory(rest).ok_or_else(|| fail("PACKAGE ID DATE KIND | RANGES | RANGES"))?;
                    snapshot.advisories.push(parsed.map_err(|error| fail(&error))?);
                }
                _ => return Err(fail("`snapshot`, `covers` or `advisory`")),
            }
        }
        if snapshot.date.is_empty() {
            return Err(format!("{}: expected a line `snapshot DATE COMMIT`, found none", super::SNAPSHOT));
        }
        Ok(snapshot)
    }
}

/// A line of the snapshot; `None` if it has another form.
fn advisory(line: &str) -> Option<Result<Advisory, String>> {
    let mut parts = line.split('|');
    let [head, patched, unaffected] = [parts.next()?, parts.next()?, parts.next()?];
    let words: Vec<&str> = head.split_whitespace().collect();
    let [package, id, date, kind] = words.as_slice() else { return None };
    let kind = Kind::ALL.into_iter().find(|known| known.word() == *kind)?;
    let all = ranges(patched).and_then(|patched| Ok((patched, ranges(unaffected)?)));
    let [package, id, date] = [package, id, date].map(|word| (*word).to_owned());
    Some(all.map(|(patched, unaffected)| Advisory { package, id, date, kind, patched, unaffected }))
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LINE_MAX_BYTES: usize = 120;
        writeln!(f, "# Facts of the RustSec advisory database about the packages of Cargo.lock and their neighbours.")?;
        writeln!(f, "# `nodelab audit --renew CHECKOUT` writes this file from a checkout of the database.")?;
        writeln!(f, "# Advisories: PACKAGE ID DATE KIND | PATCHED RANGES | UNAFFECTED RANGES")?;
        writeln!(f, "snapshot {} {}", self.date, self.commit)?;
        let mut line = String::new();
        for name in &self.covers {
            if line.len() + name.len() >= LINE_MAX_BYTES {
                writeln!(f, "{line}")?;
                line.clear();
            }
            line.push_str(if line.is_empty() { "covers " } else { " " });
            line.push_str(name);
        }
        writeln!(f, "{line}")?;
        for Advisory { package, id, date, kind, patched, unaffected } in &self.advisories {
            write!(f, "advisory {package} {id} {date} {kind} | ")?;
            write_ranges(f, patched)?;
            f.write_str(" | ")?;
            write_ranges(f, unaffected)?;
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Reads a checkout of the database: its advisories about these packages and their neighbours.
pub fn extract(checkout: &Path, names: &BTreeSet<String>) -> Result<Vec<Advisory>, String> {
    let words: BTreeSet<&str> = names.iter().map(|name| first_word(name)).collect();
    let folder = checkout.join("crates");
    let mut advisories = Vec::new();
    let packages = load::names(&folder).map_err(|error| error.to_string())?;
    for package in packages.iter().filter(|package| words.contains(first_word(package))) {
        let folder = folder.join(package);
        for file in load::names(&folder).map_err(|error| error.to_string())? {
            let path = folder.join(&file);
            let text = load::text(&path).map_err(|error| error.to_string())?;
            advisories.extend(document(&text).map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    advisories.sort_by(|a, b| (&a.package, &a.id).cmp(&(&b.package, &b.id)));
    Ok(advisories)
}

/// Packages whose names begin with the same word are neighbours.
fn first_word(name: &str) -> &str {
    name.split(['-', '_']).next().unwrap_or(name)
}

/// The advisory of a document; `None` if it was withdrawn.
fn document(text: &str) -> Result<Option<Advisory>, String> {
    let front = text.strip_prefix("```toml\n").and_then(|rest| rest.split_once("\n```"));
    let (front, _) = front.ok_or("expected a block of TOML at the start")?;
    let document = toml_span::parse(front).map_err(|error| error.to_string())?;
    let value = |table: &str, key: &str| document.pointer(&format!("/{table}/{key}"));
    let word = |key: &str| value("advisory", key).and_then(Value::as_str).map(str::to_owned);
    if word("withdrawn").is_some() {
        return Ok(None);
    }
    let kind = match word("informational").as_deref() {
        None => Kind::Vulnerability,
        Some(found) => Kind::ALL.into_iter().find(|kind| kind.word() == found).unwrap_or(Kind::Notice),
    };
    let ranges = |key: &str| -> Result<Vec<Range>, String> {
        let all = value("versions", key).and_then(Value::as_array).into_iter().flatten();
        all.map(|range| range.as_str().unwrap_or_default().parse()).collect()
    };
    let needed = |key: &str| word(key).ok_or_else(|| format!("advisory.{key}: expected a text"));
    let (package, id, date) = (needed("package")?, needed("id")?, needed("date")?);
    Ok(Some(Advisory { package, id, date, kind, patched: ranges("patched")?, unaffected: ranges("unaffected")? }))
}

/// Days from 1970 to a date like 2025-12-31.
pub fn days_of(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let [year, month, day] = [parts.next()??, parts.next()??, parts.next()??];
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0001\"\npackage = \"frob\"\ndate = \"2024-04-19\"\n\
        [versions]\npatched = [\">= 0.23.5\", \">= 0.22.4, < 0.23.0\"]\nunaffected = [\"< 0.20\"]\n```\n\n# Title\n";

    #[test]
    fn a_document_becomes_a_line_and_back() {
        let advisory = document(DOCUMENT).unwrap().expect("it was not withdrawn");
        let affects = |version: &str| advisory.affects(&version.parse().unwrap());
        assert_eq!(["0.19.9", "0.20.0", "0.22.4", "0.23.4", "0.23.5"].map(affects), [false, true, false, true, false]);
        let covers = ["frob", "frob-sys"].map(str::to_owned).into();
        let snapshot =
            Snapshot { date: "2025-02-24".to_owned(), commit: "2e25".to_owned(), covers, advisories: vec![advisory] };
        let text = snapshot.to_string();
        assert!(text.ends_with(
            "snapshot 2025-02-24 2e25\ncovers frob frob-sys\nadvisory frob RUSTSEC-2024-0001 2024-04-19 vulnerability \
             | >= 0.23.5; >= 0.22.4, < 0.23.0 | < 0.20\n"
        ));
        assert_eq!(text.parse::<Snapshot>().unwrap(), snapshot);
    }

    #[test]
    fn a_withdrawn_advisory_does_not_count_and_a_kind_is_kept() {
        let with = |line: &str| document(&DOCUMENT.replace("[versions]", &format!("{line}\n[versions]")));
        assert_eq!(with("withdrawn = \"2024-05-01\"").unwrap(), None);
        assert_eq!(with("informational = \"unsound\"").unwrap().map(|found| found.kind), Some(Kind::Unsound));
        assert!(document("# Title\n").is_err());
    }

    #[test]
    fn errors_name_the_line() {
        for (text, expected) in [
            ("snapshot x y\n", "harness/advisories.txt:1: expected a date like 2025-12-31, found \"snapshot x y\""),
            ("# x\nfrob\n", "harness/advisories.txt:2: expected `snapshot`, `covers` or `advisory`, found \"frob\""),
            ("advisory a b c d | |\n", "PACKAGE ID DATE KIND"),
            ("advisory a b c notice | >= x |\n", "version: expected numbers"),
            ("", "expected a line `snapshot DATE COMMIT`"),
        ] {
            let error = text.parse::<Snapshot>().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        for (date, days) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("2000-03-01", 11_017), ("2025-02-24", 20_143)]
        {
            assert_eq!(days_of(date), Some(days), "{date}");
        }
        assert_eq!(days_of("2025-13-01"), None);
    }
}
