//! Text of `--help`: two columns, as in node_exporter.

use collectors::kit::declare::Registration;
use collectors::kit::options::{FlagInfo, FlagKind};

use super::own;

/// Column of the descriptions.
const SENTENCES_COLUMN: usize = 33;
/// Maximum length of a line.
const LINE_MAX_COLUMNS: usize = 80;

/// A flag as help, manual and completions show it.
pub(super) struct ShownFlag {
    /// `-h, --[no-]help`, `--log.level=info`.
    pub(super) left: String,
    pub(super) sentence: String,
    /// Its names after `--`, with `no-` and without.
    pub(super) names: Vec<String>,
    pub(super) value: ShownValue,
}

/// The value of a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownValue {
    None,
    /// After `=` only.
    Optional,
    Required,
}

impl ShownFlag {
    fn switch(name: &str, sentence: impl Into<String>) -> Self {
        let (left, names) = (format!("--[no-]{name}"), vec![name.to_owned(), format!("no-{name}")]);
        Self { left, sentence: sentence.into(), names, value: ShownValue::None }
    }

    fn of(flag: &FlagInfo) -> Self {
        let FlagInfo { name, default, .. } = flag;
        let (value, written) = match flag.kind {
            FlagKind::Switch => return Self::switch(name, flag.help),
            _ if flag.bare.is_some() => (ShownValue::Optional, format!("[={}]", name.to_uppercase())),
            FlagKind::Texts => (ShownValue::Required, format!("={} ...", shown(flag, default))),
            FlagKind::Text | FlagKind::Whole | FlagKind::Duration => {
                (ShownValue::Required, format!("={}", shown(flag, default)))
            }
        };
        Self {
            left: format!("--{name}{written}"),
            sentence: flag.help.to_owned(),
            names: vec![(*name).to_owned()],
            value,
        }
    }

    /// The values that its sentence lists, as in `One of: [debug, info]`.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        let list = self.sentence.split_once("One of: [").and_then(|(_, list)| list.split(']').next());
        list.unwrap_or_default().split(", ").filter(|value| !value.is_empty())
    }
}

/// Every flag that is not hidden, in the order of node_exporter's help.
pub(super) fn flags(registrations: &[Registration]) -> Vec<ShownFlag> {
    let mut help = ShownFlag::switch("help", "Show this help. --help-man prints a manual page.");
    help.left.insert_str(0, "-h, ");
    let mut flags = vec![help];
    let declarations = registrations.iter().map(|registration| registration.declaration);
    let (paths, others): (Vec<_>, Vec<_>) =
        own::DECLARATION.flags.iter().partition(|flag| flag.name.starts_with("path."));
    let is_shown = |flag: &&FlagInfo| !flag.hidden;
    let of_collectors = declarations.clone().flat_map(|declaration| declaration.flags);
    flags.extend(paths.into_iter().chain(of_collectors).filter(is_shown).map(ShownFlag::of));
    flags.extend(declarations.map(|declaration| {
        let state = if declaration.is_enabled { "enabled" } else { "disabled" };
        let sentence = format!("Enable the {} collector (default: {state}).", declaration.name);
        ShownFlag::switch(&format!("collector.{}", declaration.name), sentence)
    }));
    flags.extend(others.into_iter().filter(is_shown).map(ShownFlag::of));
    flags.push(ShownFlag::switch("version", "Show the version."));
    flags
}

/// The whole help.
pub fn text(registrations: &[Registration]) -> String {
    let mut text = "usage: node_exporter [<flags>]\n\nFlags:\n".to_owned();
    for flag in flags(registrations) {
        let indent = if flag.left.starts_with("--") { "      " } else { "  " };
        push(&mut text, &[indent, &flag.left].concat(), &flag.sentence);
    }
    text
}

/// The default, or the name in upper case without a default. A text is quoted unless it is a single word.
fn shown(flag: &FlagInfo, default: &str) -> String {
    let is_word = default.bytes().all(|byte| byte.is_ascii_lowercase());
    match flag.kind {
        _ if default.is_empty() => flag.name.to_uppercase(),
        FlagKind::Text if !is_word => format!("\"{}\"", default.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => default.to_owned(),
    }
}

fn push(text: &mut String, left: &str, sentence: &str) {
    text.push_str(left);
    let mut column = left.chars().count();
    if column + 2 > SENTENCES_COLUMN {
        text.push('\n');
        column = 0;
    }
    let mut is_first = true;
    for word in sentence.split_ascii_whitespace() {
        let width = word.chars().count();
        if !is_first && column + 1 + width > LINE_MAX_COLUMNS {
            text.push('\n');
            column = 0;
            is_first = true;
        }
        let blanks = if is_first { SENTENCES_COLUMN.saturating_sub(column) } else { 1 };
        text.extend(std::iter::repeat_n(' ', blanks));
        text.push_str(word);
        column += blanks + width;
        is_first = false;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;

    #[test]
    fn the_help_has_two_columns() {
        let text = text(REGISTRATIONS);
        for expected in [
            "usage: node_exporter [<flags>]\n\nFlags:\n  -h, --[no-]help                Show this help. ",
            "      --path.procfs=\"/proc\"      Mount point of procfs.\n",
            "      --[no-]collector.example   Enable the example collector (default:\n                                 enabled).\n",
            "      --[no-]collector.quiet     Enable the quiet collector (default: disabled).\n",
            "      --[no-]collector.example.loud\n                                 Says it louder.\n",
            "      --collector.example.include=COLLECTOR.EXAMPLE.INCLUDE\n                                 Examples to include.\n",
            "      --collector.example.exclude=\"^\\\\d\\\"$\"\n",
            "      --collector.example.file=COLLECTOR.EXAMPLE.FILE ...\n",
            "      --collector.example.wait=5s\n",
            "      --web.max-requests=40      Maximum number of concurrent scrapes; further",
            "      --web.listen-address=:9100 ...\n",
            "      --log.level=info           Minimum severity",
            "      --[no-]version             Show the version.\n",
        ] {
            assert!(text.contains(expected), "{expected}\nis not in\n{text}");
        }
        assert!(!text.contains("collector.example.secret") && !text.contains("whitelist"), "{text}");
    }

    #[test]
    fn lines_are_wrapped_at_80_columns() {
        for line in text(collectors::ALL).lines() {
            let has_blanks = line.trim_start().contains(' ');
            assert!(line.len() <= LINE_MAX_COLUMNS || !has_blanks, "{line}");
            assert_eq!(line, line.trim_end());
        }
    }
}
