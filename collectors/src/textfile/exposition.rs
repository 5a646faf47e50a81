//! Parser of the text exposition format, as strict as client_golang's: a file with any error is refused.

mod cursor;
mod family;

use std::collections::HashMap;

use crate::kit::failure::ParseError;
use crate::kit::family::Kind;
use crate::kit::page::foreign::ForeignFamily;
use crate::kit::parse::{Line, Text};
use cursor::{Cursor, LABEL_EXPECTED};
use family::{Draft, Sample};

/// A family, and whether its file has a help text for it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Parsed {
    pub(super) family: ForeignFamily,
    pub(super) has_help: bool,
}

/// The families of a file that have samples, in file order.
pub(super) fn parse(text: Text<'_>) -> Result<Vec<Parsed>, ParseError<'_>> {
    let mut parser = Parser::default();
    let is_cut = !text.bytes.ends_with(b"\n");
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if is_cut && lines.peek().is_none() && !line.bytes.iter().all(|&byte| is_blank(byte)) {
            return Err(line.error("last line", "a final newline", line.bytes));
        }
        parser.line(line)?;
    }
    Ok(parser.drafts.into_iter().filter_map(Draft::finish).collect())
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[derive(Default)]
struct Parser<'a> {
    drafts: Vec<Draft<'a>>,
    by_name: HashMap<&'a str, usize>,
}

/// The part of a histogram or summary that a sample belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Value,
    Sum,
    Count,
}

impl<'a> Parser<'a> {
    fn line(&mut self, line: Line<'a>) -> Result<(), ParseError<'a>> {
        let mut cursor = Cursor::new(line);
        cursor.skip_blanks();
        match cursor.peek() {
            None => Ok(()),
            Some(b'#') => self.comment(cursor),
            Some(_) => self.sample(cursor),
        }
    }

    /// Parses `# HELP name text` or `# TYPE name type`. Other comments, and those without text, are ignored.
    fn comment(&mut self, mut cursor: Cursor<'a>) -> Result<(), ParseError<'a>> {
        cursor.advance(1);
        cursor.skip_blanks();
        let keyword = cursor.word();
        if !matches!(keyword, b"HELP" | b"TYPE") {
            return Ok(());
        }
        cursor.skip_blanks();
        let name = cursor.metric_name();
        match cursor.peek() {
            None => return Ok(()),
            Some(byte) if is_blank(byte) && !name.is_empty() => {}
            Some(_) => return Err(cursor.error("metric name", "a metric name and a space", cursor.rest())),
        }
        let draft = self.draft(name).0;
        cursor.skip_blanks();
        if cursor.peek().is_none() {
            return Ok(());
        }
        if keyword == b"HELP" { draft.set_help(&cursor) } else { draft.set_kind(&cursor) }
    }

    /// Parses `name{label="value",…} value`.
    fn sample(&mut self, mut cursor: Cursor<'a>) -> Result<(), ParseError<'a>> {
        let name = cursor.metric_name();
        if name.is_empty() {
            return Err(cursor.error("metric name", "a letter, `_` or `:`", cursor.rest()));
        }
        let (draft, part) = self.draft(name);
        let kind = *draft.kind.get_or_insert(Kind::Untyped);
        cursor.skip_blanks();
        let mut sample = Sample { labels: Vec::new(), bound: f64::NAN, part };
        if cursor.take(b'{') {
            labels(&mut cursor, bound_label(kind), &mut sample)?;
        }
        let word = cursor.word();
        let value = cursor::float(word).ok_or_else(|| cursor.error("value", "a number", word))?;
        if cursor.peek().is_some() {
            cursor.skip_blanks();
            return Err(cursor.error("timestamp", "end of line, as timestamps are not supported", cursor.rest()));
        }
        draft.add(sample, value);
        Ok(())
    }

    /// The family of a sample name, added if new, and the sample's part in it.
    fn draft(&mut self, name: &'a str) -> (&mut Draft<'a>, Part) {
        let (at, part) = self.find(name).unwrap_or((self.drafts.len(), Part::Value));
        if at == self.drafts.len() {
            self.drafts.push(Draft::new(name));
            self.by_name.insert(name, at);
        }
        (&mut self.drafts[at], part)
    }

    fn find(&self, name: &str) -> Option<(usize, Part)> {
        if let Some(&at) = self.by_name.get(name) {
            return Some((at, Part::Value));
        }
        let of_kind = |name: &str, kind| {
            let at = *self.by_name.get(name)?;
            self.drafts.get(at).filter(|draft| draft.kind == Some(kind)).map(|_| at)
        };
        for (suffix, part) in [("_sum", Part::Sum), ("_count", Part::Count)] {
            if let Some(base) = name.strip_suffix(suffix) {
                let at = of_kind(base, Kind::Summary).or_else(|| of_kind(base, Kind::Histogram))?;
                return Some((at, part));
            }
        }
        Some((of_kind(name.strip_suffix("_bucket")?, Kind::Histogram)?, Part::Value))
    }
}

/// The additional label of the samples of a histogram or summary.
fn bound_label(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Histogram => Some("le"),
        Kind::Summary => Some("quantile"),
        _ => None,
    }
}

/// Parses `label="value",…}` after the opening brace; a trailing comma is allowed.
fn labels<'a>(cursor: &mut Cursor<'a>, bound_label: Option<&str>, sample: &mut Sample) -> Result<(), ParseError<'a>> {
    loop {
        cursor.skip_blanks();
        if cursor.take(b'}') {
            break;
        }
        let name = cursor.label_name();
        // Names that start with `__` are reserved by Prometheus.
        if name.is_empty() || name.starts_with("__") {
            return Err(cursor.error(
                "label name",
                LABEL_EXPECTED,
                if name.is_empty() { cursor.rest() } else { name.as_bytes() },
            ));
        }
        cursor.skip_blanks();
        if !cursor.take(b'=') {
            return Err(cursor.error(name, "`=` after the label name", cursor.rest()));
        }
        cursor.skip_blanks();
        let value = cursor.label_value(name)?;
        if bound_label == Some(name) {
            let bound = cursor::float(value.as_bytes());
            sample.bound = bound.ok_or_else(|| cursor.error(name, "a number", cursor.rest()))?;
        } else if sample.labels.iter().any(|(known, _)| known == name) {
            return Err(cursor.error(name, "each label once", cursor.rest()));
        } else {
            sample.labels.push((name.to_owned(), value));
        }
        cursor.skip_blanks();
        if !cursor.take(b',') && cursor.peek() != Some(b'}') {
            return Err(cursor.error(name, "`,` or `}` after the label value", cursor.rest()));
        }
    }
    cursor.skip_blanks();
    Ok(())
}

#[cfg(test)]
mod tests;
