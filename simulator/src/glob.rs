//! Names by patterns.

/// Whether a name is one of the pattern: `*` any bytes, `?` one, `[0-9]` one digit.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if let Some(rest) = pattern.strip_prefix(DIGIT) {
        return name.split_first().is_some_and(|(first, name)| first.is_ascii_digit() && matches(rest, name));
    }
    match (pattern.split_first(), name.split_first()) {
        (None, None) | (Some((b'*', [])), _) => true,
        (Some((b'*', rest)), _) => {
            (0..=name.len()).any(|skipped| matches(rest, name.get(skipped..).unwrap_or_default()))
        }
        (Some((b'?', rest)), Some((_, name))) => matches(rest, name),
        (Some((wanted, rest)), Some((found, name))) => wanted == found && matches(rest, name),
        _ => false,
    }
}

/// Stands for a digit.
const DIGIT: &[u8] = b"[0-9]";

/// Whether there is more than one name that the pattern matches.
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
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_name_without_wildcards_is_no_pattern() {
        for (name, expected) in [("cpu0", false), ("a[b]", false), ("cpu*", true), ("a?", true), ("r[0-9]", true)] {
            assert_eq!(is_pattern(name.as_bytes()), expected, "{name}");
        }
    }
}
