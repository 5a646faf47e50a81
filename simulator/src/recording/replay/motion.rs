//! Interpolates the numbers of a file between two recorded moments.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// Content of a file, `elapsed` after it was `first`, if it is `second` at `after`.
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
        // By line number in files of equal length, else by first word.
        let partner = if nows.len() == others.len() {
            others.get(number).copied()
        } else {
            keyed.get(key(line)).copied().flatten()
        };
        match partner.filter(|partner| partner != line) {
            Some(partner) => {
                let (first, second) = if is_second { (partner, *line) } else { (*line, partner) };
                if !interpolate(&columns, first, second, is_second, time, &mut into) {
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

/// Lines by their first word; `None` if two have the same one.
fn by_key<'a>(lines: &[&'a [u8]]) -> BTreeMap<&'a [u8], Option<&'a [u8]>> {
    let mut keyed = BTreeMap::new();
    for line in lines {
        keyed.entry(key(line)).and_modify(|line| *line = None).or_insert(Some(*line));
    }
    keyed
}

/// Position in time relative to the two moments, in microseconds.
#[derive(Clone, Copy)]
struct Time {
    elapsed: u128,
    /// Elapsed time folded into `0..=after`, so that it oscillates.
    folded: u128,
    after: u128,
}

impl Time {
    fn new(elapsed: Duration, after: Duration) -> Self {
        let (elapsed, after) = (elapsed.as_micros(), after.as_micros().max(1));
        let phase = elapsed % (2 * after);
        Self { elapsed, folded: phase.min(2 * after - phase), after }
    }

    fn value(self, first: u128, second: u128, is_counter: bool) -> Option<u128> {
        if is_counter && second >= first {
            return Some(first + (second - first).checked_mul(self.elapsed)? / self.after);
        }
        let step = first.abs_diff(second).checked_mul(self.folded)? / self.after;
        Some(if second >= first { first + step } else { first - step })
    }
}

/// Number in a line, with its count of decimals.
struct Number {
    range: Range<usize>,
    value: u128,
    decimals: usize,
}

/// Appends the interpolated line; returns false and appends nothing if the lines differ in more than numbers.
fn interpolate(
    columns: &Columns<'_>,
    first: &[u8],
    second: &[u8],
    is_second: bool,
    time: Time,
    into: &mut Vec<u8>,
) -> bool {
    let radix = columns.radix();
    let (Some(a), Some(b)) = (numbers(first, radix), numbers(second, radix)) else { return false };
    let is_alike = a.len() == b.len()
        && texts(first, &a).eq(texts(second, &b))
        && a.iter().zip(&b).all(|(a, b)| a.decimals == b.decimals);
    if !is_alike {
        return false;
    }
    let (line, positions) = if is_second { (second, &b) } else { (first, &a) };
    let mut at = 0;
    let mut column = 0;
    let start = into.len();
    for ((a, b), position) in a.iter().zip(&b).zip(positions) {
        let between = line.get(at..position.range.start).unwrap_or_default();
        into.extend_from_slice(between);
        column += starts_of_words(line, at, position.range.start);
        at = position.range.end;
        if a.value == b.value {
            into.extend_from_slice(line.get(position.range.clone()).unwrap_or_default());
            continue;
        }
        let is_counter = columns.counts(key(line), label(line, position.range.start), column);
        let Some(value) = time.value(a.value, b.value, is_counter) else {
            into.truncate(start);
            return false;
        };
        write(value, position, radix, into);
    }
    into.extend_from_slice(line.get(at..).unwrap_or_default());
    true
}

/// Number of words that start after `from` and up to `to`.
fn starts_of_words(line: &[u8], from: usize, to: usize) -> usize {
    let is_blank = |at: usize| at.checked_sub(1).is_none_or(|at| line.get(at).is_some_and(u8::is_ascii_whitespace));
    let is_start =
        |at: &usize| *at > 0 && is_blank(*at) && line.get(*at).is_some_and(|byte| !byte.is_ascii_whitespace());
    let first_word = line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    (from.max(first_word + 1)..=to).filter(is_start).count()
}

/// Label of a number: `rx_bytes` in `rx_bytes=1`.
fn label(line: &[u8], start: usize) -> &[u8] {
    let before = line.get(..start).unwrap_or_default();
    let before = before.strip_suffix(b"=").or_else(|| before.strip_suffix(b":")).unwrap_or_default();
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    before.get(before.len() - word.count()..).unwrap_or_default()
}

/// Numbers of a line; `None` if one has more than 30 digits.
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

/// Text between numbers, without the blanks that align columns.
fn texts<'a>(line: &'a [u8], numbers: &'a [Number]) -> impl Iterator<Item = &'a [u8]> {
    let starts = std::iter::once(0).chain(numbers.iter().map(|number| number.range.end));
    let ends = numbers.iter().map(|number| number.range.start).chain([line.len()]);
    starts.zip(ends).map(|(start, end)| line.get(start..end).unwrap_or_default().trim_ascii_end())
}

/// Appends a number in place of another, aligned to its column as far as the blanks before it allow.
fn write(value: u128, old: &Number, radix: u32, into: &mut Vec<u8>) {
    let width = old.range.len();
    let text = match (radix, old.decimals) {
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

/// Files whose numbers are counters, except those of [`is_gauge`].
const COUNTING: &[&str] = &[
    "proc/stat",
    "proc/diskstats",
    "proc/interrupts",
    "proc/softirqs",
    "proc/vmstat",
    "proc/schedstat",
    "proc/uptime",
    "proc/pressure/",
    "/net/dev",
    "/net/netstat",
    "/net/snmp",
    "/net/snmp6",
    "/net/softnet_stat",
    "/net/stat/",
    "/net/rpc/",
    "/net/xfrm_stat",
    "/net/ip_vs_stats",
    "/mountstats",
    "/statistics/",
    "/stats/",
    "/energy_uj",
    "_count",
    "_changes",
    "/numastat",
    "kernel/driver_statistics",
    "kernel/links",
    "kernel/perf",
    "kernel/qdiscs",
    "/io.stat",
    "/cpu.stat",
    "/hw_counters/",
    "/counters/",
];

/// Files with hexadecimal numbers.
const HEXADECIMAL: &[&str] = &["/net/softnet_stat", "/net/stat/", "/net/ip_vs_stats"];

/// Kinds of the numbers in one file.
struct Columns<'a> {
    path: &'a str,
    is_counting: bool,
    is_hexadecimal: bool,
}

impl<'a> Columns<'a> {
    fn of(path: &'a str) -> Self {
        let is_one_of = |names: &[&str]| names.iter().any(|name| is_named(path, name));
        Self { path, is_counting: is_one_of(COUNTING), is_hexadecimal: is_one_of(HEXADECIMAL) }
    }

    fn radix(&self) -> u32 {
        if self.is_hexadecimal { 16 } else { 10 }
    }

    /// Whether a number is a counter. `key` is the first word of the line, `label` the name before the number, `column`
    /// the number of words before it.
    fn counts(&self, key: &[u8], label: &[u8], column: usize) -> bool {
        self.is_counting && !is_gauge(self.path, key, label, column)
    }
}

/// Whether a path matches: `/x/` is part of it, `/x` and `_x` are its end, any other name is the whole path.
fn is_named(path: &str, name: &str) -> bool {
    match name {
        name if name.starts_with('_') => path.ends_with(name),
        name if name.ends_with('/') => path.contains(name),
        name if name.starts_with('/') => path.ends_with(name),
        name => path == name,
    }
}

/// Whether a number of a file of counters is a gauge.
fn is_gauge(path: &str, key: &[u8], label: &[u8], column: usize) -> bool {
    match path {
        "proc/stat" => matches!(key, b"procs_running" | b"procs_blocked" | b"btime"),
        "proc/diskstats" => column == 11,
        "proc/vmstat" => key.starts_with(b"nr_"),
        "kernel/qdiscs" => !matches!(label, b"bytes" | b"packets" | b"drops" | b"requeues" | b"overlimits"),
        "kernel/perf" => column < 2,
        "kernel/links" => {
            !(label.starts_with(b"rx_")
                || label.starts_with(b"tx_")
                || label.ends_with(b"changes")
                || matches!(label, b"multicast" | b"collisions"))
        }
        path if path.contains("proc/pressure/") => label != b"total",
        // Currently established connections.
        path if path.ends_with("/net/snmp") => key == b"Tcp:" && column == 9,
        path if path.ends_with("/net/softnet_stat") => column >= 11,
        _ => false,
    }
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
    fn counters_keep_their_rate_and_gauges_oscillate() {
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
        check("kernel/driver_statistics", "eth0 rx-0.packets 5\n", "eth0 rx-0.packets 6\n", 4, "eth0 rx-0.packets 7\n");
        check("sys/class/net/a/carrier", "0\n", "1\n", 4, "0\n");
        let (first, second) = ("8 0 sda 1 0 0 0 0 0 0 0 4 0 0\n", "8 0 sda 3 0 0 0 0 0 0 0 6 0 0\n");
        check("proc/diskstats", first, second, 4, "8 0 sda 5 0 0 0 0 0 0 0 4 0 0\n");
    }

    #[test]
    fn added_and_removed_lines_do_not_affect_other_lines() {
        let (first, second) = ("a: 10\nb: 20\n", "a: 30\nnew: 1\nb: 20\n");
        check("proc/x", first, second, 1, "a: 20\nb: 20\n");
        check("proc/x", first, second, 2, "a: 30\nnew: 1\nb: 20\n");
        check("proc/x", first, second, 3, "a: 20\nnew: 1\nb: 20\n");
        check("proc/x", "PCI-0000:00 007 1\n", "PCI-0000:00 007 3\n", 1, "PCI-0000:00 007 2\n");
        check("proc/x", "up 7\n", "down 7\n", 1, "up 7\n");
    }

    proptest! {
        #[test]
        fn both_moments_are_reproduced_exactly(first in "([a-z]{1,3} {1,3}[0-9]{1,9}\n){0,5}", second in "([a-z]{1,3} {1,3}[0-9]{1,9}\n){0,5}") {
            let after = Duration::from_secs(7);
            let meet = |elapsed| at("proc/net/dev", first.as_bytes(), second.as_bytes(), elapsed, after);
            let words = |text: &[u8]| String::from_utf8_lossy(text).split_whitespace().map(|word| word.trim_start_matches('0').to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(words(&meet(Duration::ZERO)), words(first.as_bytes()));
            prop_assert_eq!(words(&meet(after)), words(second.as_bytes()));
        }

        #[test]
        fn any_bytes_are_accepted(first: Vec<u8>, second: Vec<u8>, seconds in 0_u64..1 << 40) {
            at("proc/net/softnet_stat", &first, &second, Duration::from_secs(seconds), Duration::from_secs(3));
            at("proc/stat", &first, &second, Duration::from_secs(seconds), Duration::from_secs(3));
        }
    }
}
