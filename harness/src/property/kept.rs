//! Stored cases: scenario files whose first line names the exporter.

use std::fmt;
use std::time::Duration;

use collectors::kit::nearest;
use simulator::scenario::Scenario;
use simulator::span;

use super::laws::check;
use super::trial::Trial;
use super::{Exporter, Violation};

/// Prefix of the line that names the exporter.
const START: &str = "# nodelab laws:";
/// Keys of that line after the exporter's name.
const KEYS: [&str; 2] = ["beside", "later"];

/// A stored case.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    /// The exporter under test.
    pub reader: String,
    /// The exporter that faults must not affect; the one under test by default.
    pub other: String,
    /// Time between the two scrapes.
    pub later: Duration,
    /// The host with its events and faults.
    pub scenario: Scenario,
}

impl Kept {
    /// Parses a file. Without a first line, `reader` is the exporter and there is one scrape.
    pub fn parse(text: &str, reader: Option<&str>) -> Result<Self, String> {
        let scenario = Scenario::parse(text).map_err(|error| error.to_string())?;
        let line = text.lines().find_map(|line| line.strip_prefix(START));
        let told = line.unwrap_or_default();
        let mut words = told.split_whitespace();
        let name = reader.or(words.next());
        let name = name.ok_or_else(|| format!("no collector named; begin with `{START} COLLECTOR`"))?;
        let mut kept = Self { reader: name.to_owned(), other: name.to_owned(), later: Duration::ZERO, scenario };
        for word in words {
            match word.split_once('=') {
                Some(("beside", other)) => other.clone_into(&mut kept.other),
                Some(("later", time)) => {
                    let fail = || format!("`{START}`: later: expected {}, found `{time}`", span::EXPECTED);
                    kept.later = span::parse(time).ok_or_else(fail)?;
                }
                _ => {
                    return Err(format!(
                        "`{START}`: expected {}, found `{word}`",
                        KEYS.map(|key| key.to_owned() + "=…").join(" or ")
                    ));
                }
            }
        }
        Ok(kept)
    }

    /// Tests the laws of the named exporter. The outer error is an invalid file.
    pub fn check(&self, exporters: &[Box<dyn Exporter>]) -> Result<Result<(), Violation>, String> {
        let (reader, other) = (named(exporters, &self.reader)?, named(exporters, &self.other)?);
        let trial = Trial::of(&self.scenario, self.later).map_err(|error| error.to_string())?;
        let result = check(reader, other, &trial, |_| self.scenario.faults().clone());
        Ok(result.map_err(|(violation, _)| violation))
    }
}

/// The line that names the exporter.
pub(super) fn first_line(reader: &str, other: &str, later_seconds: u64) -> impl fmt::Display {
    format!("{START} {reader} beside={other} later={later_seconds}s\n")
}

/// Finds an exporter by name; the error suggests the nearest one.
pub(super) fn named<'a>(exporters: &'a [Box<dyn Exporter>], name: &str) -> Result<&'a dyn Exporter, String> {
    let found = exporters.iter().find(|exporter| exporter.name() == name).map(|exporter| &**exporter);
    found.ok_or_else(|| {
        let near = nearest::among(name, exporters.iter().map(|exporter| exporter.name()));
        let advice = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("no collector `{name}`{advice}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuse(text: &str, reader: Option<&str>, problem: &str) {
        let error = Kept::parse(text, reader).expect_err(problem);
        assert!(error.contains(problem), "{error}");
    }

    #[test]
    fn the_first_line_names_the_exporter() {
        let text = format!("{}profile = 'vm'\n", first_line("cpu", "stat", 90));
        let kept = Kept::parse(&text, None).unwrap();
        assert_eq!((kept.reader.as_str(), kept.other.as_str(), kept.later.as_secs()), ("cpu", "stat", 90));
        let kept = Kept::parse("profile = 'vm'\n", Some("cpu")).unwrap();
        assert_eq!((kept.reader.as_str(), kept.other.as_str(), kept.later.as_secs()), ("cpu", "cpu", 0));
    }

    #[test]
    fn an_invalid_case_is_refused_with_advice() {
        refuse("profile = 'vm'\n", None, "begin with `# nodelab laws: COLLECTOR`");
        refuse("# nodelab laws: cpu later=soon\nprofile = 'vm'\n", None, "later: expected ");
        refuse("# nodelab laws: cpu latr=1s\nprofile = 'vm'\n", None, "expected beside=… or later=…, found `latr=1s`");
        refuse("profile = 'v'\n", Some("cpu"), "line 1: no profile is called `v`");
        let kept = Kept::parse("# nodelab laws: cpuu\nprofile = 'vm'\n", None).unwrap();
        let ours = super::super::Laws::ours();
        let error = kept.check(ours.exporters()).expect_err("no such exporter");
        assert_eq!(error, "no collector `cpuu`; did you mean `cpu`?");
    }
}
