//! Strict parser and linter for the Prometheus text format 0.0.4 and OpenMetrics 1.0, with positions.
//!
//! [`judge`] applies the checks of `promtool check metrics` and further ones: duplicate samples, split families,
//! inconsistent histograms. [`Rule`] is the table of checks.

mod cursor;
mod kinds;
mod metrics;
mod names;
mod reader;
mod rule;

pub use cursor::EXEMPLAR_MAX_CHARACTERS;
pub use rule::{Rule, Severity};

use std::fmt;

/// Format of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The format of a Content-Type header, if it is one of the two.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            "text/plain" => Some(Self::Text),
            _ => None,
        }
    }

    /// The format of a page without a content type: only OpenMetrics ends in `# EOF`.
    pub fn of_page(page: &[u8]) -> Self {
        if page.trim_ascii_end().ends_with(b"\n# EOF") { Self::OpenMetrics } else { Self::Text }
    }

    /// The name in output.
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
    /// The families in page order.
    pub families: Vec<Family<'a>>,
}

impl Exposition<'_> {
    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.families.iter().map(|family| family.samples.len()).sum()
    }
}

/// One family of a page.
#[derive(PartialEq, Eq, Debug)]
pub struct Family<'a> {
    /// Its name.
    pub name: &'a str,
    /// Number of its first line, from 1.
    pub line: usize,
    /// Type of its TYPE line; `untyped` (`unknown` in OpenMetrics) if there is none.
    pub kind: &'a str,
    /// Its HELP text, still escaped.
    pub help: Option<&'a str>,
    /// Its unit, in OpenMetrics only.
    pub unit: Option<&'a str>,
    /// Its samples in page order.
    pub samples: Vec<Sample<'a>>,
}

/// One sample line.
#[derive(PartialEq, Eq, Debug)]
pub struct Sample<'a> {
    /// Line number, from 1.
    pub line: usize,
    /// Text of the line up to the end of the value.
    pub text: &'a str,
    /// Its name, with suffixes such as `_bucket`.
    pub name: &'a str,
    /// Its labels, values unescaped.
    pub labels: Vec<(&'a str, String)>,
    /// Text of the value.
    pub value: &'a str,
    /// Its value.
    pub number: Float,
    /// Timestamp in the unit of the format: milliseconds, or seconds in OpenMetrics.
    pub timestamp: Option<Float>,
    /// Exemplar, in OpenMetrics only.
    pub exemplar: Option<Exemplar<'a>>,
}

impl Sample<'_> {
    /// Name and labels as on the page: everything before the value.
    pub fn series(&self) -> &str {
        self.text[..self.text.len() - self.value.len()].trim_end()
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| value.as_str())
    }

    /// Identity of the series, independent of label order; an empty label counts as absent.
    pub fn identity(&self) -> String {
        self.identity_without(self.name, "")
    }

    /// Identity without one label, for metrics with several samples.
    fn identity_without(&self, name: &str, left_out: &str) -> String {
        let labels = self.labels.iter().filter(|(label, value)| *label != left_out && !value.is_empty());
        let mut labels: Vec<String> = labels.map(|(label, value)| format!("{label}={value:?}")).collect();
        labels.sort_unstable();
        format!("{name}{{{}}}", labels.join(","))
    }
}

/// Exemplar of a bucket or counter.
#[derive(PartialEq, Eq, Debug)]
pub struct Exemplar<'a> {
    /// Its labels, values unescaped.
    pub labels: Vec<(&'a str, String)>,
    /// Its value.
    pub number: Float,
    /// Timestamp in seconds.
    pub timestamp: Option<Float>,
}

/// A value, compared by its bits so that NaN equals NaN.
#[derive(Clone, Copy, Debug)]
pub struct Float(pub f64);

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Float {}

/// A defect of a page, with its position.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Defect {
    /// Line number, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The rule that reports it.
    pub rule: Rule,
    /// Description.
    pub problem: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, rule, problem } = self;
        write!(f, "{line}:{column}: {}: {problem} [{rule}]", rule.severity())
    }
}

/// A page as far as it could be parsed, and its defects in order of position.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The parsed page.
    pub page: Exposition<'a>,
    /// Its defects.
    pub defects: Vec<Defect>,
}

impl Judged<'_> {
    /// The highest severity of its defects.
    pub fn worst(&self) -> Option<Severity> {
        self.defects.iter().map(|defect| defect.rule.severity()).max()
    }
}

/// Parses a page and applies every [`Rule`].
pub fn judge(page: &[u8], format: Format) -> Judged<'_> {
    let (page, mut defects) = reader::read(page, format);
    for family in &page.families {
        metrics::check(family, format, &mut defects);
        names::check(family, format, &mut defects);
    }
    check_order(&page, &mut defects);
    defects.sort();
    defects.dedup();
    Judged { page, defects }
}

/// Parses a page in the text format; the error lists all errors, but no lints or notes.
pub fn parse(page: &[u8]) -> Result<Exposition<'_>, Vec<Defect>> {
    without_errors(page, |_| true)
}

/// Parses the page of a host with corrupt files: counters may be negative if a file says so.
pub fn parse_with_negative_counters(page: &[u8]) -> Result<Exposition<'_>, Vec<Defect>> {
    without_errors(page, |rule| rule != Rule::CounterValue)
}

fn without_errors(page: &[u8], counts: impl Fn(Rule) -> bool) -> Result<Exposition<'_>, Vec<Defect>> {
    let mut judged = judge(page, Format::Text);
    judged.defects.retain(|defect| defect.rule.severity() == Severity::Error && counts(defect.rule));
    if judged.defects.is_empty() { Ok(judged.page) } else { Err(judged.defects) }
}

/// Notes the first family and sample out of order, and families without samples.
fn check_order(page: &Exposition<'_>, defects: &mut Vec<Defect>) {
    let mut note = |line, rule, problem| defects.push(Defect { line, column: 1, rule, problem });
    for pair in page.families.windows(2) {
        if let [before, family] = pair
            && before.name > family.name
        {
            note(family.line, Rule::FamilyOrder, format!("`{}` follows `{}`", family.name, before.name));
            break;
        }
    }
    for family in &page.families {
        if family.samples.is_empty() {
            note(family.line, Rule::NoSamples, format!("`{}` has no samples", family.name));
        }
        if let Some(sample) = unordered(family) {
            note(sample.line, Rule::SampleOrder, format!("`{}` follows a sample that sorts after it", sample.series()));
        }
    }
}

/// The first sample that is ordered neither by its labels nor, as in client_golang, by number of labels and their
/// values.
fn unordered<'a>(family: &'a Family<'_>) -> Option<&'a Sample<'a>> {
    let by_labels = first_unordered(family, |sample| identifying_labels(sample).collect::<Vec<_>>())?;
    first_unordered(family, |sample| {
        (identifying_labels(sample).count(), identifying_labels(sample).map(|(_, value)| value).collect::<Vec<_>>())
    })?;
    Some(by_labels)
}

/// The labels that identify a metric, without those that distinguish its samples.
fn identifying_labels<'a>(sample: &'a Sample<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let labels = sample.labels.iter().filter(|(label, _)| !matches!(*label, "le" | "quantile"));
    labels.map(|(label, value)| (*label, value.as_str()))
}

fn first_unordered<'a, K: Ord>(family: &'a Family<'_>, key: impl Fn(&'a Sample<'_>) -> K) -> Option<&'a Sample<'a>> {
    let mut before: Option<K> = None;
    family.samples.iter().find(|sample| {
        let now = key(sample);
        let is_unordered = before.as_ref().is_some_and(|before| *before > now);
        before = Some(now);
        is_unordered
    })
}

#[cfg(test)]
mod tests;
