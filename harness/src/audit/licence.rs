//! Licences of packages, as SPDX expressions.

/// Licences under which the exporter may be built and passed on. Texts and data are among them, such as those of Unicode.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether a package with this expression may be used: of alternatives one has to be allowed, of requirements each.
/// `/` is an old form of `OR`.
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    alternatives(&mut rest).unwrap_or(false) && rest.is_empty()
}

fn alternatives(words: &mut &[&str]) -> Option<bool> {
    let mut is_allowed = requirements(words)?;
    while let Some(rest) = strip(words, "OR") {
        *words = rest;
        is_allowed |= requirements(words)?;
    }
    Some(is_allowed)
}

fn requirements(words: &mut &[&str]) -> Option<bool> {
    let mut is_allowed = one(words)?;
    while let Some(rest) = strip(words, "AND") {
        *words = rest;
        is_allowed &= one(words)?;
    }
    Some(is_allowed)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    if let Some(rest) = strip(words, "(") {
        *words = rest;
        let is_allowed = alternatives(words)?;
        *words = strip(words, ")")?;
        return Some(is_allowed);
    }
    let (licence, rest) = words.split_first()?;
    *words = rest;
    let mut licence = (*licence).to_owned();
    if let Some([exception, rest @ ..]) = strip(words, "WITH") {
        licence = format!("{licence} WITH {exception}");
        *words = rest;
    }
    Some(ALLOWED.contains(&licence.as_str()))
}

fn strip<'a, 'b>(words: &&'a [&'b str], word: &str) -> Option<&'a [&'b str]> {
    words.split_first().filter(|(first, _)| **first == word).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_and_requirements_are_weighed() {
        for allowed in [
            "MIT",
            "MIT OR Apache-2.0",
            "GPL-3.0-only OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT AND (GPL-2.0 OR AGPL-3.0)",
            "MIT WITH Classpath-exception-2.0",
            "MIT OR",
            "(MIT",
            "MIT MIT",
        ] {
            assert!(!is_allowed(refused), "{refused}");
        }
    }
}
