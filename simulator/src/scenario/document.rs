//! Parser of scenario files, which are TOML.

use collectors::kit::nearest;
use toml_span::value::{Key, Table, ValueInner};
use toml_span::{Span, Value};

use super::timeline::{At, TimelineEntry};
use super::{Scenario, ScenarioError};
use crate::fault::Plan;
use crate::profile::{self, Settings};

/// Top-level keys in their recommended order.
const KEYS: [&str; 8] = ["about", "sources", "profile", "seed", "start", "faults", "set", "event"];

pub(super) fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    let file = File { text };
    let document = toml_span::parse(text).map_err(|error| file.fail(error.span, error.to_string()))?;
    file.scenario(document.as_table().unwrap_or(&Table::new()))
}

struct File<'a> {
    text: &'a str,
}

impl File<'_> {
    /// Line number of the start of a span.
    fn line(&self, span: Span) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.bytes().filter(|&byte| byte == b'\n').count() + 1
    }

    fn fail(&self, span: Span, problem: impl Into<String>) -> ScenarioError {
        ScenarioError::at(self.line(span), problem)
    }

    fn scenario(&self, document: &Table<'_>) -> Result<Scenario, ScenarioError> {
        if let Some(key) = document.keys().find(|key| !KEYS.contains(&key.name.as_ref())) {
            let advice = match nearest::among(&key.name, KEYS.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", KEYS.join(", ")),
            };
            return Err(self.fail(key.span, format!("unknown key `{key}`; {advice}")));
        }
        let named = document.get("profile").ok_or_else(|| {
            self.fail(Span::default(), "the key `profile` is missing; `nodelab list` names the profiles")
        })?;
        let sound =
            Scenario::of(self.text("profile", named)?).map_err(|error| self.fail(named.span, error.to_string()))?;
        let number = |name| document.get(name).map(|value| self.number(name, value)).transpose();
        let text = |name| document.get(name).map(|value| self.text(name, value)).transpose();
        Ok(Scenario {
            about: text("about")?.unwrap_or_default().to_owned(),
            sources: document.get("sources").map(|value| self.texts("sources", value)).transpose()?.unwrap_or_default(),
            seed: number("seed")?.unwrap_or(sound.seed),
            start_seconds: number("start")?,
            overrides: document.get("set").map(|value| self.overrides(&sound, value)).transpose()?.unwrap_or_default(),
            timeline: document.get("event").map(|value| self.timeline(value)).transpose()?.unwrap_or_default(),
            faults: document.get("faults").map(|value| self.faults(value)).transpose()?.unwrap_or_default(),
            ..sound
        })
    }

    fn text<'v>(&self, name: &str, value: &'v Value<'_>) -> Result<&'v str, ScenarioError> {
        value.as_str().ok_or_else(|| self.fail(value.span, format!("{name}: expected a text")))
    }

    fn texts(&self, name: &str, value: &Value<'_>) -> Result<Vec<String>, ScenarioError> {
        let fail = || self.fail(value.span, format!("{name}: expected a list of texts"));
        let texts = value.as_array().ok_or_else(fail)?.iter();
        texts.map(|text| text.as_str().map(str::to_owned).ok_or_else(fail)).collect()
    }

    /// Parses a number; numbers beyond 63 bits are written as strings.
    fn number(&self, name: &str, value: &Value<'_>) -> Result<u64, ScenarioError> {
        let found = self.word(name, value)?;
        found.parse().map_err(|_| {
            let problem = format!("{name}: expected a whole number from 0 to 2^64 - 1, found `{found}`");
            self.fail(value.span, problem)
        })
    }

    /// Text of a number, string or boolean.
    fn word(&self, name: &str, value: &Value<'_>) -> Result<String, ScenarioError> {
        match value.as_ref() {
            ValueInner::String(text) => Ok(text.clone().into_owned()),
            ValueInner::Integer(number) => Ok(number.to_string()),
            ValueInner::Boolean(is_so) => Ok(is_so.to_string()),
            _ => Err(self.fail(value.span, format!("{name}: expected a number or a word"))),
        }
    }

    /// Settings of `[set]`, validated here so that errors name their line.
    fn overrides(&self, scenario: &Scenario, value: &Value<'_>) -> Result<Vec<(String, String)>, ScenarioError> {
        let table = value.as_table().ok_or_else(|| self.fail(value.span, "set: expected a table"))?;
        let fail = |span, error: &dyn std::error::Error| self.fail(span, error.to_string());
        let profile = profile::find(&scenario.profile).map_err(|error| fail(value.span, &error))?;
        let mut settings = Settings::defaults(profile);
        let pair = |(key, value): (&Key<'_>, &Value<'_>)| {
            let text = self.word(&key.name, value)?;
            settings.set(&key.name, &text).map_err(|error| fail(key.span, &error))?;
            Ok((key.name.clone().into_owned(), text))
        };
        table.iter().map(pair).collect()
    }

    fn timeline(&self, value: &Value<'_>) -> Result<Vec<TimelineEntry>, ScenarioError> {
        let fail = |span| self.fail(span, "event: expected [[event]] and its keys");
        let events = value.as_array().ok_or_else(|| fail(value.span))?.iter();
        let entry = |event: &Value<'_>| self.entry(event.span, event.as_table().ok_or_else(|| fail(event.span))?);
        events.map(entry).collect()
    }

    fn entry(&self, span: Span, event: &Table<'_>) -> Result<TimelineEntry, ScenarioError> {
        let at = event.get("at").ok_or_else(|| self.fail(span, "the event has no `at`; write at = \"+10m\""))?;
        let kind = event.get("kind").ok_or_else(|| self.fail(span, "the event has no `kind`"))?;
        let written = self.word("at", at)?;
        let settings = event.iter().filter(|(key, _)| !matches!(key.name.as_ref(), "at" | "kind"));
        let settings = settings.map(|(key, value)| Ok((key.name.clone().into_owned(), self.word(&key.name, value)?)));
        Ok(TimelineEntry {
            line: self.line(kind.span),
            at: At::parse(&written).ok_or_else(|| {
                let expected = "\"+10m\", counted from the start, or seconds since 1970";
                self.fail(at.span, format!("at: expected {expected}, found `{written}`"))
            })?,
            kind: self.text("kind", kind)?.to_owned(),
            settings: settings.collect::<Result<_, _>>()?,
        })
    }

    /// Parses a fault plan; the text starts on the line of its first fault.
    fn faults(&self, value: &Value<'_>) -> Result<Plan, ScenarioError> {
        let first = self.line(value.span);
        let plan = Plan::parse(self.text("faults", value)?);
        plan.map_err(|error| ScenarioError::at(first + error.line - 1, error.problem))
    }
}
