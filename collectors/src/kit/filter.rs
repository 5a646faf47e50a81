//! Include and exclude patterns of devices, file systems and the like.

use std::cell::RefCell;

use regex::{Regex, bytes};
use rustc_hash::FxHashMap;

use super::options::{Flag, Options, Text};
use super::pattern;

/// Capacity of a pattern's cache of answers, in names.
const REMEMBERED_MAX: usize = 4096;

/// A regular expression with a cache of results, because every scrape matches the same names. Cache hits need no match, so
/// that the regular expression can be compiled for size instead of speed.
#[derive(Clone, Debug)]
pub struct Pattern {
    matcher: Matcher,
    remembered: RefCell<FxHashMap<Box<[u8]>, bool>>,
}

/// A compiled regular expression.
#[derive(Clone, Debug)]
enum Matcher {
    /// The default pattern of a flag, in the common syntax of Go and the crate `regex`.
    Default(bytes::Regex),
    /// The pattern of an operator, in Go's syntax.
    Given(Regex),
}

impl Matcher {
    fn new(text: &str, default: &str) -> Result<Self, String> {
        if text != default {
            return pattern::compile(text).map(Self::Given);
        }
        // Default patterns match ASCII names. Without the tables of Unicode their compile time is negligible.
        let regex = bytes::RegexBuilder::new(text).unicode(false).build();
        regex.map(Self::Default).map_err(|error| error.to_string())
    }

    fn is_match(&self, name: &[u8]) -> bool {
        match self {
            Self::Default(regex) => regex.is_match(name),
            Self::Given(regex) => match std::str::from_utf8(name) {
                Ok(name) => regex.is_match(name),
                Err(_) => regex.is_match(&pattern::text_of(name)),
            },
        }
    }
}

impl Pattern {
    fn new(matcher: Matcher) -> Self {
        Self { matcher, remembered: RefCell::default() }
    }

    /// Whether it matches this name.
    pub fn is_match(&self, name: &[u8]) -> bool {
        let mut remembered = self.remembered.borrow_mut();
        if let Some(&is_match) = remembered.get(name) {
            return is_match;
        }
        let is_match = self.matcher.is_match(name);
        if remembered.len() == REMEMBERED_MAX {
            // Most names belong to removed devices and mounts of containers.
            remembered.clear();
        }
        remembered.insert(name.into(), is_match);
        is_match
    }
}

/// A filter of names by an exclude pattern and an include pattern.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    include: Option<Pattern>,
    exclude: Option<Pattern>,
}

impl Filter {
    /// A filter of two mutually exclusive flags. An include pattern replaces the default of the exclude pattern.
    pub fn from_flags<C>(
        options: &Options<'_, C>,
        include: Flag<C, Text>,
        exclude: Flag<C, Text>,
    ) -> Result<Self, String> {
        let (include_text, exclude_text) = (options.get(include), options.get(exclude));
        if include_text.is_empty() {
            return Ok(Self { include: None, exclude: compiled(exclude)(exclude_text)? });
        }
        if options.is_given(exclude) && !exclude_text.is_empty() {
            let (include, exclude) = (include.info().name, exclude.info().name);
            return Err(format!("--{include} and --{exclude} are mutually exclusive; give one of them"));
        }
        Ok(Self { include: compiled(include)(include_text)?, exclude: None })
    }

    /// A filter of two flags that can be combined: a name has to pass both.
    pub fn from_both<C>(
        options: &Options<'_, C>,
        include: Flag<C, Text>,
        exclude: Flag<C, Text>,
    ) -> Result<Self, String> {
        Ok(Self { include: pattern_of(options, include)?, exclude: pattern_of(options, exclude)? })
    }

    /// A filter of two flags that the operator may both give, whose patterns match whole names. An empty one matches the
    /// empty name alone.
    pub fn of_whole_names<C>(
        options: &Options<'_, C>,
        include: Flag<C, Text>,
        exclude: Flag<C, Text>,
    ) -> Result<Self, String> {
        let whole = |flag: Flag<C, Text>| {
            let text = options.get(flag);
            // Alone, so that the error shows the operator's pattern, and one that ends this group early is refused.
            compile(flag, text)?;
            let info = flag.info();
            let [text, default] = [text, info.default].map(|pattern| format!("^(?:{pattern})$"));
            Matcher::new(&text, &default).map(Pattern::new).map_err(|reason| format!("--{}: {reason}", info.name))
        };
        Ok(Self { include: Some(whole(include)?), exclude: Some(whole(exclude)?) })
    }

    /// A filter with an exclude pattern only.
    pub fn excluding<C>(options: &Options<'_, C>, exclude: Flag<C, Text>) -> Result<Self, String> {
        Ok(Self { include: None, exclude: compiled(exclude)(options.get(exclude))? })
    }

    /// Whether the filter excludes this name.
    pub fn ignores(&self, name: &[u8]) -> bool {
        self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(name))
            || self.include.as_ref().is_some_and(|include| !include.is_match(name))
    }
}

/// The pattern of a flag; `None` for an empty one.
pub fn pattern_of<C>(options: &Options<'_, C>, flag: Flag<C, Text>) -> Result<Option<Pattern>, String> {
    compiled(flag)(options.get(flag))
}

/// The pattern of a flag; an empty one matches everything.
pub fn strict_pattern_of<C>(options: &Options<'_, C>, flag: Flag<C, Text>) -> Result<Pattern, String> {
    compile(flag, options.get(flag))
}

fn compiled<C>(flag: Flag<C, Text>) -> impl Fn(&str) -> Result<Option<Pattern>, String> {
    move |text| {
        if text.is_empty() {
            return Ok(None);
        }
        compile(flag, text).map(Some)
    }
}

fn compile<C>(flag: Flag<C, Text>, text: &str) -> Result<Pattern, String> {
    let matcher = Matcher::new(text, flag.info().default);
    matcher
        .map(Pattern::new)
        .map_err(|reason| format!("--{}: expected a regular expression, found `{text}`: {reason}", flag.info().name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ALL;
    use proptest::prelude::*;

    /// Default patterns of flags.
    fn defaults() -> impl Iterator<Item = &'static str> {
        let flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
        flags.map(|flag| flag.default).filter(|default| default.starts_with('^'))
    }

    /// Names that the patterns match, and mutations of them.
    fn name() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            "ram0",
            "loop12",
            "sda",
            "sda1",
            "nvme0n1p1",
            "/run/credentials/",
            "/var/lib/docker/",
            "proc",
            "/sys/",
            "tmpfs",
            "TcpExt_ListenOverflows",
            "Udp_InErrors",
            "pgfault",
            "oom_kill",
            "veth0",
            "é",
            "/",
        ]);
        prop::collection::vec(prop_oneof![known.prop_map(str::to_owned), "[ -~é]{0,3}"], 0..4)
            .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn defaults_match_what_they_match_in_gos_syntax(name in name()) {
            prop_assert!(defaults().count() > 5);
            for default in defaults() {
                let [plain, translated] = [default, ""].map(|flag| Matcher::new(default, flag).expect("a pattern"));
                prop_assert_eq!(plain.is_match(name.as_bytes()), translated.is_match(name.as_bytes()), "{}", default);
            }
        }
    }

    #[test]
    fn patterns_of_operators_match_unicode_and_invalid_utf8() {
        let is_match = |text, name: &[u8]| Matcher::new(text, "^other$").expect("a pattern").is_match(name);
        assert!(is_match("^.$", "é".as_bytes()) && is_match(r"^\p{Greek}$", "λ".as_bytes()));
        assert!(is_match("^a..$", b"a\xff\xfe") && !is_match("^a.$", b"a\xff\xfe"));
    }

    #[test]
    fn cached_results_equal_matches_and_are_limited() {
        let pattern = Pattern::new(Matcher::new("^x[0-9]*[02468]$", "").expect("a pattern"));
        for _ in 0..2 {
            for number in 0..REMEMBERED_MAX + 10 {
                assert_eq!(pattern.is_match(format!("x{number}").as_bytes()), number % 2 == 0, "{number}");
                assert!(pattern.remembered.borrow().len() <= REMEMBERED_MAX);
            }
            assert!(pattern.is_match(b"x0") && !pattern.is_match(b"x1"));
        }
    }
}
