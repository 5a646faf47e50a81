//! The table of all flag names and their meanings.

use std::collections::BTreeMap;

use collectors::kit::declare::Registration;
use collectors::kit::nearest;
use collectors::kit::options::{FlagInfo, FlagKind};

use super::completion::Shell;
use super::own;

/// All flags by name, including old names.
pub(super) struct Table {
    entries: BTreeMap<String, FlagEntry>,
}

/// One flag name.
#[derive(Clone, Debug)]
pub(super) struct FlagEntry {
    pub(super) name: String,
    pub(super) meaning: Meaning,
    /// Whether it is suggested for a misspelled name.
    is_shown: bool,
}

/// Effect of a flag name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// Prints a text and ends the program.
    Print(Print),
    /// Enables or disables a collector.
    Collector(&'static str),
    Flag(FlagInfo),
}

/// What a flag prints.
#[derive(Clone, Copy, Debug)]
pub(super) enum Print {
    Help,
    Version,
    Manual,
    CompletionScript(Shell),
    /// What completes the words that follow.
    Completions,
}

impl Table {
    pub(super) fn new(registrations: &[Registration]) -> Self {
        let mut table = Self { entries: BTreeMap::new() };
        table.add("help", Meaning::Print(Print::Help), true);
        table.add("help-long", Meaning::Print(Print::Help), false);
        table.add("help-man", Meaning::Print(Print::Manual), false);
        table.add("version", Meaning::Print(Print::Version), true);
        table.add("completion-bash", Meaning::Print(Print::Completions), false);
        for shell in Shell::ALL {
            table.add(shell.flag(), Meaning::Print(Print::CompletionScript(shell)), false);
        }
        for declaration in registrations.iter().map(|registration| registration.declaration) {
            table.add(&format!("collector.{}", declaration.name), Meaning::Collector(declaration.name), true);
        }
        let declarations = registrations.iter().map(|registration| registration.declaration);
        for flag in declarations.chain([own::DECLARATION]).flat_map(|declaration| declaration.flags) {
            table.add(flag.name, Meaning::Flag(*flag), !flag.hidden);
            for old_name in flag.old_names {
                table.add(old_name, Meaning::Flag(*flag), false);
            }
        }
        table
    }

    fn add(&mut self, name: &str, meaning: Meaning, is_shown: bool) {
        let entry = FlagEntry { name: name.to_owned(), meaning, is_shown };
        let before = self.entries.insert(name.to_owned(), entry);
        debug_assert!(before.is_none(), "--{name} is defined twice");
    }

    /// Entry of a name, and whether it was given without `no-`.
    pub(super) fn find(&self, name: &str) -> Option<(&FlagEntry, bool)> {
        if let Some(entry) = self.entries.get(name) {
            return Some((entry, true));
        }
        let entry = self.entries.get(name.strip_prefix("no-")?)?;
        entry.is_switch().then_some((entry, false))
    }

    /// The flag with the most similar name, if one is similar enough.
    pub(super) fn nearest(&self, name: &str) -> Option<String> {
        let (no, name) = name.strip_prefix("no-").map_or(("", name), |rest| ("no-", rest));
        let shown = self.entries.values().filter(|entry| entry.is_shown && (no.is_empty() || entry.is_switch()));
        nearest::among(name, shown.map(|entry| entry.name.as_str())).map(|near| format!("{no}{near}"))
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> impl Iterator<Item = &FlagEntry> {
        self.entries.values()
    }
}

impl FlagEntry {
    fn is_switch(&self) -> bool {
        matches!(
            self.meaning,
            Meaning::Print(_) | Meaning::Collector(_) | Meaning::Flag(FlagInfo { kind: FlagKind::Switch, .. })
        )
    }
}
