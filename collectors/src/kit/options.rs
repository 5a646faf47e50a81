//! Flags of collectors: declared beside their families, parsed from one table, read by type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// The type of a flag's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagKind {
    /// `--x`, `--no-x`.
    Switch,
    /// `--x=TEXT`.
    Text,
    /// `--x=TEXT`, repeatable.
    Texts,
    /// `--x=NUMBER`.
    Whole,
    /// `--x=5s`.
    Duration,
}

/// A flag without its type parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlagInfo {
    /// Its name without the dashes: `collector.arp.device-include`.
    pub name: &'static str,
    /// The type of the value.
    pub kind: FlagKind,
    /// The default, as written on a command line.
    pub default: &'static str,
    /// The help text.
    pub help: &'static str,
    /// Older names, accepted with a warning.
    pub old_names: &'static [&'static str],
    /// Accepted, but not shown by `--help`.
    pub hidden: bool,
    /// The value of a flag without `=VALUE`; `None` if the value is required.
    pub bare: Option<&'static str>,
}

/// A flag of collector `C` with a value of type `T`.
pub struct Flag<C, T> {
    info: FlagInfo,
    owner: PhantomData<fn() -> (C, T)>,
}

typed_constant!(Flag<C, T>);

impl<C, T: Held> Flag<C, T> {
    /// A flag with this name, default and help.
    pub const fn new(name: &'static str, default: &'static str, help: &'static str) -> Self {
        let info = FlagInfo { name, kind: T::KIND, default, help, old_names: &[], hidden: false, bare: None };
        Self { info, owner: PhantomData }
    }

    /// Adds older names, which are accepted with a warning.
    #[must_use]
    pub const fn or(mut self, old_names: &'static [&'static str]) -> Self {
        self.info.old_names = old_names;
        self
    }

    /// Hides the flag from `--help`.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.info.hidden = true;
        self
    }

    /// Makes the value optional. A flag without a value has this one.
    #[must_use]
    pub const fn bare(mut self, value: &'static str) -> Self {
        self.info.bare = Some(value);
        self
    }

    /// The flag without its type parameters.
    pub const fn info(&self) -> FlagInfo {
        self.info
    }
}

/// Marks a [`Flag`] with a boolean value.
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

/// Marker types for each [`FlagKind`].
pub trait Held {
    /// The kind of the marker.
    const KIND: FlagKind;
    /// The type that [`Options::get`] returns.
    type Value<'a>;
    /// The inner value; `None` if the value is of another kind.
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

/// The value of a flag.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is the value of the flag kind of its name")]
pub enum FlagValue {
    Switch(bool),
    Text(String),
    Texts(Vec<String>),
    Whole(u64),
    Duration(Duration),
}

impl FlagValue {
    /// Parses a value of the command line. The error describes a valid value.
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

/// The values of all collectors' flags, and the enabled collectors.
#[derive(Clone, Default, Debug)]
pub struct FlagValues {
    values: BTreeMap<&'static str, FlagValue>,
    given: BTreeSet<&'static str>,
    enabled: BTreeMap<String, bool>,
}

impl FlagValues {
    /// Adds a flag with its default.
    ///
    /// # Panics
    /// If the declared default cannot be parsed. A test checks all declarations.
    pub(super) fn add_default(&mut self, flag: &FlagInfo) {
        let value = FlagValue::parse(flag.kind, flag.default);
        let value = value.unwrap_or_else(|error| panic!("the default of --{}: {error}", flag.name));
        self.values.insert(flag.name, value);
    }

    /// Sets the value of a flag; adds it for [`FlagKind::Texts`].
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

    /// Whether the flag was given on the command line.
    pub fn is_given(&self, flag: &FlagInfo) -> bool {
        self.given.contains(flag.name)
    }

    /// The texts of a flag; empty for a flag of another kind.
    pub fn words(&self, flag: &FlagInfo) -> &[String] {
        match self.values.get(flag.name) {
            Some(FlagValue::Text(word)) => std::slice::from_ref(word),
            Some(FlagValue::Texts(words)) => words,
            _ => &[],
        }
    }

    /// The value of a flag, if it exists.
    pub fn value(&self, flag: &FlagInfo) -> Option<&FlagValue> {
        self.values.get(flag.name)
    }

    /// Enables or disables a collector.
    pub fn enable(&mut self, collector: &str, enabled: bool) {
        self.enabled.insert(collector.to_owned(), enabled);
    }

    /// Whether a collector was enabled or disabled; `None` if neither.
    pub fn enabled(&self, collector: &str) -> Option<bool> {
        self.enabled.get(collector).copied()
    }
}

/// The flag values of collector `C`.
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
    /// The options of collector `C`.
    pub fn new(values: &'a FlagValues) -> Self {
        Self { values, notices: Vec::new(), owner: PhantomData }
    }

    /// The flag's value.
    ///
    /// # Panics
    /// If the values were built without this collector's declaration.
    pub fn get<T: Held>(&self, flag: Flag<C, T>) -> T::Value<'a> {
        let value = self.values.values.get(flag.info.name).and_then(T::take);
        value.unwrap_or_else(|| panic!("--{} is not in the table of flags", flag.info.name))
    }

    /// Whether the flag was given on the command line.
    pub fn is_given<T>(&self, flag: Flag<C, T>) -> bool {
        self.values.is_given(&flag.info)
    }

    /// Whether another collector is enabled; `None` if it does not exist.
    pub fn is_collector_enabled(&self, name: &str) -> Option<bool> {
        self.values.enabled(name)
    }

    /// Adds a warning to the operator, which is logged at start.
    pub fn notice(&mut self, message: impl Into<String>) {
        self.notices.push(message.into());
    }

    pub(crate) fn into_notices(self) -> Vec<String> {
        self.notices
    }
}

/// Parses a duration in Go's syntax: numbers with units, such as `1m30s`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        seconds += value
            * match &rest[digits..unit_end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Duration>) {
        assert_eq!(parse_duration(text), expected, "{text}");
    }

    #[test]
    fn durations_have_the_syntax_of_go() {
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
    fn a_value_of_the_wrong_kind_is_refused() {
        let refused = FlagValue::parse(FlagKind::Whole, "many").expect_err("no number");
        assert_eq!(refused, "expected a whole number, found `many`");
        assert!(FlagValue::parse(FlagKind::Switch, "yes").is_err());
    }
}
