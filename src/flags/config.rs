//! The configuration file: what the command line can say, and push targets with all their options.
//!
//! The keys of the file are the flags' names, with a section for the part before the first dot, so that a flag is declared
//! once. [`documentation`] derives docs/CONFIG.md from the same tables.

mod documentation;
mod effective;
mod file;
mod message;
#[cfg(test)]
mod tests;

pub use documentation::documentation;
pub use effective::effective;

pub(crate) use file::{ConfigFile, read};
pub(crate) use message::message;

use std::path::Path;

use collectors::kit::declare::{Declaration, Registration};
use collectors::kit::options::FlagInfo;

use super as flags;

/// Checks the text of a configuration file, without environment variables.
pub fn check(registrations: &[Registration], text: &str) -> Result<(), String> {
    let told = |problem| message(registrations, Path::new("node_exporter.yml"), text, &problem);
    read(registrations, text, &|_| None).map(drop).map_err(told)
}

/// Sections whose keys are flags of the server: `web.listen-address` is the key `listen-address` of `web`.
const SECTIONS: [&str; 4] = ["log", "path", "push", "web"];

/// Flags of these sections that have another form in the file, or belong to one run.
const NOT_KEYS: [&str; 4] = ["push.job", "push.label", "push.once", "push.to"];

/// Keys of the file's top level with a meaning of their own, and the flag that each stands for.
const APP: (&str, &str) = ("app", "push.job");
const LABELS: (&str, &str) = ("labels", "push.label");
const SANDBOX: (&str, &str) = ("sandbox", "sandbox");
const DISABLE_DEFAULTS: (&str, &str) = ("disable-defaults", "collector.disable-defaults");
const TARGETS: &str = "targets";
const COLLECTORS: &str = "collectors";
/// Key of a collector's section.
const ENABLED: &str = "enabled";

/// A flag of the server by its name.
fn server_flag(name: &str) -> Option<FlagInfo> {
    flags::server_flags().iter().find(|flag| flag.name == name).copied()
}

/// Key and flag of everything in a section.
fn section_flags(section: &str) -> impl Iterator<Item = (&'static str, FlagInfo)> {
    let flags = flags::server_flags().iter().filter(|flag| !NOT_KEYS.contains(&flag.name));
    flags.filter_map(move |flag| {
        let key = flag.name.strip_prefix(section)?.strip_prefix('.')?;
        Some((key, *flag))
    })
}

/// Key and flag of everything that a collector's section holds.
fn collector_flags(declaration: &Declaration) -> impl Iterator<Item = (&'static str, FlagInfo)> {
    declaration.flags.iter().filter_map(|flag| {
        let rest = flag.name.strip_prefix("collector.")?;
        let key = rest.strip_prefix(declaration.name).and_then(|key| key.strip_prefix('.')).unwrap_or(rest);
        Some((key, *flag))
    })
}

/// Every key that the file may have.
fn all_keys(registrations: &[Registration]) -> impl Iterator<Item = &'static str> {
    let tops =
        [APP.0, LABELS.0, SANDBOX.0, DISABLE_DEFAULTS.0, TARGETS, COLLECTORS, ENABLED].into_iter().chain(SECTIONS);
    let flags = SECTIONS.into_iter().flat_map(section_flags).map(|(key, _)| key);
    let collectors = declarations(registrations).flat_map(|declaration| {
        let flags = collector_flags(declaration).map(|(key, _)| key);
        std::iter::once(declaration.name).chain(flags)
    });
    tops.chain(flags).chain(collectors).chain(crate::target::KEYS.map(|key| key.name))
}

fn declarations(registrations: &[Registration]) -> impl Iterator<Item = &'static Declaration> {
    registrations.iter().map(|registration| registration.declaration)
}
