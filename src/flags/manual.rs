//! Text of `--help-man`: the manual page, in the macros of man(7).

use collectors::kit::declare::Registration;

use super::help;
use crate::version::{DATE, FOLLOWS, VERSION};

/// The whole page.
pub fn text(registrations: &[Registration]) -> String {
    let mut page = format!(
        ".TH NODE_EXPORTER 1 \"{DATE}\" \"node_exporter {VERSION}\" \"User Commands\"\n\
         .SH NAME\nnode_exporter \\- exporter of host metrics for Prometheus\n\
         .SH SYNOPSIS\n.B node_exporter\n.RI [ flags ]\n\
         .SH DESCRIPTION\nServes metrics of this host, or of a simulated or recorded one, over HTTP.\n\
         It takes the command line of node_exporter {FOLLOWS}.\n\
         An argument @FILE stands for the lines of that file.\n\
         .SH OPTIONS\n.ad l\n"
    );
    for flag in help::flags(registrations) {
        page.extend([".TP\n\\fB", &escaped(&flag.left), "\\fR\n"]);
        push_lines(&mut page, &flag.sentence);
    }
    page.push_str(
        ".SH EXIT STATUS\n0 after SIGTERM or SIGINT,\n1 if the command line, a file or an address is unusable.\n",
    );
    page
}

/// Where lines of the source end, with room for escapes.
const LINE_MAX_COLUMNS: usize = 60;

/// Appends a sentence in lines.
fn push_lines(page: &mut String, sentence: &str) {
    let mut line = String::new();
    for word in sentence.split_ascii_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > LINE_MAX_COLUMNS {
            page.extend([&escaped(&line), "\n"]);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    page.extend([&escaped(&line), "\n"]);
}

/// Text that roff prints as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '~' => escaped.push_str("\\(ti"),
            '^' => escaped.push_str("\\(ha"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            // At the beginning of a line it would be a request.
            '.' if at == 0 => escaped.push_str("\\&."),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;

    #[test]
    fn the_manual_has_every_flag_of_the_help() {
        let page = text(REGISTRATIONS);
        for expected in [
            ".TH NODE_EXPORTER 1 \"",
            ".TP\n\\fB\\-h, \\-\\-[no\\-]help\\fR\n",
            "\\fB\\-\\-collector.example.exclude=\"\\(ha\\e\\ed\\e\"$\"\\fR\nExamples to exclude.\n",
            "\\fB\\-\\-[no\\-]collector.quiet\\fR\nEnable the quiet collector",
        ] {
            assert!(page.contains(expected), "{expected}\nis not in\n{page}");
        }
        assert_eq!(page.matches("\n.TP\n").count(), help::flags(REGISTRATIONS).len());
        assert!(!page.contains("collector.example.secret"), "{page}");
    }

    #[test]
    fn letters_that_roff_reads_are_escaped() {
        assert_eq!(escaped(".a\\b 'c' `d` ~^"), "\\&.a\\eb \\(aqc\\(aq \\(gad\\(ga \\(ti\\(ha");
    }
}
