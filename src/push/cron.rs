//! Cron expressions: five fields, or six with seconds in front, in UTC or the host's time zone.
//!
//! Written here: the crates for it bring a calendar library of their own.

use std::time::Duration;

use tz::TimeZone;

/// A parsed expression: which values of each field match.
#[derive(Clone, Debug)]
pub struct Cron {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether day and weekday are both restricted: then either of them matches.
    is_either_day: bool,
    /// Whether the hour is restricted: such a moment comes once a day, also when the clock is changed for summer time.
    has_hours: bool,
}

struct CronField {
    name: &'static str,
    min: u32,
    max: u32,
    words: &'static [&'static str],
}

const SECOND: CronField = CronField { name: "second", min: 0, max: 59, words: &[] };
const MINUTE: CronField = CronField { name: "minute", min: 0, max: 59, words: &[] };
const HOUR: CronField = CronField { name: "hour", min: 0, max: 23, words: &[] };
const DAY: CronField = CronField { name: "day", min: 1, max: 31, words: &[] };
const MONTH: CronField = CronField {
    name: "month",
    min: 1,
    max: 12,
    words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/// 7 is Sunday, too.
const WEEKDAY: CronField =
    CronField { name: "weekday", min: 0, max: 7, words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

const NAMES: [(&str, &str); 6] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// Days that are searched for the next moment: the longest gap between two 29th of February.
const SEARCH_DAYS: i64 = 366 * 9;

impl CronField {
    /// The values of a field as bits.
    fn parse(&self, text: &str) -> Result<u64, String> {
        let refuse = |part: &str| {
            format!(
                "{}: expected values of {} to {} such as *, */5, 1-5 or 1,2, found `{part}`",
                self.name, self.min, self.max
            )
        };
        let mut bits = 0;
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0).ok_or_else(|| refuse(part))?),
                None => (part, 1),
            };
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (self.min, self.max),
                Some((first, last)) => (self.value(first), self.value(last)).both().ok_or_else(|| refuse(part))?,
                None => {
                    let value = self.value(range).ok_or_else(|| refuse(part))?;
                    (value, if part.contains('/') { self.max } else { value })
                }
            };
            if first > last {
                return Err(refuse(part));
            }
            (first..=last).step_by(step).for_each(|value| bits |= 1 << value);
        }
        Ok(bits)
    }

    fn value(&self, word: &str) -> Option<u32> {
        let named = self.words.iter().position(|known| known.eq_ignore_ascii_case(word));
        let value = match named {
            Some(number) => u32::try_from(number).ok()? + self.min,
            None => word.parse().ok().filter(|_| word.bytes().all(|byte| byte.is_ascii_digit()))?,
        };
        (self.min..=self.max).contains(&value).then_some(value)
    }
}

trait Both<T> {
    fn both(self) -> Option<(T, T)>;
}

impl<T> Both<T> for (Option<T>, Option<T>) {
    fn both(self) -> Option<(T, T)> {
        self.0.zip(self.1)
    }
}

impl Cron {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = NAMES.iter().find(|(name, _)| *name == text.trim());
        let fields: Vec<&str> = named.map_or(text, |(_, fields)| fields).split_ascii_whitespace().collect();
        let (second, rest) = match fields.as_slice() {
            [second, rest @ ..] if rest.len() == 5 => (*second, rest),
            rest if rest.len() == 5 => ("0", rest),
            _ => {
                return Err(format!(
                    "expected five fields (minute hour day month weekday), six with seconds in front, or @hourly and the \
                     like; found `{text}`"
                ));
            }
        };
        let weekdays = WEEKDAY.parse(rest[4])?;
        let cron = Self {
            seconds: SECOND.parse(second)?,
            minutes: MINUTE.parse(rest[0])?,
            hours: HOUR.parse(rest[1])?,
            days: DAY.parse(rest[2])?,
            months: MONTH.parse(rest[3])?,
            weekdays: weekdays | (weekdays >> 7 & 1),
            is_either_day: !rest[2].starts_with('*') && !rest[4].starts_with('*'),
            has_hours: !rest[1].starts_with('*'),
        };
        if !(0..SEARCH_DAYS).any(|day| cron.has_day(day)) {
            return Err(format!("no day matches `{text}`"));
        }
        Ok(cron)
    }

    /// Whether the day with this number since 1970 matches.
    fn has_day(&self, day: i64) -> bool {
        let (_, month, date) = civil(day);
        let weekday = (day + 4).rem_euclid(7);
        let has = |bits: u64, value: i64| bits >> value & 1 == 1;
        let (day, weekday) = (has(self.days, date), has(self.weekdays, weekday));
        has(self.months, month) && if self.is_either_day { day || weekday } else { day && weekday }
    }

    /// The first moment after `now` in seconds since 1970. `None` if there is none in nine years.
    pub fn after(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        if self.has_hours { self.fixed_after(now, zone) } else { self.repeated_after(now, zone) }
    }

    /// Local times that match, each once: one that summer time skips comes as much later, one that it repeats comes first.
    fn fixed_after(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        let local = now + offset(zone, now);
        let first_day = local.div_euclid(86_400) - 1;
        (first_day..first_day + SEARCH_DAYS).filter(|day| self.has_day(*day)).find_map(|day| {
            let moments = bits(self.hours).flat_map(|hour| {
                bits(self.minutes).flat_map(move |minute| bits(self.seconds).map(move |second| (hour, minute, second)))
            });
            let moments = moments.map(|(hour, minute, second)| day * 86_400 + hour * 3_600 + minute * 60 + second);
            moments.map(|local| to_utc(local, zone)).filter(|moment| *moment > now).min()
        })
    }

    /// Every moment whose local time matches, also where an hour comes twice.
    fn repeated_after(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        let mut at = now + 1;
        let end = now + SEARCH_DAYS * 86_400;
        while at < end {
            let local = at + offset(zone, at);
            if !self.has_day(local.div_euclid(86_400)) {
                // To the next local midnight, or a little before where the offset changes on the way.
                let rest = 86_400 - local.rem_euclid(86_400);
                at += if rest > 7_200 { rest - 7_200 } else { rest.min(900 - local.rem_euclid(900)) };
                continue;
            }
            let hour = local.rem_euclid(86_400) / 3_600;
            if self.hours >> hour & 1 == 0 {
                at += 3_600 - local.rem_euclid(3_600);
                continue;
            }
            let minute = local.rem_euclid(3_600) / 60;
            if self.minutes >> minute & 1 == 0 {
                at += 60 - local.rem_euclid(60);
                continue;
            }
            match bits(self.seconds).find(|second| *second >= local.rem_euclid(60)) {
                Some(second) => return Some(at - local.rem_euclid(60) + second),
                None => at += 60 - local.rem_euclid(60),
            }
        }
        None
    }
}

/// The positions of set bits.
fn bits(bits: u64) -> impl Iterator<Item = i64> {
    (0..64).filter(move |bit| bits >> bit & 1 == 1)
}

/// Seconds that local time is ahead.
fn offset(zone: &TimeZone, now: i64) -> i64 {
    zone.find_local_time_type(now).map_or(0, |found| i64::from(found.ut_offset()))
}

/// The first moment with this local time; one that does not exist counts by the offset before.
fn to_utc(local: i64, zone: &TimeZone) -> i64 {
    let offsets = [offset(zone, local - 86_400), offset(zone, local + 86_400)];
    let moments = offsets.map(|offset| local - offset);
    let real = moments.into_iter().filter(|moment| moment + offset(zone, *moment) == local).min();
    real.unwrap_or(moments[0])
}

/// Year, month and day of a day since 1970.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// The host's zone.
pub fn host_zone() -> Result<TimeZone, String> {
    TimeZone::local().map_err(|error| format!("the host's time zone: {error}"))
}

/// UTC.
pub fn utc() -> TimeZone {
    TimeZone::utc()
}

/// A moment after the epoch.
pub(super) fn moment(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Central European Time with its rules of summer time.
    fn berlin() -> TimeZone {
        TimeZone::from_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    /// Seconds since 1970 of a date and time in UTC.
    fn at(text: &str) -> i64 {
        let numbers: Vec<i64> = text.split(['-', ' ', ':']).map(|word| word.parse().unwrap()).collect();
        let [year, month, day, hour, minute] = numbers[..] else { panic!("{text}") };
        let days = (0..40_000).find(|number| civil(*number) == (year, month, day)).unwrap();
        days * 86_400 + hour * 3_600 + minute * 60
    }

    fn shown(moment: i64) -> String {
        let (year, month, day) = civil(moment.div_euclid(86_400));
        let second = moment.rem_euclid(86_400);
        format!("{year}-{month:02}-{day:02} {:02}:{:02}", second / 3_600, second / 60 % 60)
    }

    /// All moments of an expression from one moment to another.
    fn moments(expression: &str, zone: &TimeZone, from: &str, to: &str) -> Vec<String> {
        let cron = Cron::parse(expression).unwrap();
        let (mut now, end) = (at(from) - 1, at(to));
        let mut found = Vec::new();
        while let Some(next) = cron.after(now, zone).filter(|next| *next < end) {
            assert!(next > now, "{expression}: {next} after {now}");
            found.push(shown(next));
            now = next;
        }
        found
    }

    #[track_caller]
    fn check(expression: &str, zone: &TimeZone, from: &str, to: &str, expected: &[&str]) {
        assert_eq!(moments(expression, zone, from, to), expected, "{expression}");
    }

    #[test]
    fn every_kind_of_expression_across_a_day() {
        let (utc, from, to) = (utc(), "2026-12-01 00:00", "2026-12-02 00:00");
        let count = |expression: &str| moments(expression, &utc, from, to).len();
        assert_eq!(count("* * * * *"), 1_440);
        assert_eq!(count("*/5 * * * *"), 288);
        assert_eq!(count("*/30 * * * * *"), 2_880);
        assert_eq!(count("0 */2 * * *"), 12);
        assert_eq!(count("@hourly"), 24);
        assert_eq!(count("10-20/5,40 1-3 * * *"), 12);
        // The 1st of December 2026 is a Tuesday.
        for (expression, is_today) in [
            ("0 0 1 * *", true),
            ("0 0 2 * *", false),
            ("0 0 * * tue", true),
            ("0 0 * dec 2", true),
            ("0 0 * * 0", false),
        ] {
            assert_eq!(count(expression), usize::from(is_today), "{expression}");
        }
        // Day and weekday both restricted: either matches.
        assert_eq!(count("0 0 2 * TUE"), 1);
        check("5 4 * * *", &utc, from, to, &["2026-12-01 04:05"]);
        check("@weekly", &utc, "2026-12-01 00:00", "2026-12-20 00:00", &["2026-12-06 00:00", "2026-12-13 00:00"]);
        check("0 0 * * 7", &utc, "2026-12-01 00:00", "2026-12-12 00:00", &["2026-12-06 00:00"]);
        check("0 0 29 2 *", &utc, "2026-01-01 00:00", "2030-01-01 00:00", &["2028-02-29 00:00"]);
    }

    #[test]
    fn a_fixed_hour_comes_once_on_days_of_summer_time() {
        let zone = berlin();
        // 2026-03-29 at 01:00 UTC clocks go from 02:00 to 03:00.
        let (from, to) = ("2026-03-28 12:00", "2026-03-30 12:00");
        check("30 2 * * *", &zone, from, to, &["2026-03-29 01:30", "2026-03-30 00:30"]);
        check("30 3 * * *", &zone, from, to, &["2026-03-29 01:30", "2026-03-30 01:30"]);
        // 2026-10-25 at 01:00 UTC clocks go from 03:00 to 02:00.
        let (from, to) = ("2026-10-24 12:00", "2026-10-26 12:00");
        check("30 2 * * *", &zone, from, to, &["2026-10-25 00:30", "2026-10-26 01:30"]);
        check("0 3 * * *", &zone, from, to, &["2026-10-25 02:00", "2026-10-26 02:00"]);
    }

    #[test]
    fn every_hour_comes_every_hour_on_days_of_summer_time() {
        for (from, to) in [("2026-03-29 00:00", "2026-03-30 00:00"), ("2026-10-25 00:00", "2026-10-26 00:00")] {
            let found = moments("0 * * * *", &berlin(), from, to);
            assert_eq!(found, moments("0 * * * *", &utc(), from, to));
        }
        // The local day of the change has 23 and 25 hours.
        let spring = moments("0 * 29 3 *", &berlin(), "2026-03-28 00:00", "2026-03-31 00:00");
        let autumn = moments("0 * 25 10 *", &berlin(), "2026-10-24 00:00", "2026-10-27 00:00");
        assert_eq!((spring.len(), autumn.len()), (23, 25));
        assert_eq!(spring[0], "2026-03-28 23:00");
    }

    #[test]
    fn what_is_no_expression_is_refused_in_words() {
        for (text, expected) in [
            ("* * * *", "expected five fields"),
            ("61 * * * *", "minute: expected values of 0 to 59 such as *, */5, 1-5 or 1,2, found `61`"),
            ("* 5-3 * * *", "hour: expected values of 0 to 23"),
            ("*/0 * * * *", "minute: expected"),
            ("* * * foo *", "month: expected"),
            ("* * 0 * *", "day: expected values of 1 to 31"),
            ("+1 * * * *", "minute: expected"),
            ("0 0 31 2 *", "no day matches `0 0 31 2 *`"),
            ("@never", "expected five fields"),
        ] {
            let error = Cron::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    /// A field as text, with the values that it has.
    #[derive(Clone, Debug)]
    struct Written {
        text: String,
        values: Vec<i64>,
    }

    impl Written {
        fn is_any(&self) -> bool {
            self.text.starts_with('*')
        }
    }

    /// Every form of a field: `*`, `*/N`, `A`, `A-B`, `A-B/N`, `A/N`, `A,B`.
    fn written(min: i64, max: i64) -> impl Strategy<Value = Written> {
        (0..8_u8, min..=max, min..=max, 1..=max.max(2)).prop_map(move |(form, a, b, step)| {
            let (first, last) = (a.min(b), a.max(b));
            let each =
                |first: i64, last: i64, step: i64| (first..=last).filter(|value| (value - first) % step == 0).collect();
            let (text, values) = match form {
                0..=2 => ("*".to_owned(), each(min, max, 1)),
                3 => (format!("*/{step}"), each(min, max, step)),
                4 => (format!("{a}"), vec![a]),
                5 => (format!("{first}-{last}"), each(first, last, 1)),
                6 => (format!("{first}-{last}/{step}"), each(first, last, step)),
                _ => (format!("{first},{last}"), vec![first, last]),
            };
            Written { text, values }
        })
    }

    /// Zones with the two changes of their clocks in 2026, in UTC.
    fn changes() -> [(TimeZone, i64); 4] {
        // An hour in Berlin, half an hour on Lord Howe Island.
        let island = TimeZone::from_posix_tz("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0").unwrap();
        [
            (berlin(), at("2026-03-29 01:00")),
            (berlin(), at("2026-10-25 01:00")),
            (island.clone(), at("2026-10-03 15:30")),
            (island, at("2026-04-04 15:00")),
        ]
    }

    /// Moments by the definition of an expression: a restricted hour has each local time once, any other each minute that
    /// matches. `minutes` are all minutes of some days in UTC.
    fn defined(fields: &[Written; 5], zone: &TimeZone, minutes: std::ops::Range<i64>) -> Vec<i64> {
        let [minute, hour, day, month, weekday] = fields;
        let matches = |local: i64| {
            let number = local.div_euclid(86_400);
            let (_, of_year, date) = civil(number);
            let (date, of_week) = (day.values.contains(&date), weekday.values.contains(&(number + 4).rem_euclid(7)));
            let is_day = if day.is_any() || weekday.is_any() { date && of_week } else { date || of_week };
            is_day
                && month.values.contains(&of_year)
                && hour.values.contains(&(local.rem_euclid(86_400) / 3_600))
                && minute.values.contains(&(local.rem_euclid(3_600) / 60))
        };
        let local = |moment: i64| moment + offset(zone, moment);
        if hour.is_any() {
            return minutes.map(|minute| minute * 60).filter(|moment| matches(local(*moment))).collect();
        }
        let mut found = std::collections::BTreeSet::new();
        let mut next = local(minutes.start * 60);
        for moment in minutes.map(|minute| minute * 60) {
            let now = local(moment);
            // Local times that the clock skips come as much later, and those that it repeats do not come again.
            let skipped = (next..now).step_by(60).filter(|local| matches(*local));
            found.extend(skipped.map(|skipped| moment + skipped - next));
            if now >= next && matches(now) {
                found.insert(moment);
            }
            next = next.max(now + 60);
        }
        found.into_iter().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn every_expression_keeps_to_its_definition_when_clocks_change(
            minute in written(0, 59), hour in written(0, 23), day in written(1, 31), month in written(1, 12),
            weekday in written(0, 6), change in 0..4_usize, now in -36 * 3_600..36 * 3_600_i64,
        ) {
            let (zone, change) = &changes()[change];
            let fields = [minute, hour, day, month, weekday];
            let text = fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ");
            let Ok(cron) = Cron::parse(&text) else { return Ok(()) };
            let (start, end) = (change / 60 - 3 * 1_440, change / 60 + 3 * 1_440);
            let mut now = change + now;
            let expected = defined(&fields, zone, start..end);
            // Twenty moments from there.
            for expected in expected.iter().filter(|moment| **moment > now).take(20).copied().collect::<Vec<_>>() {
                let next = cron.after(now, zone);
                prop_assert_eq!(next, Some(expected), "{} after {}", text, shown(now));
                now = expected;
            }
            if expected.iter().all(|moment| *moment <= now) {
                prop_assert!(cron.after(now, zone).is_none_or(|next| next >= end * 60), "{} after {}", text, shown(now));
            }
        }
    }

    #[test]
    fn a_change_of_half_an_hour_keeps_fixed_times_once() {
        let [_, _, (zone, _), _] = changes();
        // 2026-10-03 15:30 UTC: 02:00 becomes 02:30. 02:15 comes at 02:45.
        check("15 2 * * *", &zone, "2026-10-03 12:00", "2026-10-04 16:00", &["2026-10-03 15:45", "2026-10-04 15:15"]);
        // 2026-04-04 15:00 UTC: 02:00 becomes 01:30. 01:45 comes once.
        check("45 1 * * *", &zone, "2026-04-04 12:00", "2026-04-05 16:00", &["2026-04-04 14:45", "2026-04-05 15:15"]);
    }
}
