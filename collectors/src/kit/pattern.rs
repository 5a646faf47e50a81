//! Regular expressions of flags, in Go's syntax.
//!
//! Go and the crate `regex` both have finite automata and leftmost-first matches, but read a pattern differently:
//! `[a-z&&[^b]]`, `\<lo`, `[[]` and `x{` mean something else there or nothing at all, and `\d`, `\w`, `\s` and `\b` are
//! ASCII in Go. [`translate`] parses Go's syntax and writes the same expression for the crate.

mod class;
mod parser;

use std::fmt;

use regex::{Regex, RegexBuilder};

pub use parser::translate;

/// Memory of a compiled pattern. Go's own limit is 128 MiB for its program.
const COMPILED_MAX_BYTES: usize = 64 << 20;
/// Go refuses a pattern that nests deeper than 1,000; each of its levels is up to three of the translation.
const NESTING_MAX: u32 = 4_096;

/// Why Go refuses a pattern: its reason, and the part of the pattern that it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// The reason, in the words of Go's `regexp/syntax`.
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

/// Bytes as the text that Go matches against: every byte that is not part of a character is one U+FFFD.
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
