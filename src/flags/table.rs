//! The table of all flag names and their meanings.

use std::collections::BTreeMap;

use collectors::kit::declare::Registration;
use collectors::kit::nearest;
use collectors::kit::options::{FlagInfo, FlagKind};

use super::own;

/// All flags by name, including old names.
pub(super) struct Table {
    entries: BTreeMap<String, Entry>,
}

/// One flag name.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) meaning: Meaning,
    /// Whether it is suggested for a misspelled name.
    is_shown: bool,
}

/// Effect of a flag name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    Help,
    Version,
    /// Enables or disables a collector.
    Collector(&'static str),
    Flag(FlagInfo),
}

impl Table {
    pub(super) fn new(registrations: &[Registration]) -> Self {
        let mut table = Self { entries: BTreeMap::new() };
        table.add("help", Meaning::Help, true);
        table.add("help-long", Meaning::Help, false);
        table.add("version", Meaning::Version, true);
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
        let entry = Entry { name: name.to_owned(), meaning, is_shown };
        let before = self.entries.insert(name.to_owned(), entry);
        debug_assert!(before.is_none(), "--{name} is defined twice");
    }

    /// Entry of a name, and whether it was given without `no-`.
    pub(super) fn find(&self, name: &str) -> Option<(&Entry, bool)> {
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
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

impl Entry {
    fn is_switch(&self) -> bool {
        matches!(
            self.meaning,
            Meaning::Help
                | Meaning::Version
                | Meaning::Collector(_)
                | Meaning::Flag(FlagInfo { kind: FlagKind::Switch, .. })
        )
    }
}
