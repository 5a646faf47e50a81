//! Wildcards of names, in two syntaxes.
//!
//! [`matches()`] is for names of /proc and /sys, which contain `[` and `\`: these are ordinary bytes, except in `[0-9]`.
//! [`matches_go`] is what node_exporter's flags mean, Go's `path/filepath`: characters instead of bytes, classes, escapes,
//! and malformed patterns that match nothing.

/// Whether a pattern matches a whole name: `*` matches any bytes, `?` one byte, `[0-9]` one digit.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    Syntax::Bytes.matches(pattern, name) == Some(true)
}

/// Whether a name has wildcards of [`matches()`].
pub fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| b"*?".contains(byte)) || memchr::memmem::find(name, DIGIT).is_some()
}

/// Whether a pattern of Go matches a whole name without slashes; `None` if a malformed part is reached.
pub fn matches_go(pattern: &[u8], name: &[u8]) -> Option<bool> {
    Syntax::Go.matches(pattern, name)
}

/// Whether a path has special characters of [`matches_go`].
pub fn is_pattern_go(path: &[u8]) -> bool {
    path.iter().any(|byte| b"*?[\\".contains(byte))
}

/// Pattern of a digit.
const DIGIT: &[u8] = b"[0-9]";

#[derive(Clone, Copy)]
enum Syntax {
    Bytes,
    Go,
}

/// An element of a pattern.
enum Element<'a> {
    Any,
    One(u32),
    /// The content of `[…]`.
    Class(&'a [u8]),
}

impl Syntax {
    /// Takes time proportional to the product of both lengths at most: only the last `*` is ever extended.
    fn matches(self, pattern: &[u8], name: &[u8]) -> Option<bool> {
        let (mut pattern, mut name) = (pattern, name);
        // Where to resume if the part after the last star does not match: the star takes one more character.
        let mut again: Option<(&[u8], &[u8])> = None;
        loop {
            if let [b'*', rest @ ..] = pattern {
                again = Some((rest, name));
                pattern = rest;
                continue;
            }
            let matched = match (pattern, self.unit(name)) {
                ([], None) => return Some(true),
                ([], Some(_)) => None,
                (_, found) => {
                    let (wanted, rest) = self.element(pattern)?;
                    match found {
                        Some((found, name_rest)) if wanted.matches(found)? => Some((rest, name_rest)),
                        _ => None,
                    }
                }
            };
            let longer = || again.and_then(|(rest, name)| Some((rest, self.unit(name)?.1)));
            (pattern, name) = if let Some(rests) = matched {
                rests
            } else if let Some(longer) = longer() {
                again = Some(longer);
                longer
            } else {
                return self.is_well_formed(pattern).then_some(false);
            };
        }
    }

    /// Splits a pattern after its first element; `None` if that is malformed.
    fn element(self, pattern: &[u8]) -> Option<(Element<'_>, &[u8])> {
        match (self, pattern) {
            (_, [b'?' | b'*', rest @ ..]) => Some((Element::Any, rest)),
            (Self::Bytes, [b'[', b'0', b'-', b'9', b']', rest @ ..]) => Some((Element::Class(b"0-9"), rest)),
            (Self::Go, [b'[', rest @ ..]) => {
                let length = class_length(rest)?;
                Some((Element::Class(rest.get(..length)?), rest.get(length + 1..)?))
            }
            (Self::Go, [b'\\', escaped @ ..]) => self.unit(escaped).map(|(one, rest)| (Element::One(one), rest)),
            _ => self.unit(pattern).map(|(one, rest)| (Element::One(one), rest)),
        }
    }

    fn is_well_formed(self, mut pattern: &[u8]) -> bool {
        while !pattern.is_empty() {
            let Some((_, rest)) = self.element(pattern) else { return false };
            pattern = rest;
        }
        true
    }

    /// The first byte or character, and the rest.
    fn unit(self, text: &[u8]) -> Option<(u32, &[u8])> {
        match self {
            Self::Bytes => text.split_first().map(|(&byte, rest)| (u32::from(byte), rest)),
            Self::Go => character(text),
        }
    }
}

impl Element<'_> {
    /// Whether it matches a character; `None` if it is malformed.
    fn matches(&self, found: u32) -> Option<bool> {
        match *self {
            Element::Any => Some(true),
            Element::One(one) => Some(one == found),
            Element::Class(class) => class_matches(class, found),
        }
    }
}

/// The length of a class before its closing `]`: at least one range, each well-formed.
fn class_length(class: &[u8]) -> Option<usize> {
    let mut rest = class.strip_prefix(b"^").unwrap_or(class);
    let mut count = 0;
    loop {
        if count > 0 && rest.starts_with(b"]") {
            return Some(class.len() - rest.len());
        }
        rest = range(rest)?.2;
        count += 1;
    }
}

fn class_matches(class: &[u8], character: u32) -> Option<bool> {
    let (is_negated, mut rest) = match class {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let mut is_in = false;
    while !rest.is_empty() {
        let (low, high, after) = range(rest)?;
        is_in |= (low..=high).contains(&character);
        rest = after;
    }
    Some(is_in != is_negated)
}

/// The bounds of the first range of a class, and the rest of the class.
fn range(class: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (low, rest) = bound(class)?;
    match rest {
        [b'-', rest @ ..] => bound(rest).map(|(high, rest)| (low, high, rest)),
        _ => Some((low, low, rest)),
    }
}

/// A range bound: a character of a class, possibly escaped.
fn bound(class: &[u8]) -> Option<(u32, &[u8])> {
    match class {
        [b'-' | b']', ..] => None,
        [b'\\', rest @ ..] => character(rest),
        _ => character(class),
    }
}

/// The first character and the rest; an invalid UTF-8 byte is a character above all others.
fn character(text: &[u8]) -> Option<(u32, &[u8])> {
    let first = text.get(..text.len().min(4))?;
    let chunk = first.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(one) => Some((u32::from(one), text.get(one.len_utf8()..)?)),
        None => Some((u32::from(char::MAX) + 1 + u32::from(*text.first()?), text.get(1..)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: Option<bool>) {
        assert_eq!(matches_go(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} and {name}");
    }

    #[test]
    fn stars_and_question_marks_match_characters() {
        check("abc", "abc", Some(true));
        check("abc", "abd", Some(false));
        check("*", "", Some(true));
        check("a*c", "abcbc", Some(true));
        check("a*b*d", "aabbccd", Some(true));
        check("a*b*d", "aabbcc", Some(false));
        check("a?c", "aäc", Some(true));
        check("a?c", "ac", Some(false));
        check("*??", "\u{1f980}", Some(false));
        check("", "", Some(true));
        check(r"a\*b", "a*b", Some(true));
        check(r"a\*b", "axb", Some(false));
    }

    #[test]
    fn classes_match_ranges() {
        check("[a-c]x", "bx", Some(true));
        check("[a-c]x", "dx", Some(false));
        check("[^a-c]x", "dx", Some(true));
        check("[^a-c]x", "ax", Some(false));
        check("[a-cx-z]*", "yes", Some(true));
        check(r"[\]a]", "]", Some(true));
        check(r"[\-x]", "-", Some(true));
        check("[ä-ü]", "ö", Some(true));
    }

    #[test]
    fn malformed_patterns_match_nothing() {
        for pattern in ["[", "[a", "[]a]", "[-]", "[x-]", "[^]", r"a\", "[a-", r"[\"] {
            check(pattern, "", None);
        }
        check("[-x]", "x", None);
    }

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
            ("a[b]", "a[b]", true),
            ("a[b]", "ab", false),
            ("[", "[", true),
            (r"dev-\x2d*", r"dev-\x2da", true),
            (r"a\*", r"a\b", true),
            ("a?c", "a\u{e4}c", false),
            ("a??c", "a\u{e4}c", true),
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
        assert_eq!(matches_go(pattern.as_bytes(), "a".repeat(200).as_bytes()), Some(false));
    }

    proptest! {
        #[test]
        fn the_syntaxes_agree_where_a_pattern_means_the_same(pattern in "([a-c*?]|\\[0-9\\]){0,8}", name in "[a-c0-9]{0,12}") {
            let found = matches(pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(matches_go(pattern.as_bytes(), name.as_bytes()), Some(found));
        }

        #[test]
        fn a_literal_matches_only_itself(name in "[a-zäö.-]{1,8}", other in "[a-zäö.-]{1,8}") {
            prop_assert_eq!(matches_go(name.as_bytes(), name.as_bytes()), Some(true));
            prop_assert_eq!(matches_go(name.as_bytes(), other.as_bytes()), Some(name == other));
        }

        #[test]
        fn any_pattern_terminates(pattern in "[a*?\\[\\]^\\\\-]{0,12}", name in "[ab-]{0,12}", bytes: Vec<u8>) {
            let found = matches_go(pattern.as_bytes(), name.as_bytes());
            prop_assert!(found.is_none() || Syntax::Go.is_well_formed(pattern.as_bytes()) || found == Some(true), "{:?}", found);
            let _ = matches_go(&bytes, name.as_bytes());
            let _ = matches_go(pattern.as_bytes(), &bytes);
            let _ = matches(&bytes, &bytes);
        }
    }
}
