//! Timestamps of log lines.

use std::fmt;
use std::time::Duration;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
/// Days of 400 years, the period of the calendar.
const DAYS_PER_CYCLE: u64 = 146_097;
/// Days from 1 March of year 0 to 1 January 1970.
const DAYS_BEFORE_1970: u64 = 719_468;

/// A time since 1970, in universal time: `2023-11-14T22:13:20.042Z`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rfc3339(pub(super) Duration);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (year, month, day) = date(seconds / SECONDS_PER_DAY);
        let second = seconds % SECONDS_PER_DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let milliseconds = self.0.subsec_millis();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
    }
}

/// Year, month and day of the month. Years are counted from March on, so that a leap day is the last of its year.
fn date(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + DAYS_BEFORE_1970;
    let day_of_cycle = days % DAYS_PER_CYCLE;
    let leap_days = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
    let year_of_cycle = (day_of_cycle - leap_days) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // From March on, five months have 153 days.
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let year = days / DAYS_PER_CYCLE * 400 + year_of_cycle + u64::from(is_next_year);
    (year, if is_next_year { month - 9 } else { month + 3 }, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(milliseconds: u64, expected: &str) {
        assert_eq!(Rfc3339(Duration::from_millis(milliseconds)).to_string(), expected);
    }

    #[test]
    fn timestamps_are_rfc_3339() {
        check(0, "1970-01-01T00:00:00.000Z");
        check(951_782_399_999, "2000-02-28T23:59:59.999Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(951_868_800_000, "2000-03-01T00:00:00.000Z");
        check(1_700_000_000_042, "2023-11-14T22:13:20.042Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
        check(253_402_300_799_999, "9999-12-31T23:59:59.999Z");
        assert!(Rfc3339(Duration::MAX).to_string().ends_with('Z'));
    }

    #[test]
    fn consecutive_days_are_correct() {
        let mut before = date(0);
        for days in 1..DAYS_PER_CYCLE {
            let (year, month, day) = date(days);
            let is_leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
            let length = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let is_next_day = before == (year, month, day.wrapping_sub(1));
            let last_month = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
            let is_next_month =
                day == 1 && before == (last_month.0, last_month.1, length[usize::try_from(last_month.1).unwrap() - 1]);
            assert!(is_next_day || is_next_month, "{before:?} {:?}", (year, month, day));
            before = (year, month, day);
        }
    }
}
