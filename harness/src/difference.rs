//! How two pages differ in the families that both have, and which of that is known and justified.

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;

use crate::exposition::{Exposition, Family};

/// One line that only one of the pages has, or a type that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The family.
    pub family: String,
    /// `-` for the peer's, `+` for ours.
    pub sign: char,
    /// The line.
    pub line: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.sign, self.line)
    }
}

/// What differs in the families that both pages have. HELP texts are everybody's own.
pub fn between(ours: &Exposition<'_>, theirs: &Exposition<'_>) -> Vec<Difference> {
    let ours: BTreeMap<&str, &Family<'_>> = ours.families.iter().map(|family| (family.name, family)).collect();
    let mut differences = Vec::new();
    for theirs in theirs.families.iter().filter(|family| !family.samples.is_empty()) {
        let Some(ours) = ours.get(theirs.name) else { continue };
        let mut differ = |sign, line: String| {
            differences.push(Difference { family: theirs.name.to_owned(), sign, line });
        };
        if ours.kind != theirs.kind {
            differ('-', format!("# TYPE {} {}", theirs.name, theirs.kind));
            differ('+', format!("# TYPE {} {}", ours.name, ours.kind));
        }
        let lines =
            |family: &Family<'_>| family.samples.iter().map(|sample| sample.text.to_owned()).collect::<Vec<_>>();
        let (before, after) = (lines(theirs), lines(ours));
        let (before, after): (Vec<&str>, Vec<&str>) =
            (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
        for change in similar::TextDiff::from_slices(&before, &after).iter_all_changes() {
            match change.tag() {
                similar::ChangeTag::Equal => {}
                similar::ChangeTag::Delete => differ('-', change.value().to_owned()),
                similar::ChangeTag::Insert => differ('+', change.value().to_owned()),
            }
        }
    }
    differences
}

/// A difference that is known: a pattern of lines, and why they differ.
#[derive(Debug)]
pub struct Known {
    /// Matches the lines, without their sign.
    pub pattern: Regex,
    /// Why they differ.
    pub reason: String,
}

/// The known differences in a Markdown text: the rows of the table below this heading, `| pattern | reason |`, the
/// pattern in backticks.
pub fn known(markdown: &str, heading: &str) -> Result<Vec<Known>, String> {
    let (_, section) = markdown.split_once(heading).ok_or_else(|| format!("there is no heading `{heading}`"))?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let row_error = |problem: &str| format!("{problem}: {row}");
        let (pattern, reason) = row[3..].split_once("` | ").ok_or_else(|| row_error("no pattern in backticks"))?;
        let pattern = Regex::new(&pattern.replace("\\|", "|")).map_err(|error| row_error(&error.to_string()))?;
        let reason = reason.trim_end_matches(['|', ' ']).to_owned();
        if reason.is_empty() { Err(row_error("no reason")) } else { Ok(Known { pattern, reason }) }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition;

    #[test]
    fn only_families_of_both_are_compared_line_by_line() {
        let ours = exposition::parse(b"# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2\nours 1\n").expect("a page");
        let theirs = exposition::parse(b"# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 3\ntheirs 1\n").expect("a page");
        let found: Vec<String> = between(&ours, &theirs).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["-# TYPE a counter", "+# TYPE a gauge", "-a{x=\"2\"} 3", "+a{x=\"2\"} 2"]);
    }

    #[test]
    fn known_differences_are_rows_of_a_table() {
        let text =
            "# x\n\n## one\n\n| lines | reason |\n|---|---|\n| `^a\\|b` | Because. |\n\n## two\n| `^c` | Not this. |\n";
        let known = known(text, "## one").expect("a table");
        assert_eq!(known.len(), 1);
        assert!(known[0].pattern.is_match("b") && known[0].reason == "Because.");
        assert!(super::known("## one\n| `(` | x |\n", "## one").is_err());
        assert!(super::known("## one\n| `a` | |\n", "## one").is_err());
    }
}
