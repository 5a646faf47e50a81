//! Sorting of encoded lines.

use std::cmp::Ordering;

use crate::kit::bytes;

/// Positions of a line and its labels in the buffer of a family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    start: usize,
    key_end: usize,
    end: usize,
}

/// Compares the labels of two lines of one family, `{cpu="0",mode="user"}`, by their unescaped values.
///
/// Both have the same label names, so the first byte that differs is in a value, and everything before it is equal.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let same = bytes::common_length(a, b);
    // Fast path: the different bytes are no escapes.
    if let (Some(&first), Some(&second)) = (a.get(same), b.get(same))
        && same.checked_sub(1).and_then(|before| a.get(before)) != Some(&b'\\')
        && !is_special(first)
        && !is_special(second)
    {
        return first.cmp(&second);
    }
    let escaped = a[..same].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1;
    byte_at(a, same, escaped).cmp(&byte_at(b, same, escaped))
}

/// Whether this byte ends a value or starts an escape.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\')
}

/// Compares lines with different label names: by the number of labels, then by the values in order.
pub(super) fn compare_uneven(a: &[u8], b: &[u8]) -> Ordering {
    let by_count = values(a).count().cmp(&values(b).count());
    let by_value = || values(a).zip(values(b)).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
    by_count.then_with(|| by_value().unwrap_or_else(|| a.cmp(b)))
}

/// The escaped values of a line's labels.
fn values(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = key;
    std::iter::from_fn(move || {
        let start = memchr::memchr(b'"', rest)? + 1;
        let mut end = start;
        while *rest.get(end)? != b'"' {
            end += if rest[end] == b'\\' { 2 } else { 1 };
        }
        let value = &rest[start..end];
        rest = &rest[end + 1..];
        Some(value)
    })
}

/// The unescaped byte at this position; the end of a value sorts before every byte.
fn byte_at(key: &[u8], at: usize, escaped: bool) -> Option<u8> {
    match (key.get(at)?, escaped) {
        (b'n', true) => Some(b'\n'),
        (b'"', false) => None,
        (b'\\', false) => byte_at(key, at + 1, true),
        (&byte, _) => Some(byte),
    }
}

/// Writes the lines of `text` sorted by their labels, without duplicates; returns the number of duplicates.
pub(super) fn write_sorted(
    text: &[u8],
    name_length: usize,
    compare: fn(&[u8], &[u8]) -> Ordering,
    lines: &mut Vec<Line>,
    out: &mut Vec<u8>,
) -> usize {
    lines.clear();
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', text) {
        // A value has no space: the last space of the line is before the value.
        let key_end = memchr::memrchr(b' ', &text[start..newline]).map_or(newline, |space| start + space);
        lines.push(Line { start, key_end, end: newline + 1 });
        start = newline + 1;
    }
    let key = |line: &Line| &text[line.start + name_length..line.key_end];
    // Among duplicates the first emitted one sorts first and stays.
    lines.sort_unstable_by(|a, b| compare(key(a), key(b)).then(a.start.cmp(&b.start)));
    let mut duplicates = 0;
    let mut last: Option<&Line> = None;
    for line in &*lines {
        if last.is_some_and(|last| key(last) == key(line)) {
            duplicates += 1;
            continue;
        }
        out.extend_from_slice(&text[line.start..line.end]);
        last = Some(line);
    }
    duplicates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(compare_uneven(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
        assert_eq!(compare_uneven(b.as_bytes(), a.as_bytes()), expected.reverse(), "{b} {a}");
    }

    #[test]
    fn fewer_labels_come_first() {
        check(r#"{z="9"}"#, r#"{a="1",b="2"}"#, Ordering::Less);
        check(r#"{a="1",z="2"}"#, r#"{a="1",b="3"}"#, Ordering::Less);
        check(r#"{a="\"",b="2"}"#, r#"{a="%",b="1"}"#, Ordering::Less);
        check(r#"{a="1"}"#, r#"{b="1"}"#, Ordering::Less);
        check("", r#"{a=""}"#, Ordering::Less);
        check(r#"{a="1"}"#, r#"{a="1"}"#, Ordering::Equal);
    }
}
