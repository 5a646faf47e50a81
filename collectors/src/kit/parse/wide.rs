//! Conversions between 64-bit integers and floats.

use super::FromText;

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
    use super::*;

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
