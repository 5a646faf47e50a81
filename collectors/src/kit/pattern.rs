//! Regular expressions of flags, in Go's syntax.
//!
//! Go and the crate `regex` both have finite automata and leftmost-first matches, but different syntax: `[a-z&&[^b]]`,
//! `\<lo`, `[[]` and `x{` have other meanings or are invalid in the crate, and `\d`, `\w`, `\s` and `\b` match ASCII only
//! in Go. [`translate`] parses Go's syntax and writes an equivalent expression for the crate.

mod class;
mod parser;

use std::fmt;

use regex::{Regex, RegexBuilder};

pub use parser::translate;

/// Maximum memory of a compiled pattern. Go's limit is 128 MiB.
const COMPILED_MAX_BYTES: usize = 64 << 20;
/// Maximum nesting of the translation. Go's limit is 1,000 levels, each of which is translated to up to three.
const NESTING_MAX: u32 = 4_096;

/// A syntax error as Go reports it: the reason and the part of the pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// The error text of Go's `regexp/syntax`.
    pub reason: &'static str,
    /// The part of the pattern.
    pub part: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, part } = self;
        write!(f, "{reason}: `{part}`")
    }
}

/// Compiles a pattern of Go's syntax.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern).map_err(|error| error.to_string())?;
    let regex = RegexBuilder::new(&translated).size_limit(COMPILED_MAX_BYTES).nest_limit(NESTING_MAX).build();
    regex.map_err(|_| SyntaxError { reason: parser::LARGE, part: pattern.to_owned() }.to_string())
}

/// Decodes bytes as Go does: every invalid byte becomes one U+FFFD.
pub fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests;
