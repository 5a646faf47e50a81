//! Parsing of kernel files: borrowed text, lines, fields and numbers.

use super::bytes;
use super::failure::ParseError;
use crate::host::root::Mount;

/// The content of a file and its path, for errors.
///
/// A root returns whole files only ([`crate::host::root::Root::read`]), so a last line without a newline is complete:
/// emulated kernels and manually written files omit the newline.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The mount of the file.
    pub mount: Mount,
    /// The path below the mount.
    pub path: &'a [u8],
    /// The content.
    pub bytes: &'a [u8],
}

impl<'a> Text<'a> {
    /// A text with this content; `path` is its name in errors.
    pub const fn new(mount: Mount, path: &'a [u8], bytes: &'a [u8]) -> Self {
        Self { mount, path, bytes }
    }

    /// The lines, without their newlines.
    pub fn lines(&self) -> Lines<'a> {
        Lines { text: *self, rest: self.bytes, number: 0 }
    }

    /// The first line; empty for an empty file.
    pub fn first_line(&self) -> &'a [u8] {
        self.lines().next().map_or(b"", |line| line.bytes)
    }

    /// The trimmed content: the value of a sysfs attribute.
    pub fn trimmed(&self) -> &'a [u8] {
        self.bytes.trim_ascii()
    }

    /// The content as a number, called `field` in errors.
    pub fn number<T: FromText>(&self, field: &'static str) -> Result<T, ParseError<'a>> {
        let found = self.trimmed();
        T::from_text(found).ok_or_else(|| self.error(field, T::EXPECTED, found))
    }

    /// An error about the whole file.
    pub fn error(&self, field: &'a str, expected: &'static str, found: &'a [u8]) -> ParseError<'a> {
        ParseError { mount: self.mount, path: self.path, line: 0, field: field.as_bytes(), expected, found }
    }
}

/// The lines of a [`Text`], numbered from 1.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: Text<'a>,
    rest: &'a [u8],
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let bytes = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        self.number += 1;
        Some(Line { text: self.text, number: self.number, bytes })
    }
}

/// One line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    text: Text<'a>,
    /// The line number, from 1.
    pub number: usize,
    /// The content, without the newline.
    pub bytes: &'a [u8],
}

impl<'a> Line<'a> {
    /// The fields of the line, separated by white space.
    pub fn fields(&self) -> Fields<'a> {
        Fields { line: *self, rest: self.bytes }
    }

    /// The fields of a part of the line, for example after a colon.
    pub fn fields_of(&self, rest: &'a [u8]) -> Fields<'a> {
        Fields { line: *self, rest }
    }

    /// Both trimmed sides of the first `separator`.
    pub fn split_at(&self, separator: u8) -> Option<(&'a [u8], &'a [u8])> {
        let at = memchr::memchr(separator, self.bytes)?;
        Some((self.bytes[..at].trim_ascii(), self.bytes[at + 1..].trim_ascii()))
    }

    /// Parses `found`, a part of this line, as a number, called `field` in errors.
    pub fn number<T: FromText>(&self, field: impl FieldName<'a>, found: &'a [u8]) -> Result<T, ParseError<'a>> {
        T::from_text(found).ok_or_else(|| self.error(field, T::EXPECTED, found))
    }

    /// An error about this line.
    pub fn error(&self, field: impl FieldName<'a>, expected: &'static str, found: &'a [u8]) -> ParseError<'a> {
        let Text { mount, path, .. } = self.text;
        ParseError { mount, path, line: self.number, field: field.bytes(), expected, found }
    }
}

/// The name of a field in errors: bytes of the file, or a text.
pub trait FieldName<'a> {
    /// The name.
    fn bytes(self) -> &'a [u8];
}

impl<'a> FieldName<'a> for &'a str {
    fn bytes(self) -> &'a [u8] {
        self.as_bytes()
    }
}

impl<'a> FieldName<'a> for &'a [u8] {
    fn bytes(self) -> &'a [u8] {
        self
    }
}

/// The fields of a line, as an iterator.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    line: Line<'a>,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The next field, called `field` in errors.
    pub fn text(&mut self, field: &'a str) -> Result<&'a [u8], ParseError<'a>> {
        self.next().ok_or_else(|| self.line.error(field, "a field", b""))
    }

    /// The next field as a number.
    pub fn number<T: FromText>(&mut self, field: &'a str) -> Result<T, ParseError<'a>> {
        let found = self.next().unwrap_or_default();
        self.line.number(field, found)
    }

    /// The next field as a number; `None` at the end of the line.
    pub fn number_if_present<T: FromText>(&mut self, field: &'a str) -> Result<Option<T>, ParseError<'a>> {
        self.next().map(|found| self.line.number(field, found)).transpose()
    }

    /// The remaining fields, as text.
    pub fn rest(&self) -> &'a [u8] {
        self.rest.trim_ascii()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = &self.rest[start..];
        let end = bytes::whitespace(rest).unwrap_or(rest.len());
        self.rest = &rest[end..];
        Some(&rest[..end])
    }
}

/// Numbers in kernel files.
pub trait FromText: Sized {
    /// A description of a valid number, for errors.
    const EXPECTED: &'static str;

    /// Parses the number; `None` if it is invalid or out of range.
    fn from_text(text: &[u8]) -> Option<Self>;
}

impl FromText for u64 {
    const EXPECTED: &'static str = "an unsigned integer";

    fn from_text(text: &[u8]) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let digit = |byte: u8| Some(byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9).map(Self::from);
        // 19 digits always fit.
        let (short, rest) = text.split_at(text.len().min(19));
        let value = short.iter().try_fold(0, |value, &byte| Some(value * 10 + digit(byte)?))?;
        rest.iter().try_fold(value, |value: Self, &byte| value.checked_mul(10)?.checked_add(digit(byte)?))
    }
}

impl FromText for u32 {
    const EXPECTED: &'static str = "an unsigned 32-bit integer";

    fn from_text(text: &[u8]) -> Option<Self> {
        Self::try_from(u64::from_text(text)?).ok()
    }
}

impl FromText for i64 {
    const EXPECTED: &'static str = "a signed integer";

    fn from_text(text: &[u8]) -> Option<Self> {
        match text {
            [b'-', digits @ ..] => 0_i64.checked_sub_unsigned(u64::from_text(digits)?),
            [b'+', digits @ ..] | digits => Self::try_from(u64::from_text(digits)?).ok(),
        }
    }
}

impl FromText for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_text(text: &[u8]) -> Option<Self> {
        // Fast path: integers of up to 15 digits are exact.
        if let Some(whole) = Some(text).filter(|text| text.len() <= 15).and_then(u64::from_text) {
            return Some(whole as Self);
        }
        std::str::from_utf8(text).ok()?.parse().ok()
    }
}

/// A hexadecimal number with an optional `0x`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hexadecimal(pub u64);

impl FromText for Hexadecimal {
    const EXPECTED: &'static str = "a hexadecimal number of up to 64 bits";

    fn from_text(text: &[u8]) -> Option<Self> {
        let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X")).unwrap_or(text);
        if digits.is_empty() || digits.len() > 16 {
            return None;
        }
        let mut value = 0;
        for &byte in digits {
            value = value << 4 | u64::from(char::from(byte).to_digit(16)?);
        }
        Some(Self(value))
    }
}

/// An integer in decimal, or in hexadecimal after `0x`, like Go's `ParseInt(s, 0, 64)` for sysfs attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnyBase(pub i64);

impl FromText for AnyBase {
    const EXPECTED: &'static str = "an integer in decimal, or in hexadecimal after 0x";

    fn from_text(text: &[u8]) -> Option<Self> {
        if text.starts_with(b"0x") || text.starts_with(b"0X") {
            return Hexadecimal::from_text(text).and_then(|number| i64::try_from(number.0).ok()).map(Self);
        }
        i64::from_text(text).map(Self)
    }
}

/// A 64-bit integer as a float, for unit conversion.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wide(pub f64);

impl FromText for Wide {
    const EXPECTED: &'static str = u64::EXPECTED;

    fn from_text(text: &[u8]) -> Option<Self> {
        u64::from_text(text)?;
        f64::from_text(text).map(Self)
    }
}

/// 2^64, the smallest number that does not fit into 64 bits.
const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;

/// The integer part of a non-negative float, if it fits into 64 bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it fits, and the fraction is truncated")]
pub fn whole_part(number: f64) -> Option<u64> {
    (number < TOO_LARGE).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> Text<'_> {
        Text::new(Mount::Proc, b"x", bytes)
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a table reads better without references")]
    fn check<T: FromText + PartialEq + std::fmt::Debug>(found: &str, expected: Option<T>) {
        assert_eq!(T::from_text(found.as_bytes()), expected, "{found}");
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        check("18446744073709551615", Some(u64::MAX));
        check::<u64>("18446744073709551616", None);
        check("4294967295", Some(u32::MAX));
        check::<u32>("4294967296", None);
        check("-9223372036854775808", Some(i64::MIN));
        check::<i64>("-9223372036854775809", None);
        check::<i64>("9223372036854775808", None);
        check("0xffffffffffffffff", Some(Hexadecimal(u64::MAX)));
        check::<Hexadecimal>("0x1ffffffffffffffff", None);
        check("0x1003", Some(AnyBase(0x1003)));
        check("-1", Some(AnyBase(-1)));
    }

    #[test]
    fn invalid_numbers_are_refused() {
        for found in ["", "-", "+", "1x", "0x", " 1", "１", "1 ", "--1", "1.5"] {
            check::<u64>(found, None);
            check::<i64>(found, None);
        }
        check::<u64>("-1", None);
        check::<u64>("+5", None);
        check::<u32>("+5", None);
        check("+5", Some(5_i64));
        check::<i64>("+-5", None);
        check::<f64>("", None);
        check::<Hexadecimal>("0x", None);
        check("1.5", Some(1.5_f64));
    }

    #[test]
    fn lines_and_fields_have_positions() {
        let content = text(b"a 1\n\n  b\t2 \nlast");
        let lines: Vec<_> = content.lines().map(|line| (line.number, line.fields().count())).collect();
        assert_eq!(lines, [(1, 2), (2, 0), (3, 2), (4, 1)]);
        let line = content.lines().nth(3).expect("four lines");
        let mut fields = line.fields();
        assert_eq!(fields.text("name").expect("a field"), b"last");
        let error = fields.number::<u64>("value").expect_err("no more fields");
        assert_eq!(error.to_string(), "proc/x:4: value: expected an unsigned integer, found nothing");
    }

    proptest! {
        #[test]
        fn numbers_come_back(value: u64, signed: i64) {
            check(&value.to_string(), Some(value));
            check(&signed.to_string(), Some(signed));
            check(&format!("{value:#x}"), Some(Hexadecimal(value)));
        }

        #[test]
        fn any_bytes_are_cut_without_loss(bytes: Vec<u8>) {
            let mut joined: Vec<u8> = Vec::new();
            for line in text(&bytes).lines() {
                joined.extend_from_slice(line.bytes);
                joined.push(b'\n');
                let fields: usize = line.fields().map(<[u8]>::len).sum();
                prop_assert!(fields <= line.bytes.len());
            }
            if !bytes.is_empty() && !bytes.ends_with(b"\n") {
                joined.pop();
            }
            prop_assert_eq!(joined, bytes);
        }
    }

    #[test]
    fn whole_numbers_end_where_64_bits_end() {
        assert_eq!(Wide::from_text(b"18446744073709551615"), Some(Wide(TOO_LARGE)));
        for found in ["18446744073709551616", "1.5", "-1", ""] {
            assert_eq!(Wide::from_text(found.as_bytes()), None, "{found}");
        }
    }

    #[test]
    fn the_fraction_is_truncated() {
        let found = [0.0, 1.9, 18_446_744_073_709_549_568.0, TOO_LARGE, f64::NAN].map(whole_part);
        assert_eq!(found, [Some(0), Some(1), Some(18_446_744_073_709_549_568), None, None]);
    }
}
