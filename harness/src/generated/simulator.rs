//! Documentation of the simulator: profiles, events, faults, scenarios.

use std::fmt::Write as _;
use std::io;

use simulator::fault::{KINDS, when_words};
use simulator::{Takes, event_kinds, profiles};

use super::documents::between_marks;
use crate::load;

/// Path of the document.
pub(super) const PATH: &str = "docs/SIMULATOR.md";

/// The document with its tables.
pub(super) fn document(document: &str) -> io::Result<String> {
    let mut document = document.to_owned();
    for (name, content) in [
        ("profiles", profile_table()),
        ("events", event_table()),
        ("faults", fault_tables()),
        ("scenarios", scenario_table()?),
    ] {
        document = between_marks(PATH, &document, name, &content)?;
    }
    Ok(document)
}

fn profile_table() -> String {
    let mut text = String::from("| profile | host | settings |\n|---|---|---|\n");
    for profile in profiles() {
        let settings: Vec<String> = profile.settings.iter().map(setting).collect();
        let _ = writeln!(text, "| `{}` | {} | {} |", profile.name, profile.summary, settings.join("<br>"));
    }
    text
}

/// A setting in one line: its type and description.
pub fn setting(setting: &simulator::Setting) -> String {
    let usual = match setting.takes {
        Takes::Number { default, .. } => default.to_string(),
        Takes::Word(words) => words.first().copied().unwrap_or_default().to_owned(),
        Takes::Name => "NAME".to_owned(),
    };
    format!("`{}={usual}`: {} Takes {}.", setting.key, setting.doc, setting.takes)
}

fn event_table() -> String {
    let mut text = String::from("| event | effect | settings | counters that fall |\n|---|---|---|---|\n");
    for kind in event_kinds() {
        let settings: Vec<String> = kind.settings.iter().map(setting).collect();
        let falls: Vec<String> = kind.falls.iter().map(|fall| format!("`{}` {}", fall.counters, fall.at)).collect();
        let (settings, falls) = (settings.join("<br>"), falls.join("<br>"));
        let _ = writeln!(text, "| `{}` | {} | {settings} | {falls} |", kind.name, kind.summary);
    }
    text
}

fn fault_tables() -> String {
    let mut text = String::from("| kind | effect on a file | effect on a kernel answer |\n|---|---|---|\n");
    for kind in KINDS {
        let able = if kind.is_for_kernels { "yes" } else { "" };
        let _ = writeln!(text, "| `{}{}` | {} | {able} |", kind.name, kind.value.replace('|', "\\|"), kind.doc);
    }
    text.push_str("\n| when | |\n|---|---|\n");
    for (word, doc) in when_words() {
        let _ = writeln!(text, "| `{word}` | {doc} |");
    }
    text
}

fn scenario_table() -> io::Result<String> {
    let mut text = String::from("| scenario | what it shows | source |\n|---|---|---|\n");
    for name in load::scenarios()? {
        let scenario = load::named_scenario(&name)?;
        let sources: Vec<String> = scenario.sources().iter().map(|source| link(source)).collect();
        let file = format!("../{}/{name}.toml", load::SCENARIOS);
        let _ = writeln!(text, "| [`{name}`]({file}) | {} | {} |", scenario.about(), sources.join(", "));
    }
    Ok(text)
}

/// `prometheus/node_exporter#244` as a link.
fn link(source: &str) -> String {
    match source.split_once('#') {
        Some((project, number)) => format!("[{source}](https://github.com/{project}/issues/{number})"),
        None => source.to_owned(),
    }
}
