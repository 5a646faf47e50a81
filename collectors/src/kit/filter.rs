//! Include and exclude patterns of devices, file systems and the like.

use std::collections::HashMap;

use regex::bytes::Regex;

use super::options::{Flag, Options, Text};

/// Decides by name what is left out: what the exclude pattern matches, and what the include pattern does not.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    include: Option<Regex>,
    exclude: Option<Regex>,
}

impl Filter {
    /// A filter of two flags, of which the operator may give one. An include pattern takes the place of an exclude
    /// pattern that stands at its default.
    pub fn from_flags<C>(
        options: &Options<'_, C>,
        include: Flag<C, Text>,
        exclude: Flag<C, Text>,
    ) -> Result<Self, String> {
        let (include_text, exclude_text) = (options.get(include), options.get(exclude));
        if include_text.is_empty() {
            return Ok(Self { include: None, exclude: pattern(exclude)(exclude_text)? });
        }
        if options.is_given(exclude) && !exclude_text.is_empty() {
            let (include, exclude) = (include.info().name, exclude.info().name);
            return Err(format!("--{include} and --{exclude} are mutually exclusive; give one of them"));
        }
        Ok(Self { include: pattern(include)(include_text)?, exclude: None })
    }

    /// A filter of two flags that the operator may both give: what is left then passes both.
    pub fn from_both<C>(
        options: &Options<'_, C>,
        include: Flag<C, Text>,
        exclude: Flag<C, Text>,
    ) -> Result<Self, String> {
        Ok(Self { include: pattern_of(options, include)?, exclude: pattern_of(options, exclude)? })
    }

    /// A filter of an exclude pattern alone.
    pub fn excluding<C>(options: &Options<'_, C>, exclude: Flag<C, Text>) -> Result<Self, String> {
        Ok(Self { include: None, exclude: pattern(exclude)(options.get(exclude))? })
    }

    /// Whether this name is left out.
    pub fn ignores(&self, name: &[u8]) -> bool {
        self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(name))
            || self.include.as_ref().is_some_and(|include| !include.is_match(name))
    }
}

/// So many names a [`Wanted`] remembers.
const REMEMBERED_MAX: usize = 4096;

/// The pattern of the fields that are wanted of a file. A kernel has hundreds of them, the same in every scrape: the
/// pattern is asked once for each.
#[derive(Debug)]
pub struct Wanted {
    pattern: Option<Regex>,
    remembered: HashMap<Box<[u8]>, bool>,
}

impl Wanted {
    /// The pattern of a flag; with an empty one all fields are wanted.
    pub fn of<C>(options: &Options<'_, C>, flag: Flag<C, Text>) -> Result<Self, String> {
        Ok(Self { pattern: pattern_of(options, flag)?, remembered: HashMap::new() })
    }

    /// Whether a field of this name is wanted.
    pub fn has(&mut self, name: &[u8]) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        if let Some(is_wanted) = self.remembered.get(name) {
            return *is_wanted;
        }
        let is_wanted = pattern.is_match(name);
        if self.remembered.len() < REMEMBERED_MAX {
            self.remembered.insert(name.into(), is_wanted);
        }
        is_wanted
    }
}

/// The pattern of a flag; an empty one is none.
pub fn pattern_of<C>(options: &Options<'_, C>, flag: Flag<C, Text>) -> Result<Option<Regex>, String> {
    pattern(flag)(options.get(flag))
}

/// The pattern of a flag, of which an empty one matches everything.
pub fn strict_pattern_of<C>(options: &Options<'_, C>, flag: Flag<C, Text>) -> Result<Regex, String> {
    compile(flag, options.get(flag))
}

fn pattern<C>(flag: Flag<C, Text>) -> impl Fn(&str) -> Result<Option<Regex>, String> {
    move |text| {
        if text.is_empty() {
            return Ok(None);
        }
        compile(flag, text).map(Some)
    }
}

fn compile<C>(flag: Flag<C, Text>, text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        // The parser draws the place over several lines; a log has one for each message.
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("--{}: `{text}` is no regular expression: {reason}", flag.info().name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_the_pattern_says_and_has_a_limit() {
        let mut wanted =
            Wanted { pattern: Some(Regex::new("^x[0-9]*[02468]$").expect("a pattern")), remembered: HashMap::new() };
        for _ in 0..2 {
            for number in 0..REMEMBERED_MAX + 10 {
                assert_eq!(wanted.has(format!("x{number}").as_bytes()), number % 2 == 0, "{number}");
            }
            assert_eq!(wanted.remembered.len(), REMEMBERED_MAX);
        }
        assert!(Wanted { pattern: None, remembered: HashMap::new() }.has(b"x1"));
    }
}
