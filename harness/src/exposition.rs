//! A strict parser of the Prometheus text format 0.0.4, with positions: what a page says, and what is wrong with it.
//!
//! It refuses what `promtool check metrics` refuses and what that lets pass: duplicate samples, families that are
//! split, histograms without `+Inf`, a page without a final newline.

mod parse;

use std::collections::BTreeSet;
use std::fmt;

/// A parsed page.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Exposition<'a> {
    /// The families in the order in which they stand.
    pub families: Vec<Family<'a>>,
}

/// One family of a page.
#[derive(PartialEq, Eq, Debug)]
pub struct Family<'a> {
    /// Its name.
    pub name: &'a str,
    /// The word of its TYPE line; `untyped` where there is none.
    pub kind: &'a str,
    /// Its HELP text as it stands, still escaped.
    pub help: Option<&'a str>,
    /// Its samples in the order in which they stand.
    pub samples: Vec<Sample<'a>>,
}

/// One sample line.
#[derive(PartialEq, Eq, Debug)]
pub struct Sample<'a> {
    /// The number of its line; the first is 1.
    pub line: usize,
    /// Its whole text.
    pub text: &'a str,
    /// Its name, with `_bucket` and the like.
    pub name: &'a str,
    /// Its labels, values unescaped.
    pub labels: Vec<(&'a str, String)>,
    /// Its value as it stands.
    pub value: &'a str,
    /// Its value.
    pub number: Float,
}

impl Sample<'_> {
    /// Name and labels as they stand: everything before the value.
    pub fn series(&self) -> &str {
        self.text[..self.text.len() - self.value.len()].trim_end()
    }
}

/// A value, compared bit by bit so that a NaN equals itself.
#[derive(Clone, Copy, Debug)]
pub struct Float(pub f64);

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Float {}

/// What is wrong with a page, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defect {
    /// The number of the line; the first is 1.
    pub line: usize,
    /// The number of the character in it; the first is 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

/// Reads a page; every defect is in the error.
pub fn parse(page: &[u8]) -> Result<Exposition<'_>, Vec<Defect>> {
    let text = std::str::from_utf8(page).map_err(|error| {
        let line = page[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
        vec![Defect { line, column: 1, problem: "bytes that are no UTF-8".to_owned() }]
    })?;
    let mut reader = Reader::default();
    if text.is_empty() {
        reader.defect(1, 1, "the page is empty");
    }
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let Some(line) = line.strip_suffix('\n') else {
            reader.defect(number, line.chars().count() + 1, "the last line has no newline at its end");
            reader.line(number, line);
            continue;
        };
        reader.line(number, line);
    }
    reader.finish()
}

#[derive(Default)]
struct Reader<'a> {
    page: Exposition<'a>,
    closed: BTreeSet<&'a str>,
    series: BTreeSet<&'a str>,
    defects: Vec<Defect>,
}

impl<'a> Reader<'a> {
    fn defect(&mut self, line: usize, column: usize, problem: impl Into<String>) {
        self.defects.push(Defect { line, column, problem: problem.into() });
    }

    fn line(&mut self, number: usize, line: &'a str) {
        if line.ends_with('\r') {
            self.defect(number, line.chars().count(), "a carriage return; lines end in LF alone");
        }
        if let Some(comment) = line.strip_prefix('#') {
            self.comment(number, comment.trim_start());
        } else if !line.trim().is_empty() {
            match parse::sample(number, line) {
                Ok(sample) => self.sample(sample),
                Err(defect) => self.defects.push(defect),
            }
        }
    }

    fn comment(&mut self, number: usize, comment: &'a str) {
        let (word, rest) = comment.split_once(' ').unwrap_or((comment, ""));
        if word != "HELP" && word != "TYPE" {
            return;
        }
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        if !parse::is_metric_name(name) {
            self.defect(number, 1, format!("`{name}` is no metric name"));
            return;
        }
        let family = self.family(number, name);
        let problem = match word {
            "HELP" if family.help.is_some() => Some("a second HELP line"),
            "HELP" => {
                family.help = Some(rest);
                None
            }
            _ if !family.samples.is_empty() => Some("a TYPE line after a sample"),
            _ if !family.kind.is_empty() => Some("a second TYPE line"),
            _ => {
                family.kind = rest;
                let known = ["counter", "gauge", "histogram", "summary", "untyped"].contains(&rest);
                (!known).then_some("an unknown type")
            }
        };
        if let Some(problem) = problem {
            self.defect(number, 1, format!("{problem} for `{name}`"));
        }
    }

    /// The family that is open, or a new one.
    fn family(&mut self, line: usize, name: &'a str) -> &mut Family<'a> {
        if self.page.families.last().is_none_or(|family| family.name != name) {
            if let Some(last) = self.page.families.last() {
                self.closed.insert(last.name);
            }
            if self.closed.contains(name) {
                self.defect(line, 1, format!("the family `{name}` is split: it began further up"));
            }
            self.page.families.push(Family { name, kind: "", help: None, samples: Vec::new() });
        }
        let last = self.page.families.len() - 1;
        &mut self.page.families[last]
    }

    fn sample(&mut self, sample: Sample<'a>) {
        let open = self.page.families.last();
        let belongs = open.is_some_and(|family| parse::is_of_family(sample.name, family.name, family.kind));
        if !belongs {
            self.family(sample.line, sample.name);
        }
        let series = &sample.text[..sample.series().len()];
        if !self.series.insert(series) {
            self.defect(sample.line, 1, format!("`{series}` is there already"));
        }
        if let Some(family) = self.page.families.last_mut() {
            family.samples.push(sample);
        }
    }

    fn finish(mut self) -> Result<Exposition<'a>, Vec<Defect>> {
        for family in &mut self.page.families {
            if family.kind.is_empty() {
                family.kind = "untyped";
            }
        }
        let mut defects = std::mem::take(&mut self.defects);
        defects.extend(self.page.families.iter().filter_map(histogram_defect));
        if defects.is_empty() { Ok(self.page) } else { Err(defects) }
    }
}

/// A histogram has a `+Inf` bucket for each of its counts.
fn histogram_defect(family: &Family<'_>) -> Option<Defect> {
    if family.kind != "histogram" {
        return None;
    }
    let is_last = |sample: &&Sample<'_>| sample.labels.iter().any(|(label, value)| *label == "le" && value == "+Inf");
    let ends = family.samples.iter().filter(is_last).count();
    let counts = family.samples.iter().filter(|sample| sample.name.ends_with("_count")).count();
    let line = family.samples.first().map_or(0, |sample| sample.line);
    (ends != counts).then(|| Defect {
        line,
        column: 1,
        problem: format!("the histogram `{}` has {counts} counts but {ends} buckets of le=\"+Inf\"", family.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(page: &str, expected: &[&str]) {
        let found = parse(page.as_bytes()).err().unwrap_or_default();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{page}");
    }

    #[test]
    fn a_good_page_is_taken_apart() {
        let page = "# HELP a Help.\n# TYPE a gauge\na{x=\"1\\\"2\",y=\"\"} 1e+06\na NaN\n# free words\nb 1\n";
        let page = parse(page.as_bytes()).expect("a good page");
        assert_eq!(page.families.len(), 2);
        let first = &page.families[0];
        assert_eq!((first.name, first.kind, first.help), ("a", "gauge", Some("Help.")));
        assert_eq!(first.samples[0].labels, [("x", "1\"2".to_owned()), ("y", String::new())]);
        assert_eq!(first.samples[0].series(), "a{x=\"1\\\"2\",y=\"\"}");
        assert_eq!(first.samples[0].number, Float(1e6));
        assert_eq!(page.families[1].kind, "untyped");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        check("", &["1:1: the page is empty"]);
        check("a 1", &["1:4: the last line has no newline at its end"]);
        check("a 1\r\n", &["1:4: a carriage return; lines end in LF alone", "1:3: `1\r` is no value"]);
        check("a 1\na 2\n", &["2:1: `a` is there already"]);
        check("a 1\nb 1\na{x=\"1\"} 2\n", &["3:1: the family `a` is split: it began further up"]);
        check("# TYPE a gauge\n# TYPE a gauge\na 1\n", &["2:1: a second TYPE line for `a`"]);
        check("# HELP a x\n# HELP a y\na 1\n", &["2:1: a second HELP line for `a`"]);
        check("# TYPE a gauge\na 1\n# TYPE a gauge\n", &["3:1: a TYPE line after a sample for `a`"]);
        check("# TYPE a gouge\na 1\n", &["1:1: an unknown type for `a`"]);
        check("1a 1\n", &["1:1: a metric name begins here, of [a-zA-Z0-9_:] without a digit first"]);
        check("a{x=1} 1\n", &["1:5: a label value stands in double quotes"]);
        check("a{x=\"1} 1\n", &["1:10: the label value does not end"]);
        check("a{x=\"\\t\"} 1\n", &["1:7: only \\\\, \\\" and \\n are escapes"]);
        check("a{x=\"1\",x=\"2\"} 1\n", &["1:9: the label `x` is there already"]);
        check("a one\n", &["1:3: `one` is no value"]);
        check("a 1 2 3\n", &["1:7: nothing may follow the timestamp"]);
        check(
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
            &["2:1: the histogram `h` has 1 counts but 0 buckets of le=\"+Inf\""],
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(page: Vec<u8>) {
            let _ = parse(&page);
        }

        #[test]
        fn any_text_of_the_formats_letters_is_read_or_refused(page in "[a#{}=\"\\\\\n 1,éTYPEHL]{0,60}") {
            let _ = parse(page.as_bytes());
        }
    }
}
