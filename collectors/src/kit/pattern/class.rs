//! Character classes: sets of code points, and how the crate `regex` writes them.

use std::fmt::Write as _;

use regex::Regex;

/// The last code point.
const LAST: u32 = 0x0010_ffff;
/// Surrogates are code points of Go's classes, but no text holds one.
const SURROGATES: (u32, u32) = (0xd800, 0xdfff);

/// A class in the making.
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

/// The sets of POSIX, written `[:name:]`.
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

/// The sets of Perl, written as a backslash and this letter.
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

    /// Adds a named set, or all that is not in it.
    pub(super) fn add_named(&mut self, set: Named, is_negated: bool) {
        self.items.push_str(if is_negated { "[^" } else { "[" });
        for &(first, last) in set.ranges {
            self.add(first.into(), last.into());
        }
        self.items.push(']');
    }

    /// Adds what [`unicode`] gave.
    pub(super) fn add_unicode(&mut self, item: &str) {
        self.items.push_str(item);
    }

    /// The class, or all that is not in it, as the crate writes it.
    pub(super) fn text(&self, is_negated: bool) -> String {
        match (self.items.as_str(), is_negated) {
            ("", false) => format!("[^\\x{{0}}-\\x{{{LAST:x}}}]"),
            ("", true) => format!("[\\x{{0}}-\\x{{{LAST:x}}}]"),
            (items, false) => format!("[{items}]"),
            (items, true) => format!("[^{items}]"),
        }
    }
}

/// The set that `[:name:]` or `[:^name:]` stands for, and whether it is negated.
pub(super) fn posix(name: &str) -> Option<(Named, bool)> {
    let (name, is_negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
    POSIX.into_iter().find(|set| set.name == name).map(|set| (set, is_negated))
}

/// The set that a backslash and this letter stand for, and whether it is negated.
pub(super) fn perl(letter: char) -> Option<(Named, bool)> {
    let lower = letter.to_ascii_lowercase();
    PERL.into_iter().find(|set| set.name.starts_with(lower)).map(|set| (set, letter != lower))
}

/// Scripts whose full names have four letters, as all abbreviations have, which Go does not know.
const SHORT_SCRIPTS: [&str; 9] = ["ahom", "cham", "kawi", "lisu", "miao", "modi", "newa", "thai", "toto"];

/// A set of Unicode, by the name of a category or of a script, as the crate writes it; `None`: there is no such set.
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
