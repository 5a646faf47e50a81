//! One line of an entry: words between spaces, octal escapes, numbers, and the error that says what is wrong where.

use std::fmt;
use std::time::Duration;

/// An invalid line of a `kernel/` entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CannedError {
    /// The entry: `kernel/links`.
    pub entry: &'static str,
    /// The line in it, from 1.
    pub line: usize,
    /// The expected field.
    pub field: String,
    /// The text found; `None` when the field is missing or empty.
    pub found: Option<String>,
    /// How to correct the line.
    pub advice: String,
}

impl fmt::Display for CannedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, line, field, found, advice } = self;
        match found {
            Some(found) => write!(f, "{entry}, line {line}: {field} is `{found}`; {advice}"),
            None => write!(f, "{entry}, line {line}: {field} is missing; {advice}"),
        }
    }
}

impl std::error::Error for CannedError {}

/// The advice for a repeated line, name or key.
pub(super) const ONLY_ONCE: &str = "give it once";

/// A key and its value.
pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

/// The rest of one line.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) entry: &'static str,
    pub(super) number: usize,
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    /// The lines of an entry that hold anything.
    pub(super) fn all(entry: &'static str, text: &'a [u8]) -> impl Iterator<Item = Self> {
        text.split(|&byte| byte == b'\n')
            .zip(1..)
            .map(move |(rest, number)| Self { entry, number, rest })
            .filter(|line| !line.rest.trim_ascii().is_empty())
    }

    /// The place of an entry without lines.
    pub(super) const fn empty(entry: &'static str) -> Self {
        Self { entry, number: 1, rest: b"" }
    }

    /// A line that holds `rest`, for a value of several words.
    pub(super) fn of_value(&self, rest: &'a [u8]) -> Self {
        Self { rest, ..self.clone() }
    }

    pub(super) fn error(&self, field: &str, found: Option<&[u8]>, advice: impl Into<String>) -> CannedError {
        let found = found.filter(|found| !found.is_empty()).map(|found| String::from_utf8_lossy(found).into_owned());
        CannedError { entry: self.entry, line: self.number, field: field.to_owned(), found, advice: advice.into() }
    }

    /// The next word.
    pub(super) fn word(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.trim_ascii_start();
        let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// The next word, which must be there.
    pub(super) fn needed(&mut self, field: &str, advice: &str) -> Result<&'a [u8], CannedError> {
        self.word().ok_or_else(|| self.error(field, None, advice))
    }

    /// The next word, which has the form `key=value`.
    pub(super) fn pair(&mut self) -> Result<Option<Pair<'a>>, CannedError> {
        let Some(word) = self.word() else { return Ok(None) };
        let Some(middle) = word.iter().position(|&byte| byte == b'=') else {
            return Err(self.error("a field", Some(word), "write it as key=value"));
        };
        let (key, equals_value) = word.split_at(middle);
        Ok(Some((key, equals_value.get(1..).unwrap_or_default())))
    }

    /// Everything up to the end of the line.
    pub(super) fn remainder(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest).trim_ascii()
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), CannedError> {
        match self.clone().word() {
            None => Ok(()),
            Some(word) => Err(self.error("the end of the line", Some(word), "take it out")),
        }
    }

    /// A value with its octal escapes resolved.
    pub(super) fn unescaped(&self, field: &str, value: &[u8]) -> Result<Vec<u8>, CannedError> {
        unescaped(value).ok_or_else(|| self.error(field, Some(value), "write \\ as \\134 and a space as \\040"))
    }

    /// A whole number, decimal or after `0x`.
    pub(super) fn number<T: TryFrom<u64>>(&self, field: &str, value: &[u8]) -> Result<T, CannedError> {
        let number = parse_number(value).and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| {
            let bits = 8 * size_of::<T>();
            self.error(field, Some(value), format!("give a whole number of at most {bits} bits"))
        })
    }

    /// Seconds with up to nine decimal places.
    pub(super) fn seconds(&self, field: &str, value: &[u8]) -> Result<Duration, CannedError> {
        let advice = "give seconds, with up to nine decimal places";
        parse_seconds(value).ok_or_else(|| self.error(field, Some(value), advice))
    }

    /// Two hexadecimal digits a byte, with colons between them.
    pub(super) fn hardware_address(&self, field: &str, value: &[u8]) -> Result<Vec<u8>, CannedError> {
        if value.is_empty() {
            return Ok(Vec::new());
        }
        let byte = |digits: &[u8]| {
            let text = std::str::from_utf8(digits).ok().filter(|text| text.len() == 2 && !text.starts_with('+'))?;
            u8::from_str_radix(text, 16).ok()
        };
        let bytes: Option<Vec<u8>> = value.split(|&byte| byte == b':').map(byte).collect();
        bytes.ok_or_else(|| self.error(field, Some(value), "write it as 02:00:00:00:00:01"))
    }
}

fn parse_number(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    // `from_str_radix` takes a sign.
    let unsigned = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    unsigned.then(|| u64::from_str_radix(digits, radix).ok())?
}

const NANOSECOND_DIGITS: usize = 9;

fn parse_seconds(value: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > NANOSECOND_DIGITS {
        return None;
    }
    Some(Duration::new(whole.parse().ok()?, format!("{fraction:0<NANOSECOND_DIGITS$}").parse().ok()?))
}

/// Seconds as [`parse_seconds`] reads them.
pub(super) fn write_seconds(time: Duration, into: &mut Vec<u8>) {
    into.extend_from_slice(time.as_secs().to_string().as_bytes());
    let nanoseconds = format!(".{:0NANOSECOND_DIGITS$}", time.subsec_nanos());
    into.extend_from_slice(nanoseconds.trim_end_matches('0').trim_end_matches('.').as_bytes());
}

fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'\\' {
            let (&[high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7'], after) = after.split_first_chunk()?
            else {
                return None;
            };
            bytes.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
            rest = after;
        } else {
            bytes.push(first);
        }
    }
    Some(bytes)
}

/// Writes a value so that it is one word of printable ASCII. Spaces inside of it may stay where `spaces` says so.
pub(super) fn write_escaped(value: &[u8], spaces: bool, into: &mut Vec<u8>) {
    for (position, &byte) in value.iter().enumerate() {
        let inside = position > 0 && position + 1 < value.len();
        if (byte.is_ascii_graphic() && byte != b'\\') || (byte == b' ' && spaces && inside) {
            into.push(byte);
        } else {
            into.extend([b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_decimal_or_hexadecimal_and_nothing_else() {
        for (text, expected) in [
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("0xffffffffffffffff", Some(u64::MAX)),
            ("0x", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("1a", None),
            ("0x+1", None),
        ] {
            assert_eq!(parse_number(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn seconds_have_up_to_nine_decimal_places() {
        for (text, expected) in [
            ("0", Some(Duration::ZERO)),
            ("1700000000.25", Some(Duration::new(1_700_000_000, 250_000_000))),
            ("1.000000001", Some(Duration::new(1, 1))),
            ("1.0000000001", None),
            ("1.", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("18446744073709551616", None),
        ] {
            assert_eq!(parse_seconds(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn escapes_are_three_octal_digits_of_one_byte() {
        for (text, expected) in [
            (&b"a\\040b"[..], Some(&b"a b"[..])),
            (b"\\134\\377", Some(b"\\\xff")),
            (b"\\400", None),
            (b"\\08", None),
            (b"\\", None),
            (b"\\008", None),
        ] {
            assert_eq!(unescaped(text).as_deref(), expected, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_become_one_printable_word(bytes: Vec<u8>) {
            let mut text = Vec::new();
            write_escaped(&bytes, false, &mut text);
            prop_assert!(text.iter().all(u8::is_ascii_graphic));
            prop_assert_eq!(unescaped(&text), Some(bytes));
        }

        #[test]
        fn any_time_is_read_back(seconds: u64, nanoseconds in 0_u32..1_000_000_000) {
            let mut text = Vec::new();
            let time = Duration::new(seconds, nanoseconds);
            write_seconds(time, &mut text);
            prop_assert_eq!(parse_seconds(&text), Some(time));
        }
    }
}
