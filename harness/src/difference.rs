//! Differences between two pages in diff form, and which of them are known.

#[cfg(target_os = "linux")]
pub mod folder;
pub mod known;
#[cfg(target_os = "linux")]
pub mod live;
pub mod maker;
pub mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use regex::Regex;

use crate::exposition::{self, Exposition, Family, Format, Sample, Severity};
use known::Knowledge;
use show::Compared;

/// Kind of a difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// A family that only one page has.
    Family,
    /// The type of a family.
    Type,
    /// A sample that only one page has.
    Sample,
    /// The value of a sample.
    Value,
    /// The position of a sample.
    Order,
}

impl What {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Family, Self::Type, Self::Sample, Self::Value, Self::Order];

    /// The name in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Type => "type",
            Self::Sample => "sample",
            Self::Value => "value",
            Self::Order => "order",
        }
    }
}

/// A line that only one of the pages has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Name of the family.
    pub family: String,
    /// Kind of the difference.
    pub what: What,
    /// `-` for the peer's page, `+` for ours.
    pub sign: char,
    /// The text of the line.
    pub line: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.sign, self.line)
    }
}

/// A label that our page has and the peer's lacks: it is removed before the comparison.
#[derive(Debug)]
pub struct AddedLabel {
    /// Matches the names of the families.
    pub families: Regex,
    /// Name of the label.
    pub label: String,
}

/// The line of a sample without the added labels.
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

/// Maximum number of errors reported for a page.
const TOLD_MAX: usize = 5;

/// Parses a page in either format; the error lists its first defects.
pub(crate) fn parse<'a>(name: &str, page: &'a [u8]) -> io::Result<Exposition<'a>> {
    let judged = exposition::judge(page, Format::of_page(page));
    let errors = judged.defects.iter().filter(|defect| defect.rule.severity() == Severity::Error);
    let errors: Vec<String> = errors.take(TOLD_MAX).map(|defect| format!("{name}:{defect}")).collect();
    if errors.is_empty() { Ok(judged.page) } else { Err(io::Error::other(errors.join("\n"))) }
}

/// Compares two pages, restricted to the families that `is_compared` accepts.
pub fn pages<'a>(
    place: &str,
    ours: &[u8],
    theirs: &[u8],
    knowledge: &'a Knowledge,
    is_compared: impl Fn(&str) -> bool,
) -> io::Result<Compared<'a>> {
    let (ours, theirs) =
        (parse(&format!("{place}: our page"), ours)?, parse(&format!("{place}: the peer's page"), theirs)?);
    let mut differences = families_of_one(&ours, &theirs);
    differences.extend(between(&ours, &theirs, &knowledge.added));
    differences.retain(|difference| is_compared(&difference.family));
    let names = by_name(&ours);
    let families = by_name(&theirs).keys().filter(|name| names.contains_key(*name) && is_compared(name)).count();
    Ok(Compared { place: place.to_owned(), families, sorted: knowledge.sort(place, differences) })
}

/// The difference in type of a family.
pub(crate) fn types(ours: &Family<'_>, theirs: &Family<'_>) -> Vec<Difference> {
    if ours.kind == theirs.kind {
        return Vec::new();
    }
    let of = |sign, family: &Family<'_>| Difference {
        family: theirs.name.to_owned(),
        what: What::Type,
        sign,
        line: format!("# TYPE {} {}", family.name, family.kind),
    };
    vec![of('-', theirs), of('+', ours)]
}

/// Differences in the families that both pages have. HELP texts are not compared.
pub fn between(ours: &Exposition<'_>, theirs: &Exposition<'_>, added: &[AddedLabel]) -> Vec<Difference> {
    let ours = by_name(ours);
    let theirs = theirs.families.iter().filter(|family| !family.samples.is_empty());
    let both = theirs.filter_map(|theirs| Some((ours.get(theirs.name)?, theirs)));
    both.flat_map(|(ours, theirs)| of_family(ours, theirs, added)).collect()
}

/// Families that only one page has.
pub fn families_of_one(ours: &Exposition<'_>, theirs: &Exposition<'_>) -> Vec<Difference> {
    let (ours, theirs) = (by_name(ours), by_name(theirs));
    let only = |sign, one: &BTreeMap<&str, &Family<'_>>, other: &BTreeMap<&str, &Family<'_>>| -> Vec<Difference> {
        let families = one.values().filter(|family| !other.contains_key(family.name));
        let family =
            |name: &str| Difference { family: name.to_owned(), what: What::Family, sign, line: name.to_owned() };
        families.map(|found| family(found.name)).collect()
    };
    let mut differences = only('-', &theirs, &ours);
    differences.extend(only('+', &ours, &theirs));
    differences
}

/// Families with samples, by name.
fn by_name<'a>(page: &'a Exposition<'a>) -> BTreeMap<&'a str, &'a Family<'a>> {
    let families = page.families.iter().filter(|family| !family.samples.is_empty());
    families.map(|family| (family.name, family)).collect()
}

fn of_family(ours: &Family<'_>, theirs: &Family<'_>, added: &[AddedLabel]) -> Vec<Difference> {
    let mut differences = types(ours, theirs);
    let lines = |family: &Family<'_>| {
        let mut lines: Vec<String> = family.samples.iter().map(|sample| line(sample, family.name, added)).collect();
        if added.iter().any(|added| added.families.is_match(family.name)) {
            // An added label changes the order.
            lines.sort();
        }
        lines
    };
    let (before, after) = (lines(theirs), lines(ours));
    let [before_set, after_set] =
        [&before, &after].map(|lines| lines.iter().map(String::as_str).collect::<BTreeSet<_>>());
    let series = |line: &str| line.rsplit_once(' ').map_or(line, |(series, _)| series).to_owned();
    let [before_series, after_series] =
        [&before, &after].map(|lines| lines.iter().map(|line| series(line)).collect::<BTreeSet<_>>());
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
    for change in similar::TextDiff::from_slices(&before, &after).iter_all_changes() {
        let (sign, other, other_series) = match change.tag() {
            similar::ChangeTag::Equal => continue,
            similar::ChangeTag::Delete => ('-', &after_set, &after_series),
            similar::ChangeTag::Insert => ('+', &before_set, &before_series),
        };
        let line = change.value();
        let what = if other.contains(line) {
            What::Order
        } else if other_series.contains(&series(line)) {
            What::Value
        } else {
            What::Sample
        };
        differences.push(Difference { family: theirs.name.to_owned(), what, sign, line: line.to_owned() });
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ours: &str, theirs: &str, added: &[AddedLabel], expected: &[&str]) {
        let [ours, theirs] = [ours, theirs].map(|page| exposition::parse(page.as_bytes()).expect("a page"));
        let mut found = families_of_one(&ours, &theirs);
        found.extend(between(&ours, &theirs, added));
        let found: Vec<String> = found.iter().map(|found| format!("{} {found}", found.what.word())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        check("# HELP a Ours.\na 1\n", "# HELP a Theirs.\na 1\n", &[], &[]);
        check("a 1\n", "a 2\n", &[], &["value -a 2", "value +a 1"]);
        check("a{x=\"1\"} 1\n", "a{x=\"2\"} 1\n", &[], &["sample -a{x=\"2\"} 1", "sample +a{x=\"1\"} 1"]);
        check("ours 1\n", "theirs 1\n", &[], &["family -theirs", "family +ours"]);
        let (gauge, counter) = ("# TYPE a gauge\na 1\n", "# TYPE a counter\na 1\n");
        check(gauge, counter, &[], &["type -# TYPE a counter", "type +# TYPE a gauge"]);
        let (up, down) = ("a{x=\"1\"} 1\na{x=\"2\"} 2\n", "a{x=\"2\"} 2\na{x=\"1\"} 1\n");
        check(up, down, &[], &["order +a{x=\"1\"} 1", "order -a{x=\"1\"} 1"]);
        check("# TYPE a gauge\nb 1\n", "b 1\n", &[], &[]);
    }

    #[test]
    fn an_invalid_page_is_refused_with_its_first_errors() {
        for lines in [TOLD_MAX, TOLD_MAX + 1] {
            let error = parse("theirs", "1\n".repeat(lines).as_bytes()).expect_err("no page").to_string();
            assert_eq!(error.lines().count(), TOLD_MAX, "{error}");
            assert!(error.starts_with("theirs:1:1: error: expected a metric name"), "{error}");
        }
        assert!(parse("theirs", b"# TYPE a counter\na_total 1\n# EOF\n").is_ok());
    }

    #[test]
    fn an_added_label_is_left_out_and_the_rest_is_compared() {
        let added = [AddedLabel { families: Regex::new("^a$").expect("a pattern"), label: "new".to_owned() }];
        let (ours, theirs) =
            ("a{new=\"1\",x=\"\\\"2\"} 1\na{new=\"0\",x=\"3\"} 2\n", "a{x=\"\\\"2\"} 1\na{x=\"3\"} 7\n");
        check(ours, theirs, &added, &["value -a{x=\"3\"} 7", "value +a{x=\"3\"} 2"]);
    }
}
