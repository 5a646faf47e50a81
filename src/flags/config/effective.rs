//! The configuration in force, in the form of the file, without secrets.

use std::fmt::Write;

use collectors::kit::declare::Registration;
use collectors::kit::options::{FlagInfo, FlagValue, FlagValues};

use super::{
    APP, COLLECTORS, DISABLE_DEFAULTS, ENABLED, LABELS, SANDBOX, SECTIONS, TARGETS, collector_flags, declarations,
    section_flags, server_flag,
};
use crate::flags::{Settings, own};
use crate::target::ShownOption;

/// Every key with its value, for `--config.check`. It can be read again; secrets are hidden.
pub fn effective(registrations: &[Registration], settings: &Settings) -> String {
    let values = &settings.values;
    let mut text = String::new();
    let _ = writeln!(text, "{}: {}", APP.0, literal(&settings.push.job));
    push_flag(&mut text, "", SANDBOX.0, server_flag(SANDBOX.1).as_ref(), values);
    push_map(&mut text, "", LABELS.0, &settings.push.labels);
    for section in SECTIONS {
        let _ = writeln!(text, "{section}:");
        for (key, flag) in section_flags(section) {
            push_flag(&mut text, "  ", key, Some(&flag), values);
        }
        if section == "push" && !settings.push.targets.is_empty() {
            let _ = writeln!(text, "  {TARGETS}:");
            for target in &settings.push.targets {
                let mut lead = "  - ";
                for (key, shown) in target.shown() {
                    match shown {
                        ShownOption::Text(value) if value.is_empty() => continue,
                        ShownOption::Text(value) => _ = writeln!(text, "{lead}{key}: {}", literal(&value)),
                        ShownOption::Map(pairs) => push_map(&mut text, lead, key, &pairs),
                    }
                    lead = "    ";
                }
            }
        }
    }
    let _ = writeln!(text, "{COLLECTORS}:");
    push_flag(&mut text, "  ", DISABLE_DEFAULTS.0, server_flag(DISABLE_DEFAULTS.1).as_ref(), values);
    for declaration in declarations(registrations) {
        let is_on = values.enabled(declaration.name).unwrap_or(declaration.is_enabled);
        if collector_flags(declaration).next().is_none() || !is_on {
            let _ = writeln!(text, "  {}: {is_on}", declaration.name);
            continue;
        }
        let _ = writeln!(text, "  {}:\n    {ENABLED}: {is_on}", declaration.name);
        for (key, flag) in collector_flags(declaration) {
            push_flag(&mut text, "    ", key, Some(&flag), values);
        }
    }
    text
}

fn push_map(text: &mut String, lead: &str, key: &str, pairs: &[(String, String)]) {
    if pairs.is_empty() {
        return;
    }
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}: {}", quoted(name), literal(value))).collect();
    let _ = writeln!(text, "{lead}{key}: {{{}}}", pairs.join(", "));
}

/// A flag that has a value. An empty text is the same as none.
fn push_flag(text: &mut String, lead: &str, key: &str, flag: Option<&FlagInfo>, values: &FlagValues) {
    let Some((flag, value)) = flag.and_then(|flag| Some((flag, values.value(flag)?))) else { return };
    let shown = match value {
        FlagValue::Switch(is_on) => is_on.to_string(),
        FlagValue::Text(text) if text.is_empty() => return,
        FlagValue::Text(text) => quoted(text),
        FlagValue::Texts(texts) if texts.is_empty() => return,
        FlagValue::Texts(texts) => {
            format!("[{}]", texts.iter().map(|text| quoted(&own::shown(flag, text))).collect::<Vec<_>>().join(", "))
        }
        FlagValue::Whole(number) => number.to_string(),
        FlagValue::Duration(duration) => format!("{duration:?}"),
    };
    let _ = writeln!(text, "{lead}{key}: {shown}");
}

/// A scalar in which variables would be replaced: what looks like one is written so that it stays.
fn literal(value: &str) -> String {
    quoted(&value.replace("${", "$${"))
}

/// A scalar in double quotes, or bare where that is unmistakable.
fn quoted(value: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let is_word = matches!(value, "null" | "Null" | "NULL" | "true" | "false" | "-");
    if value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') && value.chars().all(is_bare) && !is_word {
        return value.to_owned();
    }
    let mut text = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            control if control.is_control() => _ = write!(text, "\\u{:04x}", u32::from(control)),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}
