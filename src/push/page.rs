//! Parser of the lines of a page in the text format 0.0.4.

use std::borrow::Cow;
use std::fmt;

/// Type of a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FamilyKind {
    /// `counter`.
    Counter,
    /// `gauge`.
    Gauge,
    /// `histogram`.
    Histogram,
    /// `summary`.
    Summary,
    /// `untyped`, and any other type.
    #[default]
    Untyped,
}

impl FamilyKind {
    fn of(word: &str) -> Self {
        match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "summary" => Self::Summary,
            _ => Self::Untyped,
        }
    }

    /// The word of a TYPE line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }
}

/// Bits of the value that marks the end of a series.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value of a stale marker in the text of a record; no exporter writes it.
pub const STALE_WORD: &str = "StaleNaN";

/// A line other than a comment.
#[derive(Clone, PartialEq, Debug)]
pub enum PageLine<'a> {
    /// `# HELP name text`, with escapes.
    Help(&'a str, &'a str),
    /// `# TYPE name kind`.
    Type(&'a str, FamilyKind),
    /// A sample.
    Sample(Sample<'a>),
}

/// A sample of a page.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample<'a> {
    /// Name and labels as they stand.
    pub series: &'a str,
    /// Name.
    pub name: &'a str,
    /// The text between the braces.
    labels: &'a str,
    /// Value and timestamp as they stand.
    pub value_text: &'a str,
    /// Value; a stale marker has [`STALE_BITS`].
    pub value: f64,
    /// Timestamp in milliseconds since 1970, if the line has one.
    pub timestamp: Option<i64>,
}

/// Error of a malformed line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageError {
    /// Number of the line, from 1.
    pub line: usize,
    /// Description of valid text.
    pub expected: &'static str,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.expected)
    }
}

/// The lines of a page other than comments, with their numbers.
pub fn lines(page: &str) -> impl Iterator<Item = Result<PageLine<'_>, PageError>> {
    page.lines().enumerate().filter_map(|(number, line)| {
        line_of(line).map(|parsed| parsed.map_err(|expected| PageError { line: number + 1, expected }))
    })
}

fn line_of(line: &str) -> Option<Result<PageLine<'_>, &'static str>> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if let Some(comment) = line.strip_prefix('#') {
        let comment = comment.trim_start_matches([' ', '\t']);
        if let Some(rest) = word_after(comment, "HELP") {
            let (name, help) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
            return Some(Ok(PageLine::Help(name, help)));
        }
        let (name, kind) = word_after(comment, "TYPE")?.split_once([' ', '\t'])?;
        return Some(Ok(PageLine::Type(name, FamilyKind::of(kind.trim()))));
    }
    (!line.is_empty()).then(|| sample(line).map(PageLine::Sample))
}

fn word_after<'a>(comment: &'a str, word: &str) -> Option<&'a str> {
    let rest = comment.strip_prefix(word)?;
    rest.starts_with([' ', '\t']).then(|| rest.trim_start_matches([' ', '\t']))
}

fn sample(line: &str) -> Result<Sample<'_>, &'static str> {
    let name_end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(line.len());
    let (name, rest) = line.split_at(name_end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a metric name");
    }
    let spaced = rest.trim_start_matches([' ', '\t']);
    let (labels, series_end) = match spaced.strip_prefix('{') {
        Some(inside) => {
            let end = labels_end(inside)?;
            (&inside[..end], line.len() - inside.len() + end + 1)
        }
        None => ("", name_end),
    };
    let mut words = line[series_end..].split_ascii_whitespace();
    let value = match words.next().ok_or("a value")? {
        STALE_WORD => f64::from_bits(STALE_BITS),
        word => number(word).ok_or("a value")?,
    };
    let timestamp = words.next().map(|word| word.parse().map_err(|_| "a timestamp in milliseconds")).transpose()?;
    if words.next().is_some() {
        return Err("the end of the line after the timestamp");
    }
    let value_text = line[series_end..].trim_start_matches([' ', '\t']);
    Ok(Sample { series: &line[..series_end], name, labels, value_text, value, timestamp })
}

/// Parses a number like Go.
fn number(word: &str) -> Option<f64> {
    match word.trim_start_matches(['+', '-']) {
        "Inf" | "inf" => Some(if word.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        "NaN" | "nan" => Some(f64::NAN),
        _ => word.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// The offset of the closing brace.
fn labels_end(inside: &str) -> Result<usize, &'static str> {
    let mut rest = Labels { text: inside };
    loop {
        rest.text = rest.text.trim_start_matches([' ', '\t', ',']);
        if rest.text.starts_with('}') {
            return Ok(inside.len() - rest.text.len());
        }
        rest.one().ok_or("a label as name=\"value\", or }")?;
    }
}

struct Labels<'a> {
    text: &'a str,
}

impl<'a> Labels<'a> {
    fn one(&mut self) -> Option<(&'a str, &'a str)> {
        let (name, rest) = self.text.split_once('=')?;
        let rest = rest.trim_start_matches([' ', '\t']).strip_prefix('"')?;
        let mut is_escaped = false;
        let end = rest.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        })?;
        self.text = &rest[end + 1..];
        let name = name.trim_matches([' ', '\t']);
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then_some((name, &rest[..end]))
    }
}

impl<'a> Sample<'a> {
    /// Labels in the order of the line, without escapes.
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        let mut rest = Labels { text: self.labels };
        std::iter::from_fn(move || {
            rest.text = rest.text.trim_start_matches([' ', '\t', ',']);
            rest.one().map(|(name, value)| (name, unescape(value)))
        })
    }
}

/// Unescapes a label value or HELP text.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other @ ('\\' | '"')) => plain.push(other),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
            (other, false) => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

/// Writes an escaped label value.
pub fn escape(value: &str, into: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => into.push_str("\\\\"),
            '"' => into.push_str("\\\""),
            '\n' => into.push_str("\\n"),
            other => into.push(other),
        }
    }
}

/// Writes a sample's line with additional labels. Existing labels are unchanged.
pub fn write_with_labels(sample: &Sample<'_>, further: &[(String, String)], value: &str, into: &mut String) {
    into.push_str(sample.name);
    let missing =
        further.iter().filter(|(name, value)| !value.is_empty() && !sample.labels().any(|(known, _)| known == name));
    let own = sample.labels.trim_matches([' ', '\t', ',']);
    let mut separator = '{';
    if !own.is_empty() {
        into.push(separator);
        into.push_str(own);
        separator = ',';
    }
    for (name, value) in missing {
        into.push(separator);
        separator = ',';
        into.push_str(name);
        into.push_str("=\"");
        escape(value, into);
        into.push('"');
    }
    if separator == ',' {
        into.push('}');
    }
    into.push(' ');
    into.push_str(value);
    into.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    type Plain = (String, Vec<(String, String)>, f64, Option<i64>);

    fn samples(page: &str) -> Vec<Plain> {
        lines(page)
            .filter_map(|line| match line.unwrap() {
                PageLine::Sample(sample) => Some((
                    sample.name.to_owned(),
                    sample.labels().map(|(name, value)| (name.to_owned(), value.into_owned())).collect(),
                    sample.value,
                    sample.timestamp,
                )),
                _ => None,
            })
            .collect()
    }

    #[track_caller]
    fn check(line: &str, name: &str, labels: &[(&str, &str)], value: f64, timestamp: Option<i64>) {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(samples(line), [(name.to_owned(), labels, value, timestamp)], "{line}");
    }

    #[test]
    fn samples_are_read_in_every_form_of_the_text_format() {
        check("up 1", "up", &[], 1.0, None);
        check("up{} 1 1700000000000", "up", &[], 1.0, Some(1_700_000_000_000));
        check("a:b{x=\"1\",y=\"2\",} -2.5e3", "a:b", &[("x", "1"), ("y", "2")], -2500.0, None);
        check(r#"m{path="C:\\x\"}\n{"} +Inf"#, "m", &[("path", "C:\\x\"}\n{")], f64::INFINITY, None);
        check("m { a = \"é, b=\" } \t 3 ", "m", &[("a", "é, b=")], 3.0, None);
    }

    #[test]
    fn a_stale_marker_keeps_its_bits() {
        let stale = samples("m{a=\"b\"} StaleNaN").remove(0);
        assert_eq!(stale.2.to_bits(), STALE_BITS);
        assert_ne!(samples("m NaN").remove(0).2.to_bits(), STALE_BITS);
    }

    #[test]
    fn metadata_is_read_and_other_comments_are_skipped() {
        let page = "# HELP m Help \\\\ text.\n# TYPE m counter\n# anything\n#\n\nm 1\n# TYPE n strange\n";
        let found: Vec<_> = lines(page).map(Result::unwrap).collect();
        assert_eq!(found[0], PageLine::Help("m", "Help \\\\ text."));
        assert_eq!(found[1], PageLine::Type("m", FamilyKind::Counter));
        assert_eq!(found[3], PageLine::Type("n", FamilyKind::Untyped));
        assert_eq!(found.len(), 4);
    }

    #[track_caller]
    fn check_refused(line: &str, expected: &str) {
        let error = lines(line).find_map(Result::err);
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(expected), "{line}");
    }

    #[test]
    fn a_broken_line_is_refused_with_its_number() {
        check_refused("m 1\nm{a=\"b} 1", "line 2: expected a label as name=\"value\", or }");
        check_refused("m", "line 1: expected a value");
        check_refused("m one", "line 1: expected a value");
        check_refused("m 1 noon", "line 1: expected a timestamp in milliseconds");
        check_refused("m 1 2 3", "line 1: expected the end of the line after the timestamp");
        check_refused("1m 1", "line 1: expected a metric name");
        check_refused("m{1x=} 1", "line 1: expected a label as name=\"value\", or }");
    }

    #[test]
    fn labels_are_added_and_existing_ones_unchanged() {
        let further =
            [("node", "n\"1"), ("a", "other"), ("empty", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let write = |line: &str| {
            let Some(Ok(PageLine::Sample(sample))) = lines(line).next() else { panic!("{line}") };
            let mut text = String::new();
            write_with_labels(&sample, &further, "7", &mut text);
            text
        };
        assert_eq!(write("m 1"), "m{node=\"n\\\"1\",a=\"other\"} 7\n");
        assert_eq!(write("m{a=\"b\",} 1"), "m{a=\"b\",node=\"n\\\"1\"} 7\n");
    }
}
