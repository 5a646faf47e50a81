//! Prometheus' text format 0.0.4 and OpenMetrics 1.0, read strictly and with positions: what a page says, and what is
//! wrong with it.
//!
//! [`judge`] knows what `promtool check metrics` knows, and what that lets pass: duplicate samples, families that are
//! split, histograms that contradict themselves. [`Rule`] is the table of it.

mod cursor;
mod kinds;
mod metrics;
mod names;
mod order;
mod reader;
mod rule;

use std::fmt;

pub use cursor::EXEMPLAR_MAX_CHARACTERS;
pub use rule::{Rule, Severity};

/// The format of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// The text format, version 0.0.4.
    Text,
    /// OpenMetrics, version 1.0.
    OpenMetrics,
}

impl Format {
    /// The format that an answer's content type names, if it names one of the two.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            "text/plain" => Some(Self::Text),
            _ => None,
        }
    }

    /// The format that a page without a content type seems to have: one alone ends in `# EOF`.
    pub fn of_page(page: &[u8]) -> Self {
        if page.trim_ascii_end().ends_with(b"\n# EOF") { Self::OpenMetrics } else { Self::Text }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::OpenMetrics => "openmetrics",
        }
    }
}

/// A parsed page.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Exposition<'a> {
    /// The families in the order in which they stand.
    pub families: Vec<Family<'a>>,
}

impl Exposition<'_> {
    /// How many samples it has.
    pub fn samples(&self) -> usize {
        self.families.iter().map(|family| family.samples.len()).sum()
    }
}

/// One family of a page.
#[derive(PartialEq, Eq, Debug)]
pub struct Family<'a> {
    /// Its name.
    pub name: &'a str,
    /// The number of the line that it begins on; the first is 1.
    pub line: usize,
    /// The word of its TYPE line; `untyped` (`unknown` in OpenMetrics) where there is none.
    pub kind: &'a str,
    /// Its HELP text as it stands, still escaped.
    pub help: Option<&'a str>,
    /// Its unit, which OpenMetrics alone has.
    pub unit: Option<&'a str>,
    /// Its samples in the order in which they stand.
    pub samples: Vec<Sample<'a>>,
}

/// One sample line.
#[derive(PartialEq, Eq, Debug)]
pub struct Sample<'a> {
    /// The number of its line; the first is 1.
    pub line: usize,
    /// Its text up to the end of its value.
    pub text: &'a str,
    /// Its name, with `_bucket` and the like.
    pub name: &'a str,
    /// Its labels, values unescaped.
    pub labels: Vec<(&'a str, String)>,
    /// Its value as it stands.
    pub value: &'a str,
    /// Its value.
    pub number: Float,
    /// When it was taken, in the format's own unit: milliseconds, or seconds in OpenMetrics.
    pub timestamp: Option<Float>,
    /// The case in point that OpenMetrics allows.
    pub exemplar: Option<Exemplar<'a>>,
}

impl Sample<'_> {
    /// Name and labels as they stand: everything before the value.
    pub fn series(&self) -> &str {
        self.text[..self.text.len() - self.value.len()].trim_end()
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| value.as_str())
    }

    /// What tells it from others, in whatever order its labels stand; an empty label is none.
    pub fn identity(&self) -> String {
        self.identity_without(self.name, "")
    }

    /// The same without one label, for what has several samples.
    fn identity_without(&self, name: &str, left_out: &str) -> String {
        let labels = self.labels.iter().filter(|(label, value)| *label != left_out && !value.is_empty());
        let mut labels: Vec<String> = labels.map(|(label, value)| format!("{label}={value:?}")).collect();
        labels.sort_unstable();
        format!("{name}{{{}}}", labels.join(","))
    }
}

/// A case in point of a bucket or counter.
#[derive(PartialEq, Eq, Debug)]
pub struct Exemplar<'a> {
    /// Its labels, values unescaped.
    pub labels: Vec<(&'a str, String)>,
    /// Its value.
    pub number: Float,
    /// When it was taken, in seconds.
    pub timestamp: Option<Float>,
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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Defect {
    /// The number of the line; the first is 1.
    pub line: usize,
    /// The number of the character in it; the first is 1.
    pub column: usize,
    /// What finds it.
    pub rule: Rule,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, rule, problem } = self;
        write!(f, "{line}:{column}: {}: {problem} [{rule}]", rule.severity())
    }
}

/// A page, as far as it could be read, and everything that is wrong with it, by its place.
#[derive(Debug)]
pub struct Judged<'a> {
    /// What the page says.
    pub page: Exposition<'a>,
    /// What is wrong with it.
    pub defects: Vec<Defect>,
}

impl Judged<'_> {
    /// The gravest of what is wrong.
    pub fn worst(&self) -> Option<Severity> {
        self.defects.iter().map(|defect| defect.rule.severity()).max()
    }
}

/// Reads a page and applies every [`Rule`].
pub fn judge(page: &[u8], format: Format) -> Judged<'_> {
    let (page, mut defects) = reader::read(page, format);
    for family in &page.families {
        metrics::check(family, format, &mut defects);
        names::check(family, format, &mut defects);
    }
    order::check(&page, &mut defects);
    defects.sort();
    defects.dedup();
    Judged { page, defects }
}

/// Reads a page in the text format; every error is given, and nothing milder.
pub fn parse(page: &[u8]) -> Result<Exposition<'_>, Vec<Defect>> {
    without_errors(page, |_| true)
}

/// The same of a host whose files may lie: a counter is what its file says, and may be negative where that is.
pub fn parse_as_told(page: &[u8]) -> Result<Exposition<'_>, Vec<Defect>> {
    without_errors(page, |rule| rule != Rule::CounterValue)
}

fn without_errors(page: &[u8], counts: impl Fn(Rule) -> bool) -> Result<Exposition<'_>, Vec<Defect>> {
    let mut judged = judge(page, Format::Text);
    judged.defects.retain(|defect| defect.rule.severity() == Severity::Error && counts(defect.rule));
    if judged.defects.is_empty() { Ok(judged.page) } else { Err(judged.defects) }
}

#[cfg(test)]
mod tests;
