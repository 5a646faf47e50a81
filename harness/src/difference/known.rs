//! Known differences: tables of a Markdown file, each row with a reason. A row that matches nothing on a host that it
//! names is an error.

use std::collections::BTreeSet;

use regex::Regex;

use super::{AddedLabel, Difference};

/// Header of a table of known differences.
const LINES: &str = "| lines | where | reason |";
/// Header of a table of labels that the peer lacks.
const LABELS: &str = "| families | label |";

/// A known difference.
#[derive(Debug)]
pub struct KnownDifference {
    /// Matches lines without their sign.
    pub pattern: Regex,
    /// Hosts where it occurs.
    pub places: Vec<String>,
    /// Why the exporters differ.
    pub reason: String,
}

/// Known differences from one peer.
#[derive(Default, Debug)]
pub struct KnownDifferences {
    /// Known differing lines.
    pub known: Vec<KnownDifference>,
    /// Labels that the peer lacks.
    pub added: Vec<AddedLabel>,
}

/// Differences of one host, split by whether they are known.
#[derive(Debug)]
pub struct Classified<'a> {
    /// Differences that no row explains.
    pub unknown: Vec<Difference>,
    /// Known differences, each with its row.
    pub known: Vec<(Difference, &'a KnownDifference)>,
    /// Rows that name this host but match nothing.
    pub stale: Vec<&'a KnownDifference>,
}

impl KnownDifferences {
    /// Parses every such table of a Markdown text.
    pub fn parse(markdown: &str) -> Result<Self, String> {
        let mut knowledge = Self::default();
        let mut lines = (1..).zip(markdown.lines()).peekable();
        while let Some((_, line)) = lines.next() {
            if line != LINES && line != LABELS {
                continue;
            }
            while let Some((number, row)) = lines.next_if(|(_, row)| row.starts_with('|')) {
                if row.starts_with("| `") {
                    knowledge.row(line == LINES, row).map_err(|problem| format!("line {number}: {problem}"))?;
                }
            }
        }
        Ok(knowledge)
    }

    /// Parses the section `## From VERSION …`, or the whole text if there is no such section.
    pub fn of_version(markdown: &str, version: &str) -> Result<Self, String> {
        let is_own = |section: &&str| section.starts_with(&format!("From {version} "));
        match markdown.split("\n## ").find(is_own) {
            Some(section) => Self::parse(section),
            None => Ok(Self::default()),
        }
    }

    fn row(&mut self, is_line: bool, row: &str) -> Result<(), String> {
        let (pattern, rest) = row
            .strip_prefix("| `")
            .and_then(|rest| rest.split_once("` | "))
            .ok_or("expected a pattern in backticks")?;
        let pattern = Regex::new(&pattern.replace("\\|", "|")).map_err(|error| error.to_string())?;
        let cells: Vec<&str> = rest.trim_end().trim_end_matches('|').split('|').map(str::trim).collect();
        match *cells.as_slice() {
            [places, reason] if is_line && !places.is_empty() && !reason.is_empty() => {
                let places = places.split(", ").map(str::to_owned).collect();
                self.known.push(KnownDifference { pattern, places, reason: reason.to_owned() });
            }
            [label] if !is_line && !label.is_empty() => {
                self.added.push(AddedLabel { families: pattern, label: label.trim_matches('`').to_owned() });
            }
            _ if is_line => return Err("expected a pattern, its hosts, and a reason".to_owned()),
            _ => return Err("expected a pattern of families and a label".to_owned()),
        }
        Ok(())
    }

    /// Whether any row names this host.
    fn knows(&self, place: &str) -> bool {
        self.known.iter().any(|known| known.places.iter().any(|known| known == place))
    }

    /// Splits the differences of a host. If rows name the host, only those apply and each must match; otherwise any row
    /// may explain a difference.
    pub fn sort(&self, place: &str, differences: Vec<Difference>) -> Classified<'_> {
        let is_named = self.knows(place);
        let rows = self.known.iter().filter(|known| !is_named || known.places.iter().any(|known| known == place));
        let rows: Vec<&KnownDifference> = rows.collect();
        let mut seen = BTreeSet::new();
        let (mut unknown, mut explained) = (Vec::new(), Vec::new());
        for difference in differences {
            match rows.iter().position(|row| row.pattern.is_match(&difference.line)) {
                Some(at) => {
                    seen.insert(at);
                    explained.extend(rows.get(at).map(|row| (difference, *row)));
                }
                None => unknown.push(difference),
            }
        }
        let stale = rows.iter().enumerate().filter(|(at, _)| is_named && !seen.contains(at));
        let stale = stale.map(|(_, row)| *row).collect();
        Classified { unknown, known: explained, stale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::difference::DifferenceKind;

    const TEXT: &str = "# x\n\n## From 1.5.0 to 2\n\n### one\n\n| families | label |\n|---|---|\n| `^a$` | `new` |\n\n\
        | lines | where | reason |\n|---|---|---|\n| `^a\\|b` | laptop, bonded | Because. |\n| `^c` | laptop | Why not. |\n\n\
        ## From 3 to 4\n\n| lines | where | reason |\n|---|---|---|\n| `^d` | x | Else. |\n";

    fn difference(line: &str) -> Difference {
        Difference { family: "a".to_owned(), what: DifferenceKind::Sample, sign: '-', line: line.to_owned() }
    }

    #[track_caller]
    fn check(place: &str, lines: &[&str], unknown: &[&str], known: &[&str], stale: &[&str]) {
        let knowledge = KnownDifferences::of_version(TEXT, "1.5.0").expect("tables");
        let sorted = knowledge.sort(place, lines.iter().map(|line| difference(line)).collect());
        let found: Vec<&str> = sorted.unknown.iter().map(|found| found.line.as_str()).collect();
        assert_eq!(found, unknown);
        let found: Vec<&str> = sorted.known.iter().map(|(_, row)| row.reason.as_str()).collect();
        assert_eq!(found, known);
        let found: Vec<&str> = sorted.stale.iter().map(|row| row.pattern.as_str()).collect();
        assert_eq!(found, stale);
    }

    #[test]
    fn rows_of_tables_are_parsed() {
        let knowledge = KnownDifferences::of_version(TEXT, "1.5.0").expect("tables");
        assert_eq!((knowledge.known.len(), knowledge.added.len()), (2, 1));
        assert_eq!(knowledge.known[0].places, ["laptop", "bonded"]);
        assert_eq!(knowledge.added[0].label, "new");
        assert_eq!(KnownDifferences::parse(TEXT).expect("tables").known.len(), 3);
        assert!(KnownDifferences::of_version(TEXT, "9").expect("nothing").known.is_empty());
        for bad in ["| `(` | x | y |", "| `a` | | y |", "| `a` | x | |", "| `a` | x |", "| `a | x | y |"] {
            let error = KnownDifferences::parse(&format!("{LINES}\n|---|\n{bad}\n")).expect_err(bad);
            assert!(error.starts_with("line 3: "), "{error}");
        }
        assert!(KnownDifferences::parse(&format!("{LABELS}\n| `a` | `b` | c |\n")).is_err());
    }

    #[test]
    fn a_row_must_match_on_every_host_it_names() {
        check("laptop", &["b", "c"], &[], &["Because.", "Why not."], &[]);
        check("laptop", &["b"], &[], &["Because."], &["^c"]);
        check("bonded", &["b", "c"], &["c"], &["Because."], &[]);
        check("elsewhere", &["b", "z"], &["z"], &["Because."], &[]);
    }
}
