//! Arguments, read by the table of the command's flags.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use collectors::kit::nearest;

use super::{Command, Failure, Flag};

/// What was given to a command.
#[derive(Debug, Default)]
pub(crate) struct Given {
    flags: BTreeMap<&'static str, Vec<OsString>>,
    words: Vec<OsString>,
}

/// Reads all arguments; `None` when the help is asked for.
pub(super) fn read(command: &Command, mut parser: lexopt::Parser) -> Result<Option<Given>, String> {
    let mut given = Given::default();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let name = match argument {
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => return Ok(None),
            lexopt::Arg::Value(word) => {
                given.words.push(word);
                continue;
            }
            lexopt::Arg::Long(name) => name.to_owned(),
            lexopt::Arg::Short(name) => return Err(format!("unknown flag -{name}")),
        };
        let flag = command.flags.iter().find(|flag| flag.name == name);
        let flag = flag.ok_or_else(|| match nearest::among(&name, command.flags.iter().map(|flag| flag.name)) {
            Some(near) => format!("unknown flag --{name} (did you mean --{near}?)"),
            None => format!("unknown flag --{name}"),
        })?;
        let value = match flag.value {
            Some(_) => parser.value().map_err(|error| error.to_string())?,
            None => OsString::new(),
        };
        let before = given.flags.entry(flag.name).or_default();
        if !before.is_empty() && !flag.is_repeated {
            return Err(format!("--{name} cannot be repeated"));
        }
        before.push(value);
    }
    Ok(Some(given))
}

impl Given {
    /// Exactly so many words, which are called `names`.
    pub(crate) fn words<const N: usize>(&self, names: [&str; N]) -> Result<[&OsStr; N], Failure> {
        let words: Vec<&OsStr> = self.words.iter().map(OsString::as_os_str).collect();
        words.try_into().map_err(|words: Vec<&OsStr>| {
            let problem = match names.get(words.len()) {
                Some(missing) => format!("{missing} is missing"),
                None => format!("`{}` is one argument too many", words.last().copied().unwrap_or_default().display()),
            };
            Failure::Usage(problem)
        })
    }

    /// All words, as many as there are.
    pub(crate) fn all_words(&self) -> impl ExactSizeIterator<Item = &OsStr> {
        self.words.iter().map(OsString::as_os_str)
    }

    /// Whether a switch was given.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains_key(flag)
    }

    /// The values of a flag, as text.
    pub(crate) fn texts(&self, flag: &str) -> Result<Vec<&str>, Failure> {
        let values = self.flags.get(flag).into_iter().flatten();
        let text = |value: &OsString| Failure::Usage(format!("--{flag}: `{}` is not UTF-8", value.display()));
        values.map(|value| value.to_str().ok_or_else(|| text(value))).collect()
    }

    /// The value of a flag that takes one of these words, the first where it is not given.
    pub(crate) fn one_of<'a>(&self, flag: Flag, words: &[&'a str]) -> Result<&'a str, Failure> {
        let Some(given) = self.texts(flag.name)?.first().copied() else {
            return Ok(words.first().copied().unwrap_or_default());
        };
        let known = words.iter().find(|word| **word == given).copied();
        known
            .ok_or_else(|| Failure::Usage(format!("--{}: expected {}, found `{given}`", flag.name, words.join(" or "))))
    }

    /// The value of a flag as a whole number.
    pub(crate) fn number(&self, flag: Flag) -> Result<Option<u64>, Failure> {
        let Some(text) = self.texts(flag.name)?.first().copied() else { return Ok(None) };
        let fail = || Failure::Usage(format!("--{}: expected a whole number, found `{text}`", flag.name));
        text.parse().map(Some).map_err(|_| fail())
    }

    /// The value of a flag as a path.
    pub(crate) fn path(&self, flag: &str) -> Option<&Path> {
        self.flags.get(flag)?.first().map(Path::new)
    }

    /// The value of a flag as a time: `30s`, `1m30s`, `200ms`.
    pub(crate) fn duration(&self, flag: &str) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.texts(flag)?.first().copied() else { return Ok(None) };
        let fail = || Failure::Usage(format!("--{flag}: expected a time such as 30s, 1m30s or 200ms, found `{text}`"));
        parse_duration(text).map(Some).ok_or_else(fail)
    }
}

/// Numbers, each with its unit.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|next: char| !next.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit_length = after.find(|next: char| next.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        let number: u64 = number.parse().ok()?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(Duration::from_millis(number.checked_mul(milliseconds)?))?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("200ms", Some(Duration::from_millis(200))),
            ("1m30s", Some(Duration::from_secs(90))),
            ("1d", Some(Duration::from_secs(86_400))),
            ("", None),
            ("5", None),
            ("s", None),
            ("5x", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }
}
