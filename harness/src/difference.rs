//! How two pages differ in the families that both have, and which of that is known and justified.

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;

use crate::exposition::{Exposition, Family, Sample};

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

/// A label that ours has and the peer's has not: it is left out of the comparison, so that the rest of the line is not.
#[derive(Debug)]
pub struct AddedLabel {
    /// Matches the families.
    pub families: Regex,
    /// The label.
    pub label: String,
}

/// A sample's line without the labels that the peer does not know.
pub(crate) fn line(sample: &Sample<'_>, family: &str, added: &[AddedLabel]) -> String {
    let is_added = |label: &str| added.iter().any(|added| added.label == label && added.families.is_match(family));
    if !sample.labels.iter().any(|(label, _)| is_added(label)) {
        return sample.text.to_owned();
    }
    let labels = sample.labels.iter().filter(|(label, _)| !is_added(label));
    let labels: Vec<String> = labels.map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    format!("{}{{{}}} {}", sample.name, labels.join(","), sample.value)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// What differs in the families that both pages have. HELP texts are everybody's own.
pub fn between(ours: &Exposition<'_>, theirs: &Exposition<'_>, added: &[AddedLabel]) -> Vec<Difference> {
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
        let lines = |family: &Family<'_>| {
            let mut lines: Vec<String> = family.samples.iter().map(|sample| line(sample, family.name, added)).collect();
            if added.iter().any(|added| added.families.is_match(family.name)) {
                // A label more is another order.
                lines.sort();
            }
            lines
        };
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

/// The rows of the table below this heading of a Markdown text: their first column, a pattern in backticks, and their
/// second.
fn rows(markdown: &str, heading: &str) -> Result<Vec<(Regex, String)>, String> {
    let (_, section) = markdown.split_once(heading).ok_or_else(|| format!("there is no heading `{heading}`"))?;
    let section = section.split("\n#").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let row_error = |problem: &str| format!("{problem}: {row}");
        let (pattern, rest) = row[3..].split_once("` | ").ok_or_else(|| row_error("no pattern in backticks"))?;
        let pattern = Regex::new(&pattern.replace("\\|", "|")).map_err(|error| row_error(&error.to_string()))?;
        let second = rest.split('|').next().unwrap_or_default().trim().to_owned();
        if second.is_empty() { Err(row_error("no second column")) } else { Ok((pattern, second)) }
    })
    .collect()
}

/// The known differences that the table below this heading lists: `| pattern | reason |`.
pub fn known(markdown: &str, heading: &str) -> Result<Vec<Known>, String> {
    Ok(rows(markdown, heading)?.into_iter().map(|(pattern, reason)| Known { pattern, reason }).collect())
}

/// The added labels that the table below this heading lists: `| pattern of families | label |`.
pub fn added_labels(markdown: &str, heading: &str) -> Result<Vec<AddedLabel>, String> {
    let label = |label: String| label.trim_matches('`').to_owned();
    let rows = rows(markdown, heading)?.into_iter();
    Ok(rows.map(|(families, second)| AddedLabel { families, label: label(second) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition;

    #[test]
    fn only_families_of_both_are_compared_line_by_line() {
        let ours = exposition::parse(b"# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2\nours 1\n").expect("a page");
        let theirs = exposition::parse(b"# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 3\ntheirs 1\n").expect("a page");
        let found: Vec<String> = between(&ours, &theirs, &[]).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["-# TYPE a counter", "+# TYPE a gauge", "-a{x=\"2\"} 3", "+a{x=\"2\"} 2"]);
    }

    #[test]
    fn an_added_label_is_left_out_and_the_rest_is_compared() {
        let ours = exposition::parse(b"a{new=\"1\",x=\"\\\"2\"} 1\na{new=\"0\",x=\"3\"} 2\n").expect("a page");
        let theirs = exposition::parse(b"a{x=\"\\\"2\"} 1\na{x=\"3\"} 7\n").expect("a page");
        let added = added_labels("# x\n| families | label |\n| `^a$` | `new` |\n", "# x").expect("a table");
        let found: Vec<String> = between(&ours, &theirs, &added).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["-a{x=\"3\"} 7", "+a{x=\"3\"} 2"]);
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
