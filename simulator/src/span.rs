//! Durations as text: `90s`, `1h30m`, `20ms`.

use std::fmt;
use std::time::Duration;

/// Units in microseconds, largest first.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// Description of the format for error messages.
pub const EXPECTED: &str = "a time such as 30s, 1m30s or 200ms";

/// Parses a sequence of integers with units.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut micros = 0_u64;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|next: char| !next.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|next: char| next.is_ascii_digit()).unwrap_or(after.len()));
        let (_, factor) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
        micros = micros.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(Duration::from_micros(micros))
}

/// Duration that is displayed in the format that [`parse`] accepts, in whole microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, factor) in UNITS {
            if rest >= factor {
                write!(f, "{}{unit}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Duration>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn numbers_need_units() {
        check("200ms", Some(Duration::from_millis(200)));
        check("1m30s", Some(Duration::from_secs(90)));
        check("1d", Some(Duration::from_secs(86_400)));
        check("5us", Some(Duration::from_micros(5)));
        for no_time in ["", "5", "s", "5x", "-5s", "1.5s", "99999999999999999999s", "18446744073709551615d"] {
            check(no_time, None);
        }
    }

    proptest! {
        #[test]
        fn durations_round_trip(micros: u64) {
            let time = Duration::from_micros(micros);
            prop_assert_eq!(parse(&Span(time).to_string()), Some(time));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: String) {
            let _ = parse(&text);
        }
    }
}
