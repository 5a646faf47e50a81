//! Include and exclude patterns of devices, file systems and the like.

use std::cell::RefCell;

use regex::bytes::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

use super::options::{Flag, Options, Text};

/// Maximum number of remembered names.
const REMEMBERED_MAX: usize = 4096;

/// A regular expression that is asked for the same names, scrape after scrape, and remembers its answers. So it may be of
/// the kind that is small rather than fast.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    remembered: RefCell<FxHashMap<Box<[u8]>, bool>>,
}

impl Pattern {
    fn new(regex: Regex) -> Self {
        Self { regex, remembered: RefCell::default() }
    }

    /// Whether it matches this name.
    pub fn is_match(&self, name: &[u8]) -> bool {
        let mut remembered = self.remembered.borrow_mut();
        if let Some(&is_match) = remembered.get(name) {
            return is_match;
        }
        let is_match = self.regex.is_match(name);
        if remembered.len() == REMEMBERED_MAX {
            // Most are of what has gone: devices of containers, and their mounts.
            remembered.clear();
        }
        remembered.insert(name.into(), is_match);
        is_match
    }
}

/// Decides by name what is left out: what the exclude pattern matches, and what the include pattern does not.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    include: Option<Pattern>,
    exclude: Option<Pattern>,
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

/// The pattern of a flag; an empty one is none.
pub fn pattern_of<C>(options: &Options<'_, C>, flag: Flag<C, Text>) -> Result<Option<Pattern>, String> {
    pattern(flag)(options.get(flag))
}

/// The pattern of a flag, of which an empty one matches everything.
pub fn strict_pattern_of<C>(options: &Options<'_, C>, flag: Flag<C, Text>) -> Result<Pattern, String> {
    compile(flag, options.get(flag))
}

fn pattern<C>(flag: Flag<C, Text>) -> impl Fn(&str) -> Result<Option<Pattern>, String> {
    move |text| {
        if text.is_empty() {
            return Ok(None);
        }
        compile(flag, text).map(Some)
    }
}

fn compile<C>(flag: Flag<C, Text>, text: &str) -> Result<Pattern, String> {
    regex(text, flag.info().default).map(Pattern::new).map_err(|error| {
        // The parser draws the place over several lines; a log has one for each message.
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("--{}: `{text}` is no regular expression: {reason}", flag.info().name)
    })
}

/// The names that our own patterns are about are ASCII, so that tables of all of Unicode, which take longer to make than
/// anything else at the start, are for patterns of others.
fn regex(text: &str, default: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(text != default).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ALL;
    use proptest::prelude::*;

    /// The defaults of flags that hold a pattern.
    fn defaults() -> impl Iterator<Item = &'static str> {
        let flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
        flags.map(|flag| flag.default).filter(|default| default.starts_with('^'))
    }

    /// Names that patterns are about, whole and with something at their ends or in their place.
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
        fn defaults_say_the_same_of_names_with_and_without_unicode(name in name()) {
            prop_assert!(defaults().count() > 5);
            for default in defaults() {
                let [without, with] = [default, ""].map(|flag| regex(default, flag).expect("a pattern"));
                prop_assert_eq!(without.is_match(name.as_bytes()), with.is_match(name.as_bytes()), "{}", default);
            }
        }
    }

    #[test]
    fn patterns_of_others_know_all_of_unicode() {
        let is_match = |text, name: &str| regex(text, "^other$").expect("a pattern").is_match(name.as_bytes());
        assert!(is_match("^.$", "é") && is_match(r"^\p{Greek}$", "λ"));
    }

    #[test]
    fn what_is_remembered_is_what_the_pattern_says_and_has_a_limit() {
        let pattern = Pattern::new(Regex::new("^x[0-9]*[02468]$").expect("a pattern"));
        for _ in 0..2 {
            for number in 0..REMEMBERED_MAX + 10 {
                assert_eq!(pattern.is_match(format!("x{number}").as_bytes()), number % 2 == 0, "{number}");
                assert!(pattern.remembered.borrow().len() <= REMEMBERED_MAX);
            }
            assert!(pattern.is_match(b"x0") && !pattern.is_match(b"x1"));
        }
    }
}
