//! Text of `--help`: two columns, as in node_exporter.

use collectors::kit::declare::Registration;
use collectors::kit::options::{FlagInfo, FlagKind};

use super::own;

/// Column of the descriptions.
const SENTENCES_COLUMN: usize = 33;
/// Maximum length of a line.
const LINE_MAX_COLUMNS: usize = 80;

/// The complete help.
pub fn text(registrations: &[Registration]) -> String {
    let mut text = "usage: node_exporter [<flags>]\n\nFlags:\n".to_owned();
    push(&mut text, "  -h, --help", "Show this help.");
    let declarations = registrations.iter().map(|registration| registration.declaration);
    let (paths, others): (Vec<_>, Vec<_>) =
        own::DECLARATION.flags.iter().partition(|flag| flag.name.starts_with("path."));
    for flag in paths.into_iter().chain(declarations.clone().flat_map(|declaration| declaration.flags)) {
        push_flag(&mut text, flag);
    }
    for declaration in declarations {
        let state = if declaration.is_enabled { "enabled" } else { "disabled" };
        let sentence = format!("Enable the {} collector (default: {state}).", declaration.name);
        push(&mut text, &format!("      --[no-]collector.{}", declaration.name), &sentence);
    }
    for flag in others {
        push_flag(&mut text, flag);
    }
    push(&mut text, "      --version", "Show the version.");
    text
}

fn push_flag(text: &mut String, flag: &FlagInfo) {
    if flag.hidden {
        return;
    }
    let FlagInfo { name, default, .. } = flag;
    let left = match flag.kind {
        FlagKind::Switch => format!("      --[no-]{name}"),
        _ if flag.bare.is_some() => format!("      --{name}[={}]", name.to_uppercase()),
        FlagKind::Texts => format!("      --{name}={} ...", shown(flag, default)),
        FlagKind::Text | FlagKind::Whole | FlagKind::Duration => format!("      --{name}={}", shown(flag, default)),
    };
    push(text, &left, flag.help);
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
            "usage: node_exporter [<flags>]\n\nFlags:\n  -h, --help                     Show this help.\n",
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
            "      --version                  Show the version.\n",
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
