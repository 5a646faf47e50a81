//! Glob patterns of paths, like Go's `path/filepath`.

use crate::host::root::Names;

/// The paths that a pattern matches, in order; none if the pattern is malformed or has no special characters. `list`
/// lists a directory and returns whether it could.
pub(super) fn expand(pattern: &[u8], list: &mut impl FnMut(&[u8], &mut Names) -> bool) -> Vec<Vec<u8>> {
    if !is_pattern(pattern) || matches(pattern, b"").is_none() {
        return Vec::new();
    }
    let (directory, last) = split(pattern);
    let directories = if is_pattern(&directory) { expand(&directory, list) } else { vec![directory] };
    let mut found = Vec::new();
    let mut names = Names::new();
    for directory in directories {
        if list(&directory, &mut names) {
            let matching = names.iter().filter(|name| matches(last, name) == Some(true));
            found.extend(matching.map(|name| join(&directory, name)));
        }
    }
    found
}

fn is_pattern(path: &[u8]) -> bool {
    path.iter().any(|byte| b"*?[\\".contains(byte))
}

/// Splits a path at its last slash; the directory is `.` without one.
fn split(path: &[u8]) -> (Vec<u8>, &[u8]) {
    match memchr::memrchr(b'/', path) {
        None => (b".".to_vec(), path),
        Some(0) => (b"/".to_vec(), path.get(1..).unwrap_or_default()),
        Some(slash) => {
            let (directory, last) = path.split_at(slash);
            (directory.to_vec(), last.get(1..).unwrap_or_default())
        }
    }
}

/// Joins a directory and a name, and cleans the result: no `//`, no `.`, and `..` removes the previous component.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let is_absolute = directory.starts_with(b"/");
    let mut components: Vec<&[u8]> = Vec::new();
    for component in directory.split(|&byte| byte == b'/').chain([name]) {
        match component {
            b"" | b"." => {}
            b".." if components.last().is_some_and(|last| *last != b"..") => drop(components.pop()),
            b".." if is_absolute => {}
            _ => components.push(component),
        }
    }
    let path = components.join(&b'/');
    if is_absolute { [b"/", path.as_slice()].concat() } else { path }
}

/// Whether a pattern matches a name without slashes; `None` if a malformed part is reached.
fn matches(pattern: &[u8], name: &[u8]) -> Option<bool> {
    let (mut pattern, mut name) = (pattern, name);
    // Where to resume if the part after the last star does not match: the star takes one more character.
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            again = Some((rest, name));
            pattern = rest;
            continue;
        }
        let step = if pattern.is_empty() { Step::end(name) } else { step(pattern, name)? };
        match step {
            Step::On(pattern_rest, name_rest) => (pattern, name) = (pattern_rest, name_rest),
            Step::Match => return Some(true),
            Step::Differs => match again.and_then(|(after_star, name)| Some((after_star, character(name)?.1))) {
                Some(longer) => {
                    again = Some(longer);
                    (pattern, name) = longer;
                }
                None => return is_well_formed(pattern).then_some(false),
            },
        }
    }
}

/// The result of matching one element.
enum Step<'a> {
    /// The element matched; the rest of the pattern and of the name.
    On(&'a [u8], &'a [u8]),
    /// Everything matched.
    Match,
    /// No match.
    Differs,
}

impl Step<'_> {
    fn end(name: &[u8]) -> Self {
        if name.is_empty() { Self::Match } else { Self::Differs }
    }
}

/// Matches the pattern's first element, which is not a star, against the name's first character.
fn step<'a>(pattern: &'a [u8], name: &'a [u8]) -> Option<Step<'a>> {
    let (wanted, rest) = element(pattern)?;
    let Some((character, name_rest)) = character(name) else { return Some(Step::Differs) };
    let is_match = match wanted {
        Element::Any => true,
        Element::One(one) => one == character,
        Element::Class(class) => class_matches(class, character)?,
    };
    Some(if is_match { Step::On(rest, name_rest) } else { Step::Differs })
}

/// An element of a pattern.
enum Element<'a> {
    Any,
    One(u32),
    /// The content of `[…]`.
    Class(&'a [u8]),
}

/// Splits a pattern after its first element; `None` if that is malformed.
fn element(pattern: &[u8]) -> Option<(Element<'_>, &[u8])> {
    match pattern {
        [b'?' | b'*', rest @ ..] => Some((Element::Any, rest)),
        [b'[', rest @ ..] => {
            let length = class_length(rest)?;
            Some((Element::Class(rest.get(..length)?), rest.get(length + 1..)?))
        }
        [b'\\', rest @ ..] => character(rest).map(|(one, rest)| (Element::One(one), rest)),
        _ => character(pattern).map(|(one, rest)| (Element::One(one), rest)),
    }
}

fn is_well_formed(mut pattern: &[u8]) -> bool {
    while !pattern.is_empty() {
        let Some((_, rest)) = element(pattern) else { return false };
        pattern = rest;
    }
    true
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
    use crate::host::root::Kind;
    use proptest::prelude::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: Option<bool>) {
        assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} and {name}");
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

    #[track_caller]
    fn check_join(directory: &str, name: &str, expected: &str) {
        assert_eq!(String::from_utf8(join(directory.as_bytes(), name.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn joined_paths_are_clean() {
        check_join("a/b", "x", "a/b/x");
        check_join("/a//b/", "x", "/a/b/x");
        check_join(".", "x", "x");
        check_join("./a/./b", "x", "a/b/x");
        check_join("a/../b", "x", "b/x");
        check_join("../../a", "x", "../../a/x");
        check_join("/../a", "x", "/a/x");
        check_join("/", "x", "/x");
    }

    #[track_caller]
    fn check_expand(pattern: &str, expected: &[&str]) {
        let mut list = |path: &[u8], names: &mut Names| {
            names.clear();
            let all: &[&str] = match path {
                b"." => &["a1", "a2", "b"],
                b"a1" | b"a2" => &["x", "y"],
                b"/" => &["srv"],
                b"/srv" => &["one", "two"],
                _ => return false,
            };
            for name in all {
                names.push(name.as_bytes(), Kind::Directory);
            }
            true
        };
        let found = expand(pattern.as_bytes(), &mut list);
        let found: Vec<_> = found.iter().map(|path| std::str::from_utf8(path).unwrap()).collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn patterns_are_expanded_directory_by_directory() {
        check_expand("a*", &["a1", "a2"]);
        check_expand("a?/x", &["a1/x", "a2/x"]);
        check_expand("./a[12]/y", &["a1/y", "a2/y"]);
        check_expand("/s*/t*", &["/srv/two"]);
        check_expand("/*", &["/srv"]);
        check_expand("*/z", &[]);
        check_expand("missing/*", &[]);
        check_expand("a1", &[]);
        check_expand("a*/", &[]);
        check_expand("a[", &[]);
        check_expand("a1/[", &[]);
    }

    proptest! {
        #[test]
        fn a_literal_matches_only_itself(name in "[a-zäö.-]{1,8}", other in "[a-zäö.-]{1,8}") {
            prop_assert_eq!(matches(name.as_bytes(), name.as_bytes()), Some(true));
            prop_assert_eq!(matches(name.as_bytes(), other.as_bytes()), Some(name == other));
        }

        #[test]
        fn any_pattern_terminates(pattern in "[a*?\\[\\]^\\\\-]{0,12}", name in "[ab-]{0,12}", bytes: Vec<u8>) {
            let found = matches(pattern.as_bytes(), name.as_bytes());
            prop_assert!(found.is_none() || is_well_formed(pattern.as_bytes()) || found == Some(true), "{:?}", found);
            let _ = matches(&bytes, name.as_bytes());
            let _ = matches(pattern.as_bytes(), &bytes);
            let _ = join(&bytes, name.as_bytes());
        }
    }
}
