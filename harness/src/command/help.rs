//! Help text, derived from the table of commands.

use std::fmt::Write as _;

use super::{Command, Failure};

/// Maximum width of a line.
pub(super) const COLUMNS: usize = 100;
/// Column where descriptions of flags begin.
const SENTENCES: usize = 30;

/// The output of `nodelab --help`.
pub(super) fn overview(commands: &[&Command]) -> String {
    let mut text = String::from(
        "nodelab records, simulates and reads hosts, and tests exporters on them.\n\n\
         usage: nodelab COMMAND [FLAGS] [ARGUMENTS]\n\ncommands:\n",
    );
    let width = commands.iter().map(|command| command.name.len()).max().unwrap_or_default();
    for command in commands {
        let _ = writeln!(text, "  {:width$}  {}", command.name, command.about);
    }
    text.push_str("\n`nodelab COMMAND --help` describes one command in full.\n\n");
    text.push_str(&exits(&[]));
    text
}

/// The names of the commands, shown after an unknown one.
pub(super) fn names(commands: &[&Command]) -> String {
    let names: Vec<&str> = commands.iter().map(|command| command.name).collect();
    format!("commands: {}\n`nodelab --help` describes them.\n", names.join(", "))
}

/// The usage line, with a reference to the help.
pub(super) fn usage(command: &Command) -> String {
    format!("{}`nodelab {} --help` tells more.\n", usage_line(command), command.name)
}

fn usage_line(command: &Command) -> String {
    let flags = if command.flags.is_empty() { "" } else { " [FLAGS]" };
    let space = if command.arguments.is_empty() { "" } else { " " };
    format!("usage: nodelab {}{flags}{space}{}\n", command.name, command.arguments)
}

/// The output of `nodelab COMMAND --help`.
pub(super) fn page(command: &Command) -> String {
    let mut text = format!("nodelab {}: {}.\n\n{}", command.name, command.about, usage_line(command));
    if !command.details.is_empty() {
        for paragraph in command.details.split("\n\n") {
            text.push('\n');
            wrap(&mut text, 0, 0, paragraph);
        }
    }
    if !command.flags.is_empty() {
        text.push_str("\nflags:\n");
        for flag in command.flags {
            let value = flag.value.map(|value| format!(" {value}")).unwrap_or_default();
            let again = if flag.is_repeated { " ..." } else { "" };
            entry(&mut text, &format!("  --{}{value}{again}", flag.name), flag.help);
        }
        entry(&mut text, "  -h, --help", "Show this help.");
    }
    text.push('\n');
    text.push_str(&exits(command.exits));
    text
}

fn exits(more: &[(u8, &str)]) -> String {
    let mut text = String::from("exit status:\n");
    let failed = "failed; the reason is on standard error";
    let mut all = vec![(0, "done"), (1, failed), (Failure::USAGE_STATUS, "invalid command line")];
    all.extend(more);
    all.sort_by_key(|(status, _)| *status);
    let mut last = None;
    for (status, meaning) in all {
        let shown = if last.replace(status) == Some(status) { "   or".to_owned() } else { format!("{status} ") };
        let _ = writeln!(text, "  {shown} {meaning}");
    }
    text
}

/// One flag and its description, wrapped.
fn entry(text: &mut String, left: &str, sentences: &str) {
    text.push_str(left);
    let mut column = left.chars().count();
    if column + 2 > SENTENCES {
        text.push('\n');
        column = 0;
    }
    wrap(text, column, SENTENCES, sentences);
}

/// Wraps words from `column` on; each further line begins at `start`.
fn wrap(text: &mut String, mut column: usize, start: usize, sentences: &str) {
    let mut blanks = start - column;
    for word in sentences.split_ascii_whitespace() {
        let width = word.chars().count();
        if column + blanks + width > COLUMNS {
            text.push('\n');
            (column, blanks) = (0, start);
        }
        text.extend(std::iter::repeat_n(' ', blanks));
        text.push_str(word);
        column += blanks + width;
        blanks = 1;
    }
    text.push('\n');
}
