//! One sample line.

use super::{Defect, Float, Sample};

pub(super) fn is_metric_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// Whether a sample of this name stands under the family's TYPE line.
pub(super) fn is_of_family(sample: &str, family: &str, kind: &str) -> bool {
    let Some(suffix) = sample.strip_prefix(family) else { return false };
    match kind {
        "histogram" => matches!(suffix, "_bucket" | "_sum" | "_count"),
        "summary" => matches!(suffix, "" | "_sum" | "_count"),
        _ => suffix.is_empty(),
    }
}

/// Reads a line from left to right.
struct Cursor<'a> {
    number: usize,
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn fail<T>(&self, problem: impl Into<String>) -> Result<T, Defect> {
        let column = self.line[..self.at].chars().count() + 1;
        Err(Defect { line: self.number, column, problem: problem.into() })
    }

    fn label_value(&mut self) -> Result<String, Defect> {
        let mut value = String::new();
        loop {
            value.push_str(self.take_while(|c| c != '"' && c != '\\'));
            match self.peek() {
                None => return self.fail("the label value does not end"),
                Some('"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(_) => {
                    self.at += 1;
                    value.push(match self.peek() {
                        Some('n') => '\n',
                        Some(escaped @ ('"' | '\\')) => escaped,
                        _ => return self.fail("only \\\\, \\\" and \\n are escapes"),
                    });
                    self.at += 1;
                }
            }
        }
    }

    fn labels(&mut self) -> Result<Vec<(&'a str, String)>, Defect> {
        let mut labels: Vec<(&str, String)> = Vec::new();
        loop {
            self.skip_spaces();
            if self.peek() == Some('}') {
                self.at += 1;
                return Ok(labels);
            }
            let start = self.at;
            let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_metric_name(name) {
                self.at = start;
                return self.fail("a label name begins here, of [a-zA-Z0-9_] without a digit first");
            }
            if labels.iter().any(|(there, _)| *there == name) {
                self.at = start;
                return self.fail(format!("the label `{name}` is there already"));
            }
            self.skip_spaces();
            if self.peek() != Some('=') {
                return self.fail(format!("`=` follows the label name `{name}`"));
            }
            self.at += 1;
            self.skip_spaces();
            if self.peek() != Some('"') {
                return self.fail("a label value stands in double quotes");
            }
            self.at += 1;
            labels.push((name, self.label_value()?));
            self.skip_spaces();
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => {}
                _ => return self.fail("`,` or `}` follows a label value"),
            }
        }
    }
}

pub(super) fn sample(number: usize, line: &str) -> Result<Sample<'_>, Defect> {
    let mut cursor = Cursor { number, line, at: 0 };
    let name = cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    if !is_metric_name(name) {
        cursor.at = 0;
        return cursor.fail("a metric name begins here, of [a-zA-Z0-9_:] without a digit first");
    }
    cursor.skip_spaces();
    let labels = if cursor.peek() == Some('{') {
        cursor.at += 1;
        cursor.labels()?
    } else {
        Vec::new()
    };
    cursor.skip_spaces();
    let start = cursor.at;
    let value = cursor.take_while(|c| c != ' ' && c != '\t');
    let Some(parsed) = float(value) else {
        cursor.at = start;
        return cursor.fail(format!("`{value}` is no value"));
    };
    let end = cursor.at;
    cursor.skip_spaces();
    let start = cursor.at;
    let timestamp = cursor.take_while(|c| c != ' ' && c != '\t');
    if !timestamp.is_empty() && timestamp.parse::<i64>().is_err() {
        cursor.at = start;
        return cursor.fail(format!("`{timestamp}` is no timestamp in milliseconds"));
    }
    cursor.skip_spaces();
    if !cursor.rest().is_empty() {
        return cursor.fail("nothing may follow the timestamp");
    }
    Ok(Sample { line: number, text: &line[..end], name, labels, value, number: Float(parsed) })
}

fn float(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        // Rust reads words for infinity that the format does not know.
        _ if text.contains(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E') => None,
        _ => text.parse().ok(),
    }
}
