//! Argument parsing by the table of a command's flags.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use collectors::kit::nearest;
use simulator::span;

use super::{Command, Failure, Flag};

/// The arguments of a command.
#[derive(Debug, Default)]
pub(crate) struct Given {
    flags: BTreeMap<&'static str, Vec<OsString>>,
    words: Vec<OsString>,
}

/// Parses all arguments; `None` if help is requested.
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
    /// Exactly these positional arguments; `names` are their placeholders.
    pub(crate) fn words<const N: usize>(&self, names: [&str; N]) -> Result<[&OsStr; N], Failure> {
        let words: Vec<&OsStr> = self.words.iter().map(OsString::as_os_str).collect();
        words.try_into().map_err(|words: Vec<&OsStr>| {
            let problem = match names.get(words.len()) {
                Some(missing) => format!("{missing} is missing"),
                None => format!("`{}`: unexpected argument", words.last().copied().unwrap_or_default().display()),
            };
            Failure::Usage(problem)
        })
    }

    /// All positional arguments.
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

    /// The value of a flag that takes one of these words; the first word if it was not given.
    pub(crate) fn one_of<'a>(&self, flag: Flag, words: &[&'a str]) -> Result<&'a str, Failure> {
        let Some(given) = self.texts(flag.name)?.first().copied() else {
            return Ok(words.first().copied().unwrap_or_default());
        };
        let known = words.iter().find(|word| **word == given).copied();
        known
            .ok_or_else(|| Failure::Usage(format!("--{}: expected {}, found `{given}`", flag.name, words.join(" or "))))
    }

    /// The value of a flag as an unsigned integer.
    pub(crate) fn number(&self, flag: Flag) -> Result<Option<u64>, Failure> {
        let Some(text) = self.texts(flag.name)?.first().copied() else { return Ok(None) };
        let fail = || Failure::Usage(format!("--{}: expected an unsigned integer, found `{text}`", flag.name));
        text.parse().map(Some).map_err(|_| fail())
    }

    /// The value of a flag as a path.
    pub(crate) fn path(&self, flag: &str) -> Option<&Path> {
        self.flags.get(flag)?.first().map(Path::new)
    }

    /// The value of a flag as a duration: `30s`, `1m30s`, `200ms`.
    pub(crate) fn duration(&self, flag: &str) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.texts(flag)?.first().copied() else { return Ok(None) };
        let fail = || Failure::Usage(format!("--{flag}: expected {}, found `{text}`", span::EXPECTED));
        span::parse(text).map(Some).ok_or_else(fail)
    }
}
