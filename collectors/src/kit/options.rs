//! Flags of collectors: declared beside their families, parsed from one table, read by type.

mod duration;
mod unused;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

pub use duration::parse_duration;

use super::constant::typed_constant;
use super::declare::Declaration;

/// What a flag holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagKind {
    /// `--x`, `--no-x`.
    Switch,
    /// `--x=TEXT`.
    Text,
    /// `--x=TEXT`, as often as wanted.
    Texts,
    /// `--x=NUMBER`.
    Whole,
    /// `--x=5s`.
    Duration,
}

/// A flag as the tables see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlagInfo {
    /// Its name without the dashes: `collector.arp.device-include`.
    pub name: &'static str,
    /// What it holds.
    pub kind: FlagKind,
    /// What it holds when it is not given, as one would write it.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Older names, accepted with a warning.
    pub old_names: &'static [&'static str],
    /// Accepted, but not shown by `--help`.
    pub hidden: bool,
    /// What it holds if it is written without a value; `None` if it needs one.
    pub bare: Option<&'static str>,
}

/// A flag of collector `C` that holds a `T`.
pub struct Flag<C, T> {
    info: FlagInfo,
    owner: PhantomData<fn() -> (C, T)>,
}

typed_constant!(Flag<C, T>);

impl<C, T: Held> Flag<C, T> {
    /// A flag of this name, default and help.
    pub const fn new(name: &'static str, default: &'static str, help: &'static str) -> Self {
        let info = FlagInfo { name, kind: T::KIND, default, help, old_names: &[], hidden: false, bare: None };
        Self { info, owner: PhantomData }
    }

    /// The same with older names, which are accepted with a warning.
    #[must_use]
    pub const fn or(mut self, old_names: &'static [&'static str]) -> Self {
        self.info.old_names = old_names;
        self
    }

    /// The same, not shown by `--help`.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.info.hidden = true;
        self
    }

    /// The same, which may be written without a value and then holds this one.
    #[must_use]
    pub const fn bare(mut self, value: &'static str) -> Self {
        self.info.bare = Some(value);
        self
    }

    /// The flag as the tables see it.
    pub const fn info(&self) -> FlagInfo {
        self.info
    }
}

/// Marks a [`Flag`] that is on or off.
#[derive(Clone, Copy, Debug)]
pub struct Switch;
/// Marks a [`Flag`] with a text.
#[derive(Clone, Copy, Debug)]
pub struct Text;
/// Marks a [`Flag`] that may be given several times.
#[derive(Clone, Copy, Debug)]
pub struct Texts;
/// Marks a [`Flag`] with a whole number.
#[derive(Clone, Copy, Debug)]
pub struct Whole;
/// Marks a [`Flag`] with a duration.
#[derive(Clone, Copy, Debug)]
pub struct Span;

/// The types that mark what a flag holds.
pub trait Held {
    /// The same as a value.
    const KIND: FlagKind;
    /// What [`Options::get`] gives.
    type Value<'a>;
    /// Takes it out; `None` when the value is of another kind.
    fn take(value: &FlagValue) -> Option<Self::Value<'_>>;
}

macro_rules! held {
    ($($marker:ident $kind:ident $type:ty, $value:ident => $take:expr;)*) => {
        $(impl Held for $marker {
            const KIND: FlagKind = FlagKind::$kind;
            type Value<'a> = $type;
            fn take(value: &FlagValue) -> Option<Self::Value<'_>> {
                match value {
                    FlagValue::$kind($value) => Some($take),
                    _ => None,
                }
            }
        })*
    };
}

held! {
    Switch Switch bool, value => *value;
    Text Text &'a str, value => value;
    Texts Texts &'a [String], value => value;
    Whole Whole u64, value => *value;
    Span Duration Duration, value => *value;
}

/// What a flag was given, or its default.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the value of the flag kind of its name")]
pub enum FlagValue {
    Switch(bool),
    Text(String),
    Texts(Vec<String>),
    Whole(u64),
    Duration(Duration),
}

impl FlagValue {
    /// Reads a value as it is written on a command line. The error says what should have been written.
    pub fn parse(kind: FlagKind, text: &str) -> Result<Self, String> {
        match kind {
            FlagKind::Switch => match text {
                "true" => Ok(Self::Switch(true)),
                "false" => Ok(Self::Switch(false)),
                _ => Err(format!("expected true or false, found `{text}`")),
            },
            FlagKind::Text => Ok(Self::Text(text.to_owned())),
            FlagKind::Texts => Ok(Self::Texts(if text.is_empty() { Vec::new() } else { vec![text.to_owned()] })),
            FlagKind::Whole => {
                text.parse().map(Self::Whole).map_err(|_| format!("expected a whole number, found `{text}`"))
            }
            FlagKind::Duration => parse_duration(text)
                .map(Self::Duration)
                .ok_or_else(|| format!("expected a duration such as 5s, 1m30s or 200ms, found `{text}`")),
        }
    }
}

/// The values of all collectors' flags, and which collectors are on.
#[derive(Clone, Default, Debug)]
pub struct FlagValues {
    values: BTreeMap<&'static str, FlagValue>,
    given: BTreeSet<&'static str>,
    enabled: BTreeMap<String, bool>,
}

impl FlagValues {
    /// Every flag of these collectors at its default.
    ///
    /// # Panics
    /// When a declared default cannot be read as the flag's kind: a mistake in a declaration, which the test over all
    /// declarations finds.
    pub fn defaults<'a>(declarations: impl IntoIterator<Item = &'a Declaration>) -> Self {
        let mut all = Self::default();
        for flag in declarations.into_iter().flat_map(|declaration| declaration.flags) {
            let value = FlagValue::parse(flag.kind, flag.default);
            let value = value.unwrap_or_else(|error| panic!("the default of --{}: {error}", flag.name));
            all.values.insert(flag.name, value);
        }
        all
    }

    /// Gives a flag a value; a flag of [`FlagKind::Texts`] gets one more.
    pub fn give(&mut self, flag: &FlagInfo, text: &str) -> Result<(), String> {
        let value = FlagValue::parse(flag.kind, text).map_err(|error| format!("--{}: {error}", flag.name))?;
        let again = !self.given.insert(flag.name);
        match (self.values.get_mut(flag.name), value) {
            (Some(FlagValue::Texts(all)), FlagValue::Texts(one)) if again => all.extend(one),
            (_, value) => {
                self.values.insert(flag.name, value);
            }
        }
        Ok(())
    }

    /// Whether a flag was given a value.
    pub fn is_given(&self, flag: &FlagInfo) -> bool {
        self.given.contains(flag.name)
    }

    /// What a flag that holds words holds; nothing where it holds something else.
    pub fn words(&self, flag: &FlagInfo) -> &[String] {
        match self.values.get(flag.name) {
            Some(FlagValue::Text(word)) => std::slice::from_ref(word),
            Some(FlagValue::Texts(words)) => words,
            _ => &[],
        }
    }

    /// What a flag holds, if it is one of these.
    pub fn value(&self, flag: &FlagInfo) -> Option<&FlagValue> {
        self.values.get(flag.name)
    }

    /// Says whether a collector is on.
    pub fn enable(&mut self, collector: &str, enabled: bool) {
        self.enabled.insert(collector.to_owned(), enabled);
    }

    /// Whether a collector is on; nothing when nobody said.
    pub fn enabled(&self, collector: &str) -> Option<bool> {
        self.enabled.get(collector).copied()
    }
}

/// What a collector is built with: its flags' values.
pub struct Options<'a, C> {
    values: &'a FlagValues,
    notices: Vec<String>,
    owner: PhantomData<fn() -> C>,
}

impl<C> fmt::Debug for Options<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("values", self.values).finish_non_exhaustive()
    }
}

impl<'a, C> Options<'a, C> {
    /// The options of collector `C` among all.
    pub fn new(values: &'a FlagValues) -> Self {
        Self { values, notices: Vec::new(), owner: PhantomData }
    }

    /// The flag's value.
    ///
    /// # Panics
    /// When the values were made without this collector's declaration.
    pub fn get<T: Held>(&self, flag: Flag<C, T>) -> T::Value<'a> {
        let value = self.values.values.get(flag.info.name).and_then(T::take);
        value.unwrap_or_else(|| panic!("--{} has a value of its kind in every table", flag.info.name))
    }

    /// Whether the flag was given, as opposed to standing at its default.
    pub fn is_given<T>(&self, flag: Flag<C, T>) -> bool {
        self.values.is_given(&flag.info)
    }

    /// Whether another collector is on; `None` where it does not exist here.
    pub fn is_collector_enabled(&self, name: &str) -> Option<bool> {
        self.values.enabled(name)
    }

    /// Tells the operator something at start.
    pub fn notice(&mut self, message: impl Into<String>) {
        self.notices.push(message.into());
    }

    pub(crate) fn into_notices(self) -> Vec<String> {
        self.notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Duration>) {
        assert_eq!(parse_duration(text), expected, "{text}");
    }

    #[test]
    fn durations_read_as_go_reads_them() {
        check("5s", Some(Duration::from_secs(5)));
        check("1m30s", Some(Duration::from_secs(90)));
        check("1.5h", Some(Duration::from_secs(5400)));
        check("200ms", Some(Duration::from_millis(200)));
        check("0", Some(Duration::ZERO));
        for bad in ["", "5", "s", "5 s", "-5s", "5d", "1s5", "1e9s"] {
            check(bad, None);
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_in_words() {
        let refused = FlagValue::parse(FlagKind::Whole, "many").expect_err("no number");
        assert_eq!(refused, "expected a whole number, found `many`");
        assert!(FlagValue::parse(FlagKind::Switch, "yes").is_err());
    }
}
