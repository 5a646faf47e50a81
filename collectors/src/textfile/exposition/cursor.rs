//! Cursor over a line of the text exposition format.

use crate::kit::failure::ParseError;
use crate::kit::parse::{FromText, Line};

pub(super) const LABEL_EXPECTED: &str = "a label name of letters, digits and `_`, not starting with a digit or `__`";

/// A line and its unread rest.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    line: Line<'a>,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: Line<'a>) -> Self {
        Self { line, rest: line.bytes }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn error(&self, field: &'a str, expected: &'static str, found: &'a [u8]) -> ParseError<'a> {
        self.line.error(field, expected, found)
    }

    pub(super) fn advance(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// Consumes the next byte if it is `byte`.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.advance(usize::from(is_next));
        is_next
    }

    fn take_while(&mut self, is_wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|&&byte| is_wanted(byte)).count();
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(super::is_blank);
    }

    /// Consumes everything up to a blank. A carriage return is not a blank.
    pub(super) fn word(&mut self) -> &'a [u8] {
        self.take_while(|byte| !super::is_blank(byte))
    }

    /// Consumes a metric name; empty if there is none.
    pub(super) fn metric_name(&mut self) -> &'a str {
        self.name(|byte| byte == b':')
    }

    /// Consumes a label name; empty if there is none.
    pub(super) fn label_name(&mut self) -> &'a str {
        self.name(|_| false)
    }

    fn name(&mut self, is_more: impl Fn(u8) -> bool) -> &'a str {
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return "";
        }
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || is_more(byte));
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// Consumes a quoted value and unescapes `\\`, `\"` and `\n`.
    pub(super) fn label_value(&mut self, name: &'a str) -> Result<String, ParseError<'a>> {
        let begin = self.rest;
        if !self.take(b'"') {
            return Err(self.error(name, "`\"` before the label value", begin));
        }
        let mut value = Vec::new();
        loop {
            value.extend_from_slice(self.take_while(|byte| byte != b'"' && byte != b'\\'));
            if self.take(b'"') {
                break;
            }
            match unescape(self.rest, b"\"") {
                Some(byte) => value.push(byte),
                None => {
                    return Err(self.error(name, "a closing `\"`, and no escapes but \\\\, \\\" and \\n", begin));
                }
            }
            self.advance(2);
        }
        String::from_utf8(value).map_err(|_| self.error(name, "UTF-8", begin))
    }

    /// The rest of the line, with `\\` and `\n` unescaped.
    pub(super) fn help(&self) -> Result<String, ParseError<'a>> {
        let mut help = Vec::new();
        let mut rest = self.clone();
        loop {
            help.extend_from_slice(rest.take_while(|byte| byte != b'\\'));
            if rest.peek().is_none() {
                return Ok(String::from_utf8_lossy(&help).into_owned());
            }
            match unescape(rest.rest, b"") {
                Some(byte) => help.push(byte),
                None => return Err(self.error("HELP", "no escapes but \\\\ and \\n", self.rest)),
            }
            rest.advance(2);
        }
    }
}

/// The byte of an escape sequence at the start of `text`; bytes in `more` may be escaped as well.
fn unescape(text: &[u8], more: &[u8]) -> Option<u8> {
    match text {
        [b'\\', b'n', ..] => Some(b'\n'),
        [b'\\', byte, ..] if *byte == b'\\' || more.contains(byte) => Some(*byte),
        _ => None,
    }
}

/// Parses a number like Go's `ParseFloat`: out of range is an error, and `NaN` has no sign.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    let value = f64::from_text(text)?;
    let (is_signed, digits) = match text {
        [b'+' | b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let is_word = digits.first().is_some_and(u8::is_ascii_alphabetic);
    let is_valid = if value.is_nan() { !is_signed } else { value.is_finite() || is_word };
    is_valid.then_some(value)
}
