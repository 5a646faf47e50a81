//! Parser of one line.

use collectors::kit::number::Number;

use super::{Defect, Exemplar, Float, Format, Rule, Sample};

/// Maximum length of an exemplar's label names and values together, in characters.
pub const EXEMPLAR_MAX_CHARACTERS: usize = 128;

pub(super) fn is_metric_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// A line and a position in it.
pub(super) struct Cursor<'a> {
    number: usize,
    line: &'a str,
    at: usize,
    format: Format,
    /// Defects that do not prevent parsing the line.
    pub(super) defects: Vec<Defect>,
}

type Labels<'a> = Vec<(&'a str, String)>;

impl<'a> Cursor<'a> {
    pub(super) const fn new(number: usize, line: &'a str, format: Format) -> Self {
        Self { number, line, at: 0, format, defects: Vec::new() }
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips blanks where the format allows them.
    fn skip_blanks(&mut self) {
        if self.format == Format::Text {
            self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        }
    }

    /// Skips a separator: one space in OpenMetrics, any blanks in the text format.
    fn part(&mut self) -> bool {
        let before = self.at;
        match self.format {
            Format::Text => self.skip_blanks(),
            Format::OpenMetrics => self.at += usize::from(self.rest().starts_with(' ')),
        }
        self.at > before
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn word(&mut self) -> &'a str {
        self.take_while(|c| c != ' ' && c != '\t')
    }

    fn defect(&self, at: usize, rule: Rule, problem: impl Into<String>) -> Defect {
        Defect { line: self.number, column: self.line[..at].chars().count() + 1, rule, problem: problem.into() }
    }

    fn fail<T>(&self, rule: Rule, problem: impl Into<String>) -> Result<T, Defect> {
        Err(self.defect(self.at, rule, problem))
    }

    /// The keyword of a comment (`HELP`, `TYPE`, …), the name after it, and the rest of the line.
    pub(super) fn comment(&mut self) -> Option<(&'a str, &'a str, &'a str)> {
        self.at = 1;
        self.skip_blanks();
        if self.format == Format::OpenMetrics && !self.part() {
            return None;
        }
        let word = self.word();
        self.part();
        let name = self.word();
        // The text may be empty, but the separator is required.
        if !self.part() && self.format == Format::OpenMetrics {
            return None;
        }
        Some((word, name, self.rest()))
    }

    /// A label value up to the closing quote, unescaped.
    fn label_value(&mut self) -> Result<String, Defect> {
        let mut value = String::new();
        loop {
            value.push_str(self.take_while(|c| c != '"' && c != '\\'));
            match self.peek() {
                None => return self.fail(Rule::Syntax, "unterminated label value"),
                Some('"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(_) => {
                    self.at += 1;
                    value.push(self.escaped()?);
                }
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Defect> {
        let found = self.peek();
        let character = match (found, self.format) {
            (Some('n'), _) => '\n',
            (Some(escaped @ ('"' | '\\')), _) => escaped,
            (Some(spare), Format::OpenMetrics) => {
                self.defects.push(self.defect(
                    self.at - 1,
                    Rule::SpareEscape,
                    format!("`{spare}` must not be escaped"),
                ));
                spare
            }
            _ => return self.fail(Rule::Escape, "expected one of the escapes \\\\, \\\" and \\n"),
        };
        self.at += found.map_or(0, char::len_utf8);
        Ok(character)
    }

    /// The labels from after the opening brace to the closing one.
    fn labels(&mut self) -> Result<Labels<'a>, Defect> {
        let mut labels: Labels<'_> = Vec::new();
        loop {
            self.skip_blanks();
            let may_end = self.format == Format::Text || labels.is_empty() || !self.line[..self.at].ends_with(',');
            if may_end && self.peek() == Some('}') {
                self.at += 1;
                return Ok(labels);
            }
            labels.push(self.label(&labels)?);
            self.skip_blanks();
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => {}
                _ => return self.fail(Rule::Syntax, "expected `,` or `}` after a label value"),
            }
        }
    }

    fn label(&mut self, before: &Labels<'a>) -> Result<(&'a str, String), Defect> {
        let start = self.at;
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let problem = if !is_metric_name(name) {
            (Rule::Syntax, "expected a label name: [a-zA-Z0-9_], not starting with a digit".to_owned())
        } else if before.iter().any(|(there, _)| *there == name) {
            (Rule::LabelTwice, format!("the label `{name}` is duplicated"))
        } else if name == "__name__" {
            (Rule::NameLabel, "`__name__` is reserved for the metric name".to_owned())
        } else {
            self.skip_blanks();
            if self.peek() != Some('=') {
                return self.fail(Rule::Syntax, format!("expected `=` after the label name `{name}`"));
            }
            self.at += 1;
            self.skip_blanks();
            if self.peek() != Some('"') {
                return self.fail(Rule::Syntax, "expected a label value in double quotes");
            }
            self.at += 1;
            return Ok((name, self.label_value()?));
        };
        self.at = start;
        self.fail(problem.0, problem.1)
    }

    fn value(&mut self) -> Result<(&'a str, f64), Defect> {
        let start = self.at;
        let value = self.word();
        let Some(number) = number(value, self.format) else {
            self.at = start;
            return self.fail(Rule::Value, format!("`{value}` is not a valid value"));
        };
        Ok((value, number))
    }

    fn timestamp(&mut self) -> Result<f64, Defect> {
        let start = self.at;
        let word = self.word();
        let (parsed, unit) = match self.format {
            Format::Text => (word.parse::<i64>().ok().map(|milliseconds| milliseconds as f64), "milliseconds"),
            Format::OpenMetrics => (number(word, self.format).filter(|seconds| seconds.is_finite()), "seconds"),
        };
        self.at = if parsed.is_some() { self.at } else { start };
        parsed.map_or_else(|| self.fail(Rule::Value, format!("`{word}` is not a timestamp in {unit}")), Ok)
    }

    fn exemplar(&mut self) -> Result<Exemplar<'a>, Defect> {
        let start = self.at;
        self.at += 1;
        if !self.part() || self.peek() != Some('{') {
            return self.fail(Rule::Syntax, "expected ` {` after the `#` of an exemplar");
        }
        self.at += 1;
        let labels = self.labels()?;
        if !self.part() {
            return self.fail(Rule::Syntax, "expected one space and a value after the labels of an exemplar");
        }
        let (_, number) = self.value()?;
        let timestamp = if self.part() { Some(Float(self.timestamp()?)) } else { None };
        let characters: usize = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if characters > EXEMPLAR_MAX_CHARACTERS {
            let problem = format!("labels of {characters} characters exceed the limit of {EXEMPLAR_MAX_CHARACTERS}");
            self.defects.push(self.defect(start, Rule::ExemplarPlace, problem));
        }
        Ok(Exemplar { labels, number: Float(number), timestamp })
    }

    /// A whole sample line.
    pub(super) fn sample(&mut self) -> Result<Sample<'a>, Defect> {
        self.skip_blanks();
        let start = self.at;
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        if !is_metric_name(name) {
            self.at = start;
            return self.fail(Rule::Syntax, "expected a metric name: [a-zA-Z0-9_:], not starting with a digit");
        }
        self.skip_blanks();
        let labels = if self.peek() == Some('{') {
            self.at += 1;
            self.labels()?
        } else {
            Vec::new()
        };
        if !self.part() && self.format == Format::OpenMetrics {
            return self.fail(Rule::Syntax, "expected one space after the name and labels");
        }
        let (value, number) = self.value()?;
        let end = self.at;
        let (mut timestamp, mut exemplar) = (None, None);
        let mut is_parted = self.part();
        if is_parted && !(self.format == Format::OpenMetrics && self.rest().starts_with('#')) {
            timestamp = Some(Float(self.timestamp()?));
            is_parted = self.part();
        }
        if is_parted && self.format == Format::OpenMetrics && self.rest().starts_with('#') {
            exemplar = Some(self.exemplar()?);
            is_parted = false;
        }
        if is_parted || !self.rest().is_empty() {
            return self.fail(Rule::Syntax, "unexpected text after the timestamp");
        }
        let text = &self.line[start..end];
        Ok(Sample { line: self.number, text, name, labels, value, number: Float(number), timestamp, exemplar })
    }
}

/// Parses a number of the format.
pub(super) fn number(text: &str, format: Format) -> Option<f64> {
    match (text, format) {
        ("+Inf", _) => return Some(f64::INFINITY),
        ("-Inf", _) => return Some(f64::NEG_INFINITY),
        ("NaN", _) => return Some(f64::NAN),
        (_, Format::OpenMetrics) if text.eq_ignore_ascii_case("nan") => return Some(f64::NAN),
        (_, Format::OpenMetrics) => {
            let (sign, word) = text.strip_prefix('-').map_or((1.0, text), |word| (-1.0, word));
            let word = word.strip_prefix('+').filter(|_| sign > 0.0).unwrap_or(word);
            if word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity") {
                return Some(sign * f64::INFINITY);
            }
        }
        (_, Format::Text) => {}
    }
    // Rust also accepts other words for infinity, and parses overflow as infinity.
    if text.contains(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E') {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The number as exporters write it in a label: integers with `.0` in OpenMetrics.
pub(super) fn canonical(number: f64, format: Format) -> String {
    let mut text = Vec::new();
    Number::Float(number).write_to(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if format == Format::OpenMetrics && is_whole { text + ".0" } else { text }
}
