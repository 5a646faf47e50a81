//! Sample values, printed exactly as Go's `strconv.FormatFloat(v, 'g', -1, 64)` prints them.
//!
//! Go uses the exponent form for exponents below -4 and from the precision on, which is 6 digits for the shortest
//! representation (`-1`): 100000 stays, 1000000 becomes `1e+06`.

use super::digits::{self, Digits, Packed};
use super::line::{self, Room};

/// The value of a sample. An integer is printed as one, which is faster than printing its float.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Number {
    /// A float.
    Float(f64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
}

macro_rules! from {
    ($($kind:ident($wide:ty): $($narrow:ty),*;)*) => {
        $($(impl From<$narrow> for Number {
            fn from(value: $narrow) -> Self {
                Self::$kind(<$wide>::from(value))
            }
        })*)*
    };
}

from! {
    Float(f64): f64, f32;
    Unsigned(u64): u64, u32, u16, u8, bool;
    Signed(i64): i64, i32;
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::Unsigned(value as u64)
    }
}

impl Number {
    /// The value as a float, which is what readers of the page parse.
    pub fn as_float(self) -> f64 {
        match self {
            Self::Float(value) => value,
            Self::Unsigned(value) => value as f64,
            Self::Signed(value) => value as f64,
        }
    }

    /// Writes the value as Go prints it; returns the next position.
    #[inline]
    pub(crate) fn put(self, room: &mut Room, at: usize) -> usize {
        match self {
            Self::Unsigned(value) if value <= EXACT_INTEGER_MAX => put_positive_whole(value, room, at),
            Self::Signed(value) if value.unsigned_abs() <= EXACT_INTEGER_MAX => {
                let at = if value < 0 { line::put_byte(room, at, b'-') } else { at };
                put_positive_whole(value.unsigned_abs(), room, at)
            }
            other => put_float(other.as_float(), room, at),
        }
    }

    /// Appends the value as Go prints it.
    pub fn write_to(self, out: &mut Vec<u8>) {
        line::append(out, |room, at| self.put(room, at));
    }
}

/// The first integer that Go prints with an exponent.
const EXPONENT_FROM: u64 = 1_000_000;

/// Integers up to this one are exact in a 64-bit float.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// Writes an integer that is exact as a float.
#[inline]
fn put_positive_whole(value: u64, room: &mut Room, at: usize) -> usize {
    if value < EXPONENT_FROM { digits::put_whole(value, room, at) } else { put_large_whole(value, room, at) }
}

/// Writes an integer of seven digits or more that is exact as a float: its digits are the shortest ones of that float.
fn put_large_whole(value: u64, room: &mut Room, at: usize) -> usize {
    let digits = Packed::new(value);
    put_exponent_form(&digits.without_zeros(), exponent_of(&digits), room, at)
}

/// The power of ten of the first digit of an integer.
fn exponent_of(digits: &Packed) -> i32 {
    i32::try_from(digits.count()).unwrap_or(0) - 1
}

fn put_float(value: f64, room: &mut Room, at: usize) -> usize {
    if value.is_nan() {
        return line::put_all(room, at, b"NaN");
    }
    if value.is_infinite() {
        return line::put_all(room, at, if value > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    let at = if value.is_sign_negative() { line::put_byte(room, at, b'-') } else { at };
    let value = value.abs();
    if let Some(whole) = counted(value, 1.0) {
        return put_positive_whole(whole, room, at);
    }
    // Half of the fractions of a page are seconds in clock ticks of 10 ms.
    if let Some(hundredths) = counted(value, 100.0) {
        return put_hundredths(hundredths, room, at);
    }
    let mut buffer = zmij::Buffer::new();
    let printed = buffer.format_finite(value).as_bytes();
    // In this range the crate prints as Go does.
    if (1e-4..1e6).contains(&value) && !printed.contains(&b'e') {
        return line::put_all(room, at, printed);
    }
    let mut digits = [0; DIGITS_MAX];
    let (count, exponent) = shortest_digits(printed, &mut digits);
    put_digits(&digits[..count], exponent, room, at)
}

/// Writes digits, of which the first has the power of ten `exponent`, in the form that Go chooses.
fn put_digits(digits: &(impl Digits + ?Sized), exponent: i32, room: &mut Room, at: usize) -> usize {
    if (-4..6).contains(&exponent) {
        put_plain_form(digits, exponent, room, at)
    } else {
        put_exponent_form(digits, exponent, room, at)
    }
}

/// Decimals of up to fifteen digits are distinct floats: digits that give a float are its shortest ones.
const FIFTEEN_DIGITS: f64 = 1e15;

/// The value in units of `1 / parts`, if it is the float of an integer number of them.
fn counted(value: f64, parts: f64) -> Option<u64> {
    let scaled = value * parts;
    if scaled >= FIFTEEN_DIGITS {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most fifteen digits, rounded to the nearest")]
    let nearest = (scaled + 0.5) as i64;
    #[expect(clippy::float_cmp, reason = "only the exact float counts")]
    let is_exact = nearest as f64 / parts == value;
    if is_exact { u64::try_from(nearest).ok() } else { None }
}

fn put_hundredths(hundredths: u64, room: &mut Room, at: usize) -> usize {
    let digits = Packed::new(hundredths);
    put_digits(&digits.without_zeros(), exponent_of(&digits) - 2, room, at)
}

/// Maximum number of digits of a 64-bit float.
const DIGITS_MAX: usize = 17;

/// Parses a shortest representation (`0.21`, `16842752000.0`, `1.5e-7`) into digits without leading and trailing zeros,
/// and the exponent of the first digit.
fn shortest_digits(printed: &[u8], digits: &mut [u8; DIGITS_MAX]) -> (usize, i32) {
    let (mantissa, exponent) = match printed.iter().position(|&byte| byte == b'e') {
        Some(at) => (&printed[..at], whole_exponent(&printed[at + 1..])),
        None => (printed, 0),
    };
    let point = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
    let mut count = 0;
    let mut first = None;
    for (at, &byte) in mantissa.iter().enumerate() {
        if byte == b'.' || (byte == b'0' && first.is_none()) {
            continue;
        }
        first.get_or_insert(at);
        if count < DIGITS_MAX {
            digits[count] = byte;
            count += 1;
        }
    }
    while count > 1 && digits[count - 1] == b'0' {
        count -= 1;
    }
    let first = first.unwrap_or(0);
    let places = |from: usize, to: usize| i32::try_from(to - from).unwrap_or(0);
    let position = if first < point { places(first + 1, point) } else { -places(point, first) };
    (count, exponent + position)
}

fn whole_exponent(text: &[u8]) -> i32 {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let value = digits.iter().fold(0, |value, &digit| value * 10 + i32::from(digit - b'0'));
    if negative { -value } else { value }
}

/// Writes `1.6842752e+10`: at least two digits of exponent, always with its sign.
fn put_exponent_form(digits: &(impl Digits + ?Sized), exponent: i32, room: &mut Room, at: usize) -> usize {
    let mut at = digits.put(0, 1, room, at);
    if digits.count() > 1 {
        at = line::put_byte(room, at, b'.');
        at = digits.put(1, digits.count(), room, at);
    }
    let sign = if exponent < 0 { b'-' } else { b'+' };
    let exponent = exponent.unsigned_abs();
    line::put(room, at, &[b'e', sign, b'0']);
    digits::put_whole(exponent.into(), room, at + if exponent < 10 { 3 } else { 2 })
}

/// Writes `123.45` or `0.0021`: for exponents from -4 to 5.
fn put_plain_form(digits: &(impl Digits + ?Sized), exponent: i32, room: &mut Room, at: usize) -> usize {
    /// At least the zeros between the point and a digit.
    const ZEROS: &[u8; 8] = b"00000000";
    let Some(before_point) = usize::try_from(exponent + 1).ok().filter(|&digits| digits > 0) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        line::put(room, at, b"0.");
        line::put(room, at + 2, ZEROS);
        return digits.put(0, digits.count(), room, at + 2 + zeros);
    };
    let count = digits.count();
    let after_digits = digits.put(0, before_point.min(count), room, at);
    if count <= before_point {
        line::put(room, after_digits, ZEROS);
        return at + before_point;
    }
    let after_point = line::put_byte(room, after_digits, b'.');
    digits.put(before_point, count, room, after_point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(value: impl Into<Number>) -> String {
        let mut out = Vec::new();
        value.into().write_to(&mut out);
        String::from_utf8(out).expect("numbers are ASCII")
    }

    #[track_caller]
    fn check(value: impl Into<Number>, expected: &str) {
        assert_eq!(printed(value), expected);
    }

    /// Expected texts are from Go's documentation and pages of real exporters.
    #[test]
    fn floats_print_as_go_prints_them() {
        check(0.0, "0");
        check(-0.0, "-0");
        check(1.0, "1");
        check(-1.0, "-1");
        check(0.21, "0.21");
        check(100_000.0, "100000");
        check(123_456.75, "123456.75");
        check(1e6, "1e+06");
        check(1_234_567.0, "1.234567e+06");
        check(16_842_752_000.0, "1.6842752e+10");
        check(1e21, "1e+21");
        check(1e100, "1e+100");
        check(0.0001, "0.0001");
        check(0.00012, "0.00012");
        check(0.00001, "1e-05");
        check(1.5e-7, "1.5e-07");
        check(5e-324, "5e-324");
        check(f64::MAX, "1.7976931348623157e+308");
        check(f64::NAN, "NaN");
        check(f64::INFINITY, "+Inf");
        check(f64::NEG_INFINITY, "-Inf");
        check(0.1 + 0.2, "0.30000000000000004");
        check(1_700_000_000.25, "1.70000000025e+09");
        check(9_007_199_254_740_993.0, "9.007199254740992e+15");
    }

    #[test]
    fn integers_print_like_their_floats() {
        check(0_u64, "0");
        check(999_999_u64, "999999");
        check(1_000_000_u64, "1e+06");
        check(1_000_001_u64, "1.000001e+06");
        check(-1_i64, "-1");
        check(-1_000_000_i64, "-1e+06");
        check(i64::MIN, "-9.223372036854776e+18");
        check(u64::MAX, "1.8446744073709552e+19");
        check(i64::MAX, "9.223372036854776e+18");
        check(true, "1");
    }

    #[test]
    fn hundredths_print_like_other_fractions() {
        check(0.01, "0.01");
        check(0.1, "0.1");
        check(1.05, "1.05");
        check(99_999.99, "99999.99");
        check(999_999.99, "999999.99");
        check(1_234_567.89, "1.23456789e+06");
        check(9_999_999_999_999.98, "9.99999999999998e+12");
        check(10_000_000_000_000.02, "1.000000000000002e+13");
    }

    proptest! {
        #[test]
        fn decimal_fractions_print_their_own_digits(hundredths in 0_u64..100_000_000_000) {
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let value: f64 = text.parse().expect("a float");
            let (mut expected, mut digits) = ([0; line::ROOM_BYTES], [0; DIGITS_MAX]);
            if value > 0.0 {
                let mut buffer = zmij::Buffer::new();
                let (count, exponent) = shortest_digits(buffer.format_finite(value).as_bytes(), &mut digits);
                let end = put_digits(&digits[..count], exponent, &mut expected, 0);
                prop_assert_eq!(printed(value), String::from_utf8_lossy(&expected[..end]));
            }
        }

        #[test]
        fn printed_floats_round_trip(bits: u64) {
            let value = f64::from_bits(bits);
            let text = printed(value);
            let back: f64 = text.replace("+Inf", "inf").replace("-Inf", "-inf").parse().expect("a float");
            prop_assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
        }

        #[test]
        fn integers_and_floats_agree(value: u64, signed: i64) {
            prop_assert_eq!(printed(value), printed(value as f64));
            prop_assert_eq!(printed(signed), printed(signed as f64));
            let small = value >> 40;
            prop_assert_eq!(printed(small), printed(small as f64));
            let exact = value >> 11;
            prop_assert_eq!(printed(exact), printed(exact as f64));
        }

        #[test]
        fn the_exponent_form_begins_where_go_begins_it(digits in 1_u64..1_000_000, exponent in -12_i32..24) {
            let value: f64 = format!("{digits}e{exponent}").parse().expect("a float");
            let decimal_exponent = value.log10().floor();
            // log10 may be off by one at a power of ten; those are in the table above.
            prop_assume!((value.log10() - value.log10().round()).abs() > 1e-9);
            let text = printed(value);
            prop_assert_eq!(text.contains('e'), !(-4.0..6.0).contains(&decimal_exponent), "{}", text);
        }
    }
}
