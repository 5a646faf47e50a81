//! Character classes: sets of code points in the syntax of the crate `regex`.

use std::fmt::Write as _;

use regex::Regex;

/// The last code point.
const LAST: u32 = 0x0010_ffff;
/// Surrogates, which are code points of Go's classes, but never occur in text.
const SURROGATES: (u32, u32) = (0xd800, 0xdfff);

/// A character class under construction.
#[derive(Clone, Default, Debug)]
pub(super) struct Class {
    items: String,
}

/// A named set of ASCII characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    name: &'static str,
    ranges: &'static [(char, char)],
}

const fn named(name: &'static str, ranges: &'static [(char, char)]) -> Named {
    Named { name, ranges }
}

/// POSIX sets, `[:name:]`.
const POSIX: [Named; 14] = [
    named("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    named("alpha", &[('A', 'Z'), ('a', 'z')]),
    named("ascii", &[('\0', '\x7f')]),
    named("blank", &[('\t', '\t'), (' ', ' ')]),
    named("cntrl", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    named("digit", &[('0', '9')]),
    named("graph", &[('!', '~')]),
    named("lower", &[('a', 'z')]),
    named("print", &[(' ', '~')]),
    named("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    named("space", &[('\t', '\r'), (' ', ' ')]),
    named("upper", &[('A', 'Z')]),
    named("word", &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
    named("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

/// Perl sets, a backslash and this letter.
const PERL: [Named; 3] = [
    named("d", &[('0', '9')]),
    named("s", &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')]),
    named("w", &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
];

impl Class {
    /// Adds the code points from `first` to `last`.
    pub(super) fn add(&mut self, first: u32, last: u32) {
        for (first, last) in [(first, last.min(SURROGATES.0 - 1)), (first.max(SURROGATES.1 + 1), last)] {
            if first <= last {
                let _ = write!(self.items, "\\x{{{first:x}}}-\\x{{{last:x}}}");
            }
        }
    }

    /// Adds a named set or its complement.
    pub(super) fn add_named(&mut self, set: Named, is_negated: bool) {
        self.items.push_str(if is_negated { "[^" } else { "[" });
        for &(first, last) in set.ranges {
            self.add(first.into(), last.into());
        }
        self.items.push(']');
    }

    /// Adds the result of [`unicode`].
    pub(super) fn add_unicode(&mut self, item: &str) {
        self.items.push_str(item);
    }

    /// The class or its complement, in the syntax of the crate.
    pub(super) fn text(&self, is_negated: bool) -> String {
        match (self.items.as_str(), is_negated) {
            ("", false) => format!("[^\\x{{0}}-\\x{{{LAST:x}}}]"),
            ("", true) => format!("[\\x{{0}}-\\x{{{LAST:x}}}]"),
            (items, false) => format!("[{items}]"),
            (items, true) => format!("[^{items}]"),
        }
    }
}

/// The set of `[:name:]` or `[:^name:]`, and whether it is negated.
pub(super) fn posix(name: &str) -> Option<(Named, bool)> {
    let (name, is_negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
    POSIX.into_iter().find(|set| set.name == name).map(|set| (set, is_negated))
}

/// The set of a backslash and this letter, and whether it is negated.
pub(super) fn perl(letter: char) -> Option<(Named, bool)> {
    let lower = letter.to_ascii_lowercase();
    PERL.into_iter().find(|set| set.name.starts_with(lower)).map(|set| (set, letter != lower))
}

/// Scripts with full names of four letters. Other names of four letters are abbreviations, which Go does not support.
const SHORT_SCRIPTS: [&str; 9] = ["ahom", "cham", "kawi", "lisu", "miao", "modi", "newa", "thai", "toto"];

/// A Unicode category or script by name, in the syntax of the crate; `None` if it does not exist.
pub(super) fn unicode(name: &str, is_negated: bool) -> Option<String> {
    let plain: String = name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).collect();
    let plain = plain.to_ascii_lowercase();
    if plain.is_empty() || plain.starts_with("is") || !plain.chars().all(|letter| letter.is_ascii_alphabetic()) {
        return None;
    }
    let letter = if is_negated { 'P' } else { 'p' };
    let queries: &[&str] = match plain.as_str() {
        "any" | "assigned" | "ascii" => &[""],
        _ if plain.len() == 4 && !SHORT_SCRIPTS.contains(&plain.as_str()) => &["gc="],
        _ => &["gc=", "sc="],
    };
    let written = queries.iter().map(|query| format!("\\{letter}{{{query}{plain}}}"));
    written.into_iter().find(|written| Regex::new(written).is_ok())
}
