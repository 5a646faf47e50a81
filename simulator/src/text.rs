//! Formatting of text into byte vectors.

use std::fmt;

use crate::machine::Cpu;

/// `write!` into a `Vec<u8>`, which cannot fail.
macro_rules! put {
    ($into:expr, "{}", $value:expr) => { $crate::text::Value::put(&$value, $into) };
    ($into:expr, $($text:tt)*) => { $crate::text::Formatted::put($into, format_args!($($text)*)) };
}

/// `writeln!` into a `Vec<u8>`.
macro_rules! put_line {
    ($into:expr, $($text:tt)*) => {{
        let into: &mut Vec<u8> = $into;
        $crate::text::put!(into, $($text)*);
        into.push(b'\n');
    }};
}

pub(crate) use {put, put_line};

/// A formatter that appends to bytes, without the error handling of `std::io::Write`.
pub(crate) struct Formatted<'a>(&'a mut Vec<u8>);

impl<'a> Formatted<'a> {
    #[inline]
    pub(crate) fn put(into: &'a mut Vec<u8>, text: fmt::Arguments<'_>) {
        match text.as_str() {
            Some(text) => into.extend_from_slice(text.as_bytes()),
            None => fmt::Write::write_fmt(&mut Self(into), text).expect("memory takes every byte"),
        }
    }
}

impl fmt::Write for Formatted<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    #[inline]
    fn write_char(&mut self, one: char) -> fmt::Result {
        match u8::try_from(one) {
            Ok(byte) if byte.is_ascii() => self.0.push(byte),
            _ => self.0.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        Ok(())
    }
}

/// A value that is written without `core::fmt` if the format is `{}`, as in most files of /sys.
pub(crate) trait Value {
    /// Appends it.
    fn put(&self, into: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Value for $number {
            #[inline]
            fn put(&self, into: &mut Vec<u8>) {
                into.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
            }
        }
    )*};
}

numbers! { u8 u16 u32 u64 usize i32 i64 }

impl Value for Cpu {
    #[inline]
    fn put(&self, into: &mut Vec<u8>) {
        self.number().put(into);
    }
}

impl Value for str {
    #[inline]
    fn put(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.as_bytes());
    }
}

impl Value for String {
    #[inline]
    fn put(&self, into: &mut Vec<u8>) {
        self.as_str().put(into);
    }
}

impl<V: Value + ?Sized> Value for &V {
    #[inline]
    fn put(&self, into: &mut Vec<u8>) {
        (**self).put(into);
    }
}

macro_rules! displayed {
    ($($shown:ty $(where $kind:ident: $bound:ident $(<$of:ty>)? $(+ $more:ident<$to:ty>)?)?;)*) => {$(
        impl$(<$kind: $bound$(<$of>)? $(+ $more<$to>)?>)? Value for $shown {
            fn put(&self, into: &mut Vec<u8>) {
                Formatted::put(into, format_args!("{self}"));
            }
        }
    )*};
}

displayed! {
    BitMask<'_, N> where N: Copy + Into<usize>;
    HardwareAddress<A> where A: AsRef<[u8]>;
    RangeList<'_, N> where N: Copy + Into<usize>;
    Human;
    Hundredths;
}

/// A right-aligned number. Faster than `core::fmt`, for large tables.
pub(crate) fn put_right(number: u64, columns: usize, into: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(number);
    put_blanks(columns.saturating_sub(digits.len()), into);
    into.extend_from_slice(digits.as_bytes());
}

/// A hexadecimal number with a minimum number of digits, up to 16. Faster than `core::fmt`, for large tables.
pub(crate) fn put_hex(number: u64, columns: usize, into: &mut Vec<u8>) {
    /// The digits of the largest number.
    const DIGITS_MAX: usize = 16;
    let mut digits = [b'0'; DIGITS_MAX];
    let (mut rest, mut first) = (number, DIGITS_MAX);
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b"0123456789ABCDEF"[usize::try_from(rest & 0xf).unwrap_or_default()];
        (rest, first) = (rest >> 4, place);
        if rest == 0 {
            break;
        }
    }
    into.extend_from_slice(&digits[first.min(DIGITS_MAX.saturating_sub(columns))..]);
}

/// Numbers, each after a blank.
pub(crate) fn put_numbers(numbers: &[u64], into: &mut Vec<u8>) {
    for &number in numbers {
        into.push(b' ');
        number.put(into);
    }
}

/// A line of a name and a number.
pub(crate) fn put_row(name: &str, number: u64, into: &mut Vec<u8>) {
    into.extend_from_slice(name.as_bytes());
    put_numbers(&[number], into);
    into.push(b'\n');
}

/// Left-aligned text.
pub(crate) fn put_left(text: &str, columns: usize, into: &mut Vec<u8>) {
    into.extend_from_slice(text.as_bytes());
    put_blanks(columns.saturating_sub(text.len()), into);
}

fn put_blanks(mut count: usize, into: &mut Vec<u8>) {
    const BLANKS: [u8; 32] = [b' '; 32];
    while count > 0 {
        let some = count.min(BLANKS.len());
        into.extend_from_slice(&BLANKS[..some]);
        count -= some;
    }
}

/// A value in hundredths as `12.34`.
pub(crate) struct Hundredths(pub(crate) u64);

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A number of bytes with a unit, as bcache writes it: `446.4k`. The number after the point counts hundreds of 1,024ths,
/// so it can have two digits: `1.10k` is more than `1.9k`.
pub(crate) struct Human(pub(crate) u64);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut whole, mut rest, mut unit) = (self.0, 0, "");
        for next in ["k", "M", "G", "T", "P", "E"] {
            if whole < 1_024 {
                break;
            }
            (rest, whole, unit) = (whole % 1_024, whole / 1_024, next);
        }
        if unit.is_empty() { write!(f, "{whole}") } else { write!(f, "{whole}.{}{unit}", rest / 100) }
    }
}

/// A hardware address as `02:00:00:00:00:01`.
pub(crate) struct HardwareAddress<A: AsRef<[u8]>>(pub(crate) A);

impl<A: AsRef<[u8]>> fmt::Display for HardwareAddress<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.as_ref().iter().enumerate() {
            write!(f, "{}{byte:02x}", if position > 0 { ":" } else { "" })?;
        }
        Ok(())
    }
}

/// Numbers of CPUs or NUMA nodes as the kernel lists them: `0-3,8`.
pub(crate) struct RangeList<'a, N: Copy + Into<usize>>(pub(crate) &'a [N]);

impl<N: Copy + Into<usize>> fmt::Display for RangeList<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|&a, &b| a.into() + 1 == b.into());
        for (position, run) in runs.enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            match *run {
                [first, .., last] => write!(f, "{}-{}", first.into(), last.into())?,
                [only] => write!(f, "{}", only.into())?,
                [] => {}
            }
        }
        Ok(())
    }
}

/// A set of CPUs as the kernel writes it: hexadecimal words of 32 bits, the highest first.
pub(crate) struct BitMask<'a, N: Copy + Into<usize>> {
    pub(crate) set: &'a [N],
    /// The number of bits.
    pub(crate) width: usize,
}

impl<N: Copy + Into<usize>> fmt::Display for BitMask<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.width.div_ceil(32);
        for word in (0..words).rev() {
            let numbers = self.set.iter().map(|&number| number.into());
            let bits =
                numbers.filter(|number| number / 32 == word).fold(0_u32, |bits, number| bits | 1 << (number % 32));
            // The first word has only the digits that it needs.
            let digits = (self.width - word * 32).min(32).div_ceil(4);
            write!(f, "{bits:0digits$x}{}", if word > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_masks_of_cpus_read_as_the_kernels() {
        assert_eq!(RangeList(&[0_usize, 1, 2, 3, 8, 10, 11]).to_string(), "0-3,8,10-11");
        assert_eq!(RangeList::<usize>(&[]).to_string(), "");
        let mask = |set: &[usize], width| BitMask { set, width }.to_string();
        assert_eq!(mask(&[0, 1], 4), "3");
        assert_eq!(mask(&[2, 33], 40), "02,00000004");
        assert_eq!(mask(&[63], 64), "80000000,00000000");
    }

    #[test]
    fn numbers_stand_at_the_right() {
        for number in [0, 7, 10, 99_999, 1_234_567_890, 12_345_678_901, u64::MAX] {
            let mut into = Vec::new();
            put_right(number, 10, &mut into);
            assert_eq!(String::from_utf8_lossy(&into), format!("{number:>10}"));
        }
    }

    #[test]
    fn hexadecimal_numbers_have_as_many_digits_as_they_need() {
        for number in [0, 0xa, 0xdead, 0x1_0000_0000, u64::MAX] {
            for columns in [0, 2, 8, 16] {
                let mut into = Vec::new();
                put_hex(number, columns, &mut into);
                assert_eq!(String::from_utf8_lossy(&into), format!("{number:0columns$X}"));
            }
        }
    }

    #[test]
    fn rows_have_a_blank_before_each_number() {
        let mut into = Vec::new();
        put_row("nr_free_pages", 1_024, &mut into);
        put_numbers(&[0, 12], &mut into);
        assert_eq!(into, b"nr_free_pages 1024\n 0 12");
    }

    #[test]
    fn text_stands_at_the_left() {
        for text in ["", "a", "abcd", "abcde"] {
            let mut into = Vec::new();
            put_left(text, 4, &mut into);
            assert_eq!(String::from_utf8_lossy(&into), format!("{text:<4}"));
        }
    }

    #[test]
    fn numbers_for_people_have_units_of_1024() {
        let shown = [0, 1_023, 1_024, 2_024, 446_464 + 512, 20 << 30].map(|bytes| Human(bytes).to_string());
        assert_eq!(shown, ["0", "1023", "1.0k", "1.10k", "436.5k", "20.0G"]);
    }

    #[test]
    fn hundredths_keep_their_zeros() {
        assert_eq!(Hundredths(705).to_string(), "7.05");
        assert_eq!(Hundredths(0).to_string(), "0.00");
    }
}
