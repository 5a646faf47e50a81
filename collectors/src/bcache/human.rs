//! Human-readable numbers of bcache: `4`, `446.4k`, `20.3G`.
//!
//! The kernel prints the integer part in binary units and, after a point, the remainder of 1,024 divided by 100: 0 to 10,
//! where .10 is more than .9. The value is therefore slightly off, as node_exporter's is.

use crate::kit::parse::{FromText, whole_part};

/// A human-readable number without a sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Human(pub(super) u64);

/// A human-readable number with an optional sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SignedHuman(pub(super) i64);

/// The units, each 1,024 times the one before it.
const UNITS: &[u8] = b"kMGTPEZY";

/// Steps of the digits after the point per unit.
const FRACTION_PARTS: f64 = 10.24;

impl FromText for Human {
    const EXPECTED: &'static str = "an unsigned integer, or one with a unit such as 446.4k, below 2^64";

    fn from_text(text: &[u8]) -> Option<Self> {
        let Some(unit) = UNITS.iter().position(|unit| text.last() == Some(unit)) else {
            return u64::from_text(text).map(Self);
        };
        let number = &text[..text.len() - 1];
        let (whole, parts) = match memchr::memchr(b'.', number) {
            Some(point) => (&number[..point], u64::from_text(&number[point + 1..])?),
            None => (number, 0),
        };
        let factor = 1024_f64.powi(i32::try_from(unit).ok()? + 1);
        let value = (u64::from_text(whole)? as f64 + parts as f64 / FRACTION_PARTS) * factor;
        whole_part(value).map(Self)
    }
}

impl FromText for SignedHuman {
    const EXPECTED: &'static str = "a signed integer, or one with a unit such as -446.4k, of up to 64 bits";

    fn from_text(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"-") {
            Some(digits) => 0_i64.checked_sub_unsigned(Human::from_text(digits)?.0),
            None => i64::try_from(Human::from_text(text)?.0).ok(),
        }
        .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_binary_and_fractions_are_tenths_of_1024_parts() {
        for (text, expected) in [
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("1.0k", Some(1024)),
            ("1k", Some(1024)),
            ("1.5M", Some(1_560_576)),
            ("1.10k", Some(2024)),
            ("20.4G", Some(21_894_266_880)),
            ("15.9E", Some(18_307_132_485_261_066_240)),
            ("16.0E", None),
            ("0.0Z", Some(0)),
            ("1.0Y", None),
            ("-1", None),
            ("", None),
            ("k", None),
            (".5k", None),
            ("1.k", None),
            ("1.5", None),
            ("1.2.3k", None),
            ("1 k", None),
            ("1Q", None),
            ("inf", None),
        ] {
            assert_eq!(Human::from_text(text.as_bytes()).map(|human| human.0), expected, "{text}");
        }
        for (text, expected) in
            [("-1.0k", Some(-1024)), ("7", Some(7)), ("--1", None), ("-8.0E", Some(i64::MIN)), ("8.0E", None)]
        {
            assert_eq!(SignedHuman::from_text(text.as_bytes()).map(|human| human.0), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_below_a_unit_come_back(value in 0_u64..1024, signed in -1023_i64..1024) {
            prop_assert_eq!(Human::from_text(value.to_string().as_bytes()), Some(Human(value)));
            prop_assert_eq!(SignedHuman::from_text(signed.to_string().as_bytes()), Some(SignedHuman(signed)));
        }

        /// The error of the kernel's format is at most one of its tenths.
        #[test]
        fn what_the_kernel_prints_is_nearly_what_it_was(value in 1024_u64..1 << 53) {
            let mut unit = 0;
            let (mut whole, mut rest) = (value, 0);
            while whole >= 1024 {
                rest = whole & 1023;
                whole >>= 10;
                unit += 1;
            }
            let text = format!("{whole}.{}{}", rest / 100, char::from(UNITS[unit - 1]));
            let Some(Human(found)) = Human::from_text(text.as_bytes()) else { panic!("{text}") };
            let tenth = (1_u64 << (10 * unit)) / 10;
            prop_assert!(found <= value + 1 && found + tenth + 1 >= value, "{} of {}", found, value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = (Human::from_text(&bytes), SignedHuman::from_text(&bytes));
        }
    }
}
