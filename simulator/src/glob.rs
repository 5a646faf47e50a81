//! Wildcard matching of names.
//!
//! `collectors/src/textfile/glob.rs` has a matcher of its own, because it follows Go's `path/filepath` as node_exporter
//! does: characters instead of bytes, classes, escapes, and malformed patterns that match nothing. Here `[` and `\\` are
//! ordinary bytes except in `[0-9]`, since names in /proc and /sys contain them.

/// Whether a pattern matches a whole name: `*` matches any bytes, `?` one byte, `[0-9]` one digit.
///
/// Takes time proportional to the product of both lengths at most: only the last `*` is ever extended.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(rest) = pattern.strip_prefix(b"*") {
            last_star = Some((rest, name));
            pattern = rest;
        } else if pattern.is_empty() && name.is_empty() {
            return true;
        } else if let Some(rests) = step(pattern, name) {
            (pattern, name) = rests;
        } else {
            // The last `*` takes one more byte.
            let Some((rest, [_, longer @ ..])) = last_star else { return false };
            last_star = Some((rest, longer));
            (pattern, name) = (rest, longer);
        }
    }
}

/// Matches one element of the pattern against one byte; returns the rest of both.
fn step<'a>(pattern: &'a [u8], name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (first, name_rest) = name.split_first()?;
    if let Some(rest) = pattern.strip_prefix(DIGIT) {
        return first.is_ascii_digit().then_some((rest, name_rest));
    }
    let (wanted, rest) = pattern.split_first()?;
    (*wanted == b'?' || wanted == first).then_some((rest, name_rest))
}

/// Pattern of a digit.
const DIGIT: &[u8] = b"[0-9]";

/// Whether a pattern has wildcards.
pub fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, b'*' | b'?')) || name.windows(DIGIT.len()).any(|part| part == DIGIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("cpu*", "cpu12", true),
            ("cpu*", "xcpu", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*", "abc", true),
            ("resource[0-9]*", "resource0_wc", true),
            ("resource[0-9]*", "resource", false),
            ("", "a", false),
            ("a*b*c", "abbcbc", true),
            ("a*b*c", "abbcb", false),
            ("*[0-9]x", "a1b2x", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn names_without_wildcards_are_no_patterns() {
        for (name, expected) in [("cpu0", false), ("a[b]", false), ("cpu*", true), ("a?", true), ("r[0-9]", true)] {
            assert_eq!(is_pattern(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn many_wildcards_do_not_take_exponential_time() {
        let pattern = "*a".repeat(30) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(200).as_bytes()));
    }
}
