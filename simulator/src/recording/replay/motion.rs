//! A text between two texts: the numbers that differ move, everything else stands.

mod counters;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use counters::Columns;

/// The text of a file that was `first`, and `after` so long `second`, when so much time has passed since the first.
pub(super) fn at(path: &str, first: &[u8], second: &[u8], elapsed: Duration, after: Duration) -> Vec<u8> {
    let time = Time::new(elapsed, after);
    let is_second = elapsed >= after;
    let (now, other) = if is_second { (second, first) } else { (first, second) };
    let columns = Columns::of(path);
    let others: Vec<&[u8]> = other.split_inclusive(|&byte| byte == b'\n').collect();
    let nows: Vec<&[u8]> = now.split_inclusive(|&byte| byte == b'\n').collect();
    let keyed = by_key(&others);
    let mut into = Vec::with_capacity(now.len());
    for (number, line) in nows.iter().enumerate() {
        // The same line of a table of the same length; else the one that begins with the same word.
        let partner = if nows.len() == others.len() {
            others.get(number).copied()
        } else {
            keyed.get(key(line)).copied().flatten()
        };
        match partner.filter(|partner| partner != line) {
            Some(partner) => {
                let (first, second) = if is_second { (partner, *line) } else { (*line, partner) };
                if !moved(&columns, first, second, is_second, time, &mut into) {
                    into.extend_from_slice(line);
                }
            }
            None => into.extend_from_slice(line),
        }
    }
    into
}

fn key(line: &[u8]) -> &[u8] {
    line.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// The lines by their first word; `None` where two begin alike.
fn by_key<'a>(lines: &[&'a [u8]]) -> BTreeMap<&'a [u8], Option<&'a [u8]>> {
    let mut keyed = BTreeMap::new();
    for line in lines {
        keyed.entry(key(line)).and_modify(|there| *there = None).or_insert(Some(*line));
    }
    keyed
}

/// How far it is from the first moment to the second.
#[derive(Clone, Copy)]
struct Time {
    /// In microseconds, as long as ever.
    elapsed: u128,
    /// The same, but turning back at each moment.
    swinging: u128,
    after: u128,
}

impl Time {
    fn new(elapsed: Duration, after: Duration) -> Self {
        let (elapsed, after) = (elapsed.as_micros(), after.as_micros().max(1));
        let phase = elapsed % (2 * after);
        Self { elapsed, swinging: phase.min(2 * after - phase), after }
    }

    fn value(self, first: u128, second: u128, is_counter: bool) -> Option<u128> {
        if is_counter && second >= first {
            return Some(first + (second - first).checked_mul(self.elapsed)? / self.after);
        }
        let step = first.abs_diff(second).checked_mul(self.swinging)? / self.after;
        Some(if second >= first { first + step } else { first - step })
    }
}

/// A number in a line: where, and how many digits stand after its point.
struct Number {
    range: Range<usize>,
    value: u128,
    decimals: usize,
}

/// Appends the line between the two; `false`, and nothing, where they are not of one form.
fn moved(columns: &Columns<'_>, first: &[u8], second: &[u8], is_second: bool, time: Time, into: &mut Vec<u8>) -> bool {
    let radix = columns.radix();
    let (Some(a), Some(b)) = (numbers(first, radix), numbers(second, radix)) else { return false };
    let is_alike = a.len() == b.len()
        && texts(first, &a).eq(texts(second, &b))
        && a.iter().zip(&b).all(|(a, b)| a.decimals == b.decimals);
    if !is_alike {
        return false;
    }
    let (line, places) = if is_second { (second, &b) } else { (first, &a) };
    let mut at = 0;
    let mut column = 0;
    let start = into.len();
    for ((a, b), place) in a.iter().zip(&b).zip(places) {
        let between = line.get(at..place.range.start).unwrap_or_default();
        into.extend_from_slice(between);
        column += starts_of_words(line, at, place.range.start);
        at = place.range.end;
        if a.value == b.value {
            into.extend_from_slice(line.get(place.range.clone()).unwrap_or_default());
            continue;
        }
        let is_counter = columns.counts(key(line), label(line, place.range.start), column);
        let Some(value) = time.value(a.value, b.value, is_counter) else {
            into.truncate(start);
            return false;
        };
        write(value, place, radix, into);
    }
    into.extend_from_slice(line.get(at..).unwrap_or_default());
    true
}

/// How many words begin after `from`, up to the one that holds `to`.
fn starts_of_words(line: &[u8], from: usize, to: usize) -> usize {
    let is_blank = |at: usize| at.checked_sub(1).is_none_or(|at| line.get(at).is_some_and(u8::is_ascii_whitespace));
    let is_start =
        |at: &usize| *at > 0 && is_blank(*at) && line.get(*at).is_some_and(|byte| !byte.is_ascii_whitespace());
    let first_word = line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    (from.max(first_word + 1)..=to).filter(is_start).count()
}

/// What stands right before a number: `rx_bytes` of `rx_bytes=1`.
fn label(line: &[u8], start: usize) -> &[u8] {
    let before = line.get(..start).unwrap_or_default();
    let before = before.strip_suffix(b"=").or_else(|| before.strip_suffix(b":")).unwrap_or_default();
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    before.get(before.len() - word.count()..).unwrap_or_default()
}

/// The numbers of a line; `None` where one is beyond 30 digits.
fn numbers(line: &[u8], radix: u32) -> Option<Vec<Number>> {
    const DIGITS_MAX: usize = 30;
    let is_digit = |byte: &u8| if radix == 16 { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        let is_inside = at.checked_sub(1).and_then(|before| line.get(before)).is_some_and(is_word);
        let run = line.get(at..)?.iter().take_while(|byte| is_digit(byte)).count();
        if !is_digit(byte) || is_inside {
            at += run.max(1);
            continue;
        }
        let after = line.get(at + run..).unwrap_or_default();
        let decimals = match after.split_first() {
            Some((b'.', rest)) if radix == 10 => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
            _ => 0,
        };
        let end = at + run + if decimals > 0 { 1 + decimals } else { 0 };
        if !line.get(end).is_some_and(is_word) {
            let digits: Vec<u8> = line.get(at..end)?.iter().copied().filter(|byte| *byte != b'.').collect();
            let text = std::str::from_utf8(&digits).ok().filter(|digits| digits.len() <= DIGITS_MAX)?;
            found.push(Number { range: at..end, value: u128::from_str_radix(text, radix).ok()?, decimals });
        }
        at = end;
    }
    Some(found)
}

/// What stands between numbers. Blanks before a number fill its column, and do not count.
fn texts<'a>(line: &'a [u8], numbers: &'a [Number]) -> impl Iterator<Item = &'a [u8]> {
    let starts = std::iter::once(0).chain(numbers.iter().map(|number| number.range.end));
    let ends = numbers.iter().map(|number| number.range.start).chain([line.len()]);
    starts.zip(ends).map(|(start, end)| line.get(start..end).unwrap_or_default().trim_ascii_end())
}

/// Writes a number where another stood: as wide, as far as there are blanks to take.
fn write(value: u128, place: &Number, radix: u32, into: &mut Vec<u8>) {
    let width = place.range.len();
    let text = match (radix, place.decimals) {
        (16, _) => format!("{value:0width$x}"),
        (_, 0) => value.to_string(),
        (_, decimals) => {
            let digits = format!("{value:0minimum$}", minimum = decimals + 1);
            let (whole, fraction) = digits.split_at(digits.len() - decimals);
            format!("{whole}.{fraction}")
        }
    };
    let blanks = into.iter().rev().take_while(|byte| **byte == b' ').count();
    if text.len() > width {
        let taken = (text.len() - width).min(blanks.saturating_sub(1));
        into.truncate(into.len() - taken);
    } else if blanks > 1 {
        into.extend(std::iter::repeat_n(b' ', width - text.len()));
    }
    into.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(path: &str, first: &str, second: &str, halves: u64, expected: &str) {
        let half = Duration::from_secs(5);
        let elapsed = half * u32::try_from(halves).unwrap();
        let found = at(path, first.as_bytes(), second.as_bytes(), elapsed, half * 2);
        assert_eq!(String::from_utf8(found).unwrap(), expected);
    }

    #[test]
    fn counters_go_on_and_levels_swing() {
        check("proc/net/dev", "  eth0: 100    1 0\n", "  eth0: 200    3 0\n", 3, "  eth0: 250    4 0\n");
        check("proc/meminfo", "MemFree:  100 kB\n", "MemFree:   80 kB\n", 1, "MemFree:   90 kB\n");
        check("proc/meminfo", "MemFree:  100 kB\n", "MemFree:  120 kB\n", 3, "MemFree:  110 kB\n");
        check("proc/loadavg", "0.10 1/2 7\n", "0.30 3/2 9\n", 1, "0.20 2/2 8\n");
        check("proc/uptime", "100.50 7.00\n", "110.50 9.00\n", 4, "120.50 11.00\n");
        check("proc/net/softnet_stat", "000000ff 00000000\n", "00000101 00000000\n", 4, "00000103 00000000\n");
        let (first, second) = ("some avg10=1.00 total=100\n", "some avg10=3.00 total=200\n");
        check("proc/pressure/cpu", first, second, 4, "some avg10=1.00 total=300\n");
        check("proc/vmstat", "nr_free 10\npgfault 5\n", "nr_free 20\npgfault 7\n", 4, "nr_free 10\npgfault 9\n");
        check("sys/class/net/a/statistics/rx_bytes", "5\n", "6\n", 4, "7\n");
        check("sys/class/net/a/carrier", "0\n", "1\n", 4, "0\n");
        let (first, second) = ("8 0 sda 1 0 0 0 0 0 0 0 4 0 0\n", "8 0 sda 3 0 0 0 0 0 0 0 6 0 0\n");
        check("proc/diskstats", first, second, 4, "8 0 sda 5 0 0 0 0 0 0 0 4 0 0\n");
    }

    #[test]
    fn lines_that_come_and_go_leave_the_others_moving() {
        let (first, second) = ("a: 10\nb: 20\n", "a: 30\nnew: 1\nb: 20\n");
        check("proc/x", first, second, 1, "a: 20\nb: 20\n");
        check("proc/x", first, second, 2, "a: 30\nnew: 1\nb: 20\n");
        check("proc/x", first, second, 3, "a: 20\nnew: 1\nb: 20\n");
        check("proc/x", "PCI-0000:00 007 1\n", "PCI-0000:00 007 3\n", 1, "PCI-0000:00 007 2\n");
        check("proc/x", "up 7\n", "down 7\n", 1, "up 7\n");
    }

    proptest! {
        #[test]
        fn both_moments_are_met_exactly(first in "([a-z]{1,3} {1,3}[0-9]{1,9}\n){0,5}", second in "([a-z]{1,3} {1,3}[0-9]{1,9}\n){0,5}") {
            let after = Duration::from_secs(7);
            let meet = |elapsed| at("proc/net/dev", first.as_bytes(), second.as_bytes(), elapsed, after);
            let words = |text: &[u8]| String::from_utf8_lossy(text).split_whitespace().map(|word| word.trim_start_matches('0').to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(words(&meet(Duration::ZERO)), words(first.as_bytes()));
            prop_assert_eq!(words(&meet(after)), words(second.as_bytes()));
        }

        #[test]
        fn any_bytes_are_between(first: Vec<u8>, second: Vec<u8>, seconds in 0_u64..1 << 40) {
            at("proc/net/softnet_stat", &first, &second, Duration::from_secs(seconds), Duration::from_secs(3));
            at("proc/stat", &first, &second, Duration::from_secs(seconds), Duration::from_secs(3));
        }
    }
}
