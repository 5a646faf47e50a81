//! Flags with values other than their defaults, for the status page.

use collectors::kit::declare::Registration;
use collectors::kit::options::{FlagInfo, FlagValue, FlagValues};

use super::own;

/// The flags with values other than their defaults, as on the command line. Hidden flags are omitted: they may contain
/// secrets.
pub fn changed(registrations: &[Registration], values: &FlagValues) -> Vec<String> {
    let declarations = || registrations.iter().map(|registration| registration.declaration);
    let flags = declarations().chain([own::DECLARATION]).flat_map(|declaration| declaration.flags);
    let mut changed: Vec<String> = flags.filter(|flag| !flag.hidden).flat_map(|flag| written(flag, values)).collect();
    for declaration in declarations() {
        match (declaration.is_enabled, values.enabled(declaration.name).unwrap_or(declaration.is_enabled)) {
            (true, false) => changed.push(format!("--no-collector.{}", declaration.name)),
            (false, true) => changed.push(format!("--collector.{}", declaration.name)),
            _ => {}
        }
    }
    changed.sort();
    changed
}

fn written(flag: &FlagInfo, values: &FlagValues) -> Vec<String> {
    let default = FlagValue::parse(flag.kind, flag.default).ok();
    let Some(value) = values.value(flag).filter(|value| Some(*value) != default.as_ref()) else { return Vec::new() };
    let name = flag.name;
    match value {
        FlagValue::Switch(true) => vec![format!("--{name}")],
        FlagValue::Switch(false) => vec![format!("--no-{name}")],
        FlagValue::Text(text) => vec![format!("--{name}={text}")],
        FlagValue::Texts(texts) => texts.iter().map(|text| format!("--{name}={}", own::shown(flag, text))).collect(),
        FlagValue::Whole(number) => vec![format!("--{name}={number}")],
        FlagValue::Duration(duration) => vec![format!("--{name}={duration:?}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;
    use crate::flags::{Command, parse};
    use std::ffi::OsString;

    #[track_caller]
    fn check(arguments: &[&str], expected: &[&str]) {
        match parse(REGISTRATIONS, arguments.iter().map(OsString::from)) {
            Ok(Command::Serve(settings)) => assert_eq!(changed(REGISTRATIONS, &settings.values), expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_other_than_defaults_are_listed() {
        check(&[], &[]);
        check(&["--web.max-requests=40", "--collector.example.sure"], &[]);
        check(
            &[
                "--no-collector.example.sure",
                "--collector.example.loud",
                "--collector.example.wait=1m1s",
                "--collector.example.secret=5",
                "--collector.quiet",
                "--no-collector.example",
                "--web.listen-address=:1",
                "--web.listen-address=:2",
            ],
            &[
                "--collector.example.loud",
                "--collector.example.wait=61s",
                "--collector.quiet",
                "--no-collector.example",
                "--no-collector.example.sure",
                "--web.listen-address=:1",
                "--web.listen-address=:2",
            ],
        );
    }
}
