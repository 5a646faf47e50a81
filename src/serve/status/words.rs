//! Formatting of values for the status page.

use std::fmt;
use std::time::Duration;

/// Text with the special characters of HTML escaped.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let (before, special) = match piece.char_indices().next_back() {
                Some((at, special @ ('&' | '<' | '>' | '"' | '\''))) => (piece.get(..at).unwrap_or_default(), special),
                _ => (piece, ' '),
            };
            f.write_str(before)?;
            f.write_str(match special {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                _ => "",
            })?;
        }
        Ok(())
    }
}

/// A duration with three significant digits.
pub(super) struct Time(pub(super) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let (value, unit) = if seconds < 1.0 { (seconds * 1e3, "ms") } else { (seconds, "s") };
        let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
        write!(f, "{value:.decimals$} {unit}")
    }
}

/// A long duration in its two largest units.
pub(super) struct Uptime(pub(super) Duration);

impl fmt::Display for Uptime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, _) => write!(f, "{minutes} min {} s", seconds % 60),
            (0, ..) => write!(f, "{hours} h {} min", minutes % 60),
            _ => write!(f, "{days} d {} h", hours % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_of_html_are_escaped() {
        assert_eq!(Escaped("a<b>&\"c'é").to_string(), "a&lt;b&gt;&amp;&quot;c&#39;é");
        assert_eq!(Escaped("").to_string(), "");
    }

    #[test]
    fn durations_have_three_significant_digits() {
        for (micros, expected) in [
            (0, "0.00 ms"),
            (1_234, "1.23 ms"),
            (9_994, "9.99 ms"),
            (9_996, "10.0 ms"),
            (99_940, "99.9 ms"),
            (123_400, "123 ms"),
            (1_500_000, "1.50 s"),
        ] {
            assert_eq!(Time(Duration::from_micros(micros)).to_string(), expected);
        }
    }

    #[test]
    fn long_durations_have_two_units() {
        for (seconds, expected) in
            [(59, "59 s"), (61, "1 min 1 s"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h"), (86_400 * 400, "400 d 0 h")]
        {
            assert_eq!(Uptime(Duration::from_secs(seconds)).to_string(), expected);
        }
    }
}
