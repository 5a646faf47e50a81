//! docs/CONFIG.md: every key with its default, from the declarations.

use std::fmt::Write;

use collectors::kit::declare::Registration;
use collectors::kit::options::FlagInfo;

use super::{
    APP, COLLECTORS, DISABLE_DEFAULTS, LABELS, SANDBOX, SECTIONS, TARGETS, collector_flags, declarations,
    section_flags, server_flag,
};
use crate::flags::FIXED;
use crate::target::KEYS;

const HEAD: &str = "# Configuration file\n\nGenerated from the declarations by `cargo run -p harness -- accept`.\n\n\
`--config.file=FILE` names a YAML file. It says what flags say: each key is a flag's name, with a section for the part before the\n\
first dot. A flag of the command line wins over the file. Unknown keys, repeated keys and values of another type are errors that\n\
name file, line and column, show the line with a caret and without values that may be secrets, and suggest the nearest key.\n\
`--config.check` reads the file, prints what is in force without secrets, and ends.\n\n\
`${VARIABLE}` stands for an environment variable, and `${VARIABLE:-TEXT}` has a default, in `app`, `labels` and `push.targets`.\n\n\
Examples: [pushing every 30 s to a Pushgateway and a vmagent](config/push-every-30s.yml), [an edge device](config/edge.yml),\n\
[Kubernetes](config/kubernetes.yml).\n\n\
## Reload\n\nSIGHUP, and POST `/-/reload` with `--web.enable-lifecycle`, read the file again. A file with an error changes nothing: the\n\
configuration before stays in force, the log has the error, `node_exporter_config_last_reload_successful` is 0, and POST `/-/reload`\n\
returns status 500 with the sentence. Scrapes that run are answered, and what waits in queues stays there. Refused, because it cannot\n\
change while the exporter runs: ";

/// The whole page.
pub fn documentation(registrations: &[Registration]) -> String {
    let fixed: Vec<String> = FIXED.iter().map(|name| format!("`{name}`")).collect();
    let mut text = format!("{HEAD}{}.\n\n## Top level\n\n", fixed.join(", "));
    begin(&mut text);
    row(
        &mut text,
        APP.0,
        server_flag(APP.1).map_or("", |flag| flag.default),
        "Name of the application, which is the label job of pushed samples.",
    );
    row(&mut text, LABELS.0, "", "Labels of every pushed series, as a map. A label that a series has stays.");
    row_of(&mut text, SANDBOX.0, server_flag(SANDBOX.1));
    for section in SECTIONS {
        row(&mut text, section, "", &format!("Section, see [below](#{section})."));
    }
    row(&mut text, COLLECTORS, "", &format!("Section, see [below](#{COLLECTORS})."));
    for section in SECTIONS {
        let _ = write!(text, "\n## {section}\n\n");
        begin(&mut text);
        section_flags(section).for_each(|(key, flag)| row_of(&mut text, key, Some(flag)));
        if section == "push" {
            row(
                &mut text,
                TARGETS,
                "",
                "Targets, as a list. [Keys of a target](#pushtargets). `--push.to` replaces the list.",
            );
        }
    }
    text.push_str("\n## push.targets\n\n");
    begin(&mut text);
    for key in KEYS {
        row(&mut text, key.name, key.default, key.help);
    }
    let _ = write!(
        text,
        "\n## {COLLECTORS}\n\n`NAME: true` and `NAME: false` switch a collector. A section switches it on, unless it has `enabled: false`, and holds\nits flags:\n\n"
    );
    begin(&mut text);
    row_of(&mut text, DISABLE_DEFAULTS.0, server_flag(DISABLE_DEFAULTS.1));
    for declaration in declarations(registrations) {
        for (key, flag) in collector_flags(declaration) {
            row_of(&mut text, &format!("{}.{key}", declaration.name), Some(flag));
        }
    }
    text
}

fn begin(text: &mut String) {
    text.push_str("| key | default | |\n|---|---|---|\n");
}

fn row_of(text: &mut String, key: &str, flag: Option<FlagInfo>) {
    if let Some(flag) = flag.filter(|flag| !flag.hidden) {
        row(text, key, flag.default, flag.help);
    }
}

fn row(text: &mut String, key: &str, default: &str, help: &str) {
    let escaped = |text: &str| text.replace('|', "\\|");
    let default = if default.is_empty() { String::new() } else { format!("`{}`", escaped(default)) };
    let _ = writeln!(text, "| `{key}` | {default} | {} |", escaped(help));
}
