//! Decimal digits of integers, computed in a register. Digits written to memory in pairs would stall the copy onto the
//! page (store forwarding).

use super::line::{self, Room};

/// The printed digits of a number.
pub(crate) trait Digits {
    /// The number of digits.
    fn count(&self) -> usize;

    /// Writes the digits of a range; returns the next position.
    fn put(&self, from: usize, to: usize, room: &mut Room, at: usize) -> usize;
}

impl Digits for [u8] {
    fn count(&self) -> usize {
        self.len()
    }

    fn put(&self, from: usize, to: usize, room: &mut Room, at: usize) -> usize {
        line::put_all(room, at, self.get(from..to).unwrap_or_default())
    }
}

/// The digits of an integer below [`Packed::BELOW`], the first in the lowest byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed {
    text: u128,
    count: usize,
}

const HALF: u64 = 100_000_000;

impl Packed {
    /// The first integer with too many digits.
    pub(crate) const BELOW: u64 = HALF * HALF;

    #[inline]
    pub(crate) fn new(value: u64) -> Self {
        debug_assert!(value < Self::BELOW);
        if value < HALF {
            let (text, count) = short(value);
            return Self { text: text.into(), count };
        }
        let (high, low) = (eight(value / HALF), eight(value % HALF));
        let zeros = high.trailing_zeros() / 8;
        let text = u128::from(high + ZEROS) | (u128::from(low + ZEROS) << 64);
        Self { text: text >> (8 * zeros), count: 16 - zeros as usize }
    }

    /// The digits without trailing zeros, at least one.
    #[inline]
    pub(crate) fn without_zeros(self) -> Self {
        // Compare with zeros: the highest byte that differs is the last digit to keep.
        let zeros = ALL_ZEROS >> (8 * (PACKED_DIGITS - self.count));
        let count = PACKED_DIGITS - (self.text ^ zeros).leading_zeros() as usize / 8;
        Self { count: count.max(1), ..self }
    }
}

impl Digits for Packed {
    #[inline]
    fn count(&self) -> usize {
        self.count
    }

    #[inline]
    fn put(&self, from: usize, to: usize, room: &mut Room, at: usize) -> usize {
        line::put(room, at, &(self.text >> (8 * from)).to_le_bytes());
        at + to.min(self.count).saturating_sub(from)
    }
}

/// Maximum number of digits.
const PACKED_DIGITS: usize = 16;
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
const ALL_ZEROS: u128 = u128::from_le_bytes([b'0'; PACKED_DIGITS]);

/// The digits of an integer below [`HALF`], the first in the lowest byte, and their number.
#[inline]
const fn short(value: u64) -> (u64, usize) {
    let digits = eight(value);
    let zeros = digits.trailing_zeros() / 8;
    let zeros = if zeros < 7 { zeros } else { 7 };
    ((digits + ZEROS) >> (8 * zeros), 8 - zeros as usize)
}

/// The eight digits of an integer below [`HALF`], as values from 0 to 9, the first in the lowest byte.
///
/// The integer is split three times: into two of four digits, four of two, eight of one. Each division is a
/// multiplication that is exact for the range, done for all parts at once.
#[inline]
const fn eight(value: u64) -> u64 {
    const HUNDREDTH: u64 = 10_486;
    const TENTH: u64 = 103;
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let high = ((fours * HUNDREDTH) >> 20) & 0x0000_007f_0000_007f;
    let twos = high | ((fours - high * 100) << 16);
    let high = ((twos * TENTH) >> 10) & 0x000f_000f_000f_000f;
    high | ((twos - high * 10) << 8)
}

/// Writes an integer in decimal; returns the next position.
#[inline]
pub(crate) fn put_whole(value: u64, room: &mut Room, at: usize) -> usize {
    if value < HALF {
        let (text, count) = short(value);
        line::put(room, at, &text.to_le_bytes());
        return at + count;
    }
    put_large_whole(value, room, at)
}

fn put_large_whole(value: u64, room: &mut Room, at: usize) -> usize {
    if value < Packed::BELOW {
        let digits = Packed::new(value);
        digits.put(0, digits.count, room, at)
    } else {
        line::put_all(room, at, itoa::Buffer::new().format(value).as_bytes())
    }
}

/// The sort key that gives integers of up to nineteen digits the order of their text: 1, 10, 2.
pub(crate) fn text_order(value: u64) -> (u64, u32) {
    let digits = value.checked_ilog10().unwrap_or(0);
    // Align the first digits.
    (value.saturating_mul(10_u64.pow(18_u32.saturating_sub(digits))), digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: u64) {
        let mut room = [b'x'; line::ROOM_BYTES];
        let end = put_whole(value, &mut room, 1);
        assert_eq!(String::from_utf8_lossy(&room[..end]), format!("x{value}"));
    }

    #[test]
    fn the_smallest_and_largest_numbers_of_each_length_are_printed() {
        check(u64::MAX);
        for power in (0..20).map(|exponent| 10_u64.pow(exponent)) {
            for value in [power - 1, power, power + 1, power.saturating_mul(7) / 3] {
                check(value);
            }
        }
    }

    #[test]
    fn all_numbers_of_four_digits_are_printed() {
        (0..10_000).for_each(|value| check(value * 10_000 + (9_999 - value)));
    }

    #[track_caller]
    fn check_part(value: u64, from: usize, to: usize, expected: &str) {
        let mut room = [b'x'; line::ROOM_BYTES];
        let end = Packed::new(value).without_zeros().put(from, to, &mut room, 0);
        assert_eq!(String::from_utf8_lossy(&room[..end]), expected);
    }

    #[test]
    fn ranges_are_written_without_trailing_zeros() {
        check_part(1_234_000, 0, 9, "1234");
        check_part(1_234_000, 1, 9, "234");
        check_part(9_007_199_254_740_992, 1, 16, "007199254740992");
        check_part(9_000_000_000_000_000, 0, 16, "9");
        check_part(0, 0, 1, "0");
        check_part(120, 2, 2, "");
    }

    proptest! {
        #[test]
        fn numbers_of_up_to_nineteen_digits_are_ordered_as_text(
            a in 0..10_u64.pow(19),
            b in 0..10_u64.pow(19),
            shift in 0_u32..64,
        ) {
            for (a, b) in [(a, b), (a >> shift, b), (a >> shift, (a >> shift) / 10)] {
                prop_assert_eq!(text_order(a).cmp(&text_order(b)), a.to_string().cmp(&b.to_string()), "{} {}", a, b);
            }
        }

        #[test]
        fn any_number_is_printed(value: u64, shift in 0_u32..64) {
            check(value >> shift);
        }
    }
}
