//! Differences as text in diff form, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::known::Sorted;
use super::{Difference, What};

/// Result of a comparison on one host.
#[derive(Debug)]
pub struct Compared<'a> {
    /// The host, profile or pair of files.
    pub place: String,
    /// Number of families that both pages have.
    pub families: usize,
    /// The differences.
    pub sorted: Sorted<'a>,
}

impl Compared<'_> {
    /// Whether every difference is known.
    pub fn is_explained(&self) -> bool {
        self.sorted.unknown.is_empty() && self.sorted.stale.is_empty()
    }
}

/// Form of the text output.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether to use terminal colours.
    pub is_colored: bool,
    /// Whether to show known differences.
    pub has_known: bool,
}

const RED: &str = "31";
const GREEN: &str = "32";
const BOLD: &str = "1";
const DIM: &str = "2";

impl Look {
    fn paint(self, color: &str, text: &str) -> String {
        if self.is_colored { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The differences family by family, with a summary.
pub fn text(compared: &Compared<'_>, look: Look) -> String {
    let Compared { place, families, sorted } = compared;
    let mut text = String::new();
    alone(&mut text, look, compared);
    let mut family = "";
    for difference in sorted.unknown.iter().filter(|difference| difference.what != What::Family) {
        if difference.family != family {
            family = &difference.family;
            let _ = writeln!(text, "{}", look.paint(BOLD, &format!("{place}: {family}")));
        }
        line(&mut text, look, difference);
    }
    if look.has_known {
        let mut reason = "";
        for (difference, row) in &sorted.known {
            if row.reason != reason {
                reason = &row.reason;
                let _ = writeln!(text, "{}", look.paint(DIM, &format!("{place}: known: {reason}")));
            }
            line(&mut text, look, difference);
        }
    }
    for row in &sorted.stale {
        let _ = writeln!(text, "{place}: listed as known, but matches nothing: `{}`", row.pattern);
    }
    let counts = What::ALL.into_iter().map(|what| (what, count(&sorted.unknown, what)));
    let counts: Vec<String> =
        counts.filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} by {}", what.word())).collect();
    let found = match counts.as_slice() {
        [] => "nothing differs".to_owned(),
        counts => format!("{} lines differ: {}", sorted.unknown.len(), counts.join(", ")),
    };
    let known = match sorted.known.len() {
        0 => String::new(),
        count => format!("; {count} lines differ as known"),
    };
    let _ = writeln!(text, "{place}: {families} families compared, {found}{known}");
    text
}

/// The families that only one page has, grouped by page.
fn alone(text: &mut String, look: Look, compared: &Compared<'_>) {
    for (sign, whose) in [('-', "theirs"), ('+', "ours")] {
        let is_own = |difference: &&Difference| difference.what == What::Family && difference.sign == sign;
        let own: Vec<&Difference> = compared.sorted.unknown.iter().filter(is_own).collect();
        if !own.is_empty() {
            let title = format!("{}: families that only {whose} has: {}", compared.place, own.len());
            let _ = writeln!(text, "{}", look.paint(BOLD, &title));
            for difference in own {
                line(text, look, difference);
            }
        }
    }
}

fn line(text: &mut String, look: Look, difference: &Difference) {
    let color = if difference.sign == '-' { RED } else { GREEN };
    let _ = writeln!(text, "  {}", look.paint(color, &difference.to_string()));
}

fn count(differences: &[Difference], what: What) -> usize {
    differences.iter().filter(|difference| difference.what == what).count()
}

/// The differences as JSON.
pub fn json(compared: &Compared<'_>) -> Value {
    let Compared { place, families, sorted } = compared;
    let value = |difference: &Difference, reason: Option<&str>| {
        json!({
            "family": difference.family,
            "what": difference.what.word(),
            "side": if difference.sign == '-' { "theirs" } else { "ours" },
            "line": difference.line,
            "known": reason,
        })
    };
    let unknown = sorted.unknown.iter().map(|difference| value(difference, None));
    let known = sorted.known.iter().map(|(difference, row)| value(difference, Some(&row.reason)));
    json!({
        "place": place,
        "families": families,
        "differences": unknown.chain(known).collect::<Vec<_>>(),
        "stale": sorted.stale.iter().map(|row| row.pattern.as_str()).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::difference::known::Knowledge;

    const TABLE: &str = "| lines | where | reason |\n| `^c` | laptop | Because. |\n| `^d` | laptop | Once. |\n";

    #[track_caller]
    fn check(look: Look, expected: &str) {
        let knowledge = Knowledge::parse(TABLE).expect("a table");
        let difference = |what, sign, line: &str| {
            let family = line.split([' ', '{']).next().unwrap_or_default().to_owned();
            Difference { family, what, sign, line: line.to_owned() }
        };
        let differences = vec![
            difference(What::Family, '-', "z"),
            difference(What::Family, '+', "y"),
            difference(What::Family, '-', "x"),
            difference(What::Value, '-', "a 1"),
            difference(What::Value, '+', "a 2"),
            difference(What::Sample, '+', "b{x=\"1\"} 2"),
            difference(What::Sample, '-', "c 1"),
        ];
        let compared =
            Compared { place: "laptop".to_owned(), families: 7, sorted: knowledge.sort("laptop", differences) };
        assert!(!compared.is_explained());
        assert_eq!(text(&compared, look), expected);
        let value = json(&compared);
        assert_eq!(value["differences"][6]["known"], "Because.");
        assert_eq!(value["differences"][0]["side"], "theirs");
        assert_eq!(value["stale"], json!(["^d"]));
    }

    #[test]
    fn differences_are_grouped_by_family_and_counted() {
        let end = "laptop: listed as known, but matches nothing: `^d`\n\
            laptop: 7 families compared, 6 lines differ: 3 by family, 1 by sample, 2 by value; 1 lines differ as known\n";
        let plain = "laptop: families that only theirs has: 2\n  -z\n  -x\nlaptop: families that only ours has: 1\n  +y\n\
            laptop: a\n  -a 1\n  +a 2\nlaptop: b\n  +b{x=\"1\"} 2\n";
        check(Look { is_colored: false, has_known: false }, &format!("{plain}{end}"));
        let known = "laptop: known: Because.\n  -c 1\n";
        check(Look { is_colored: false, has_known: true }, &format!("{plain}{known}{end}"));
        let colored = "\u{1b}[1mlaptop: families that only theirs has: 2\u{1b}[0m\n  \u{1b}[31m-z\u{1b}[0m\n  \u{1b}[31m-x\u{1b}[0m\n\
            \u{1b}[1mlaptop: families that only ours has: 1\u{1b}[0m\n  \u{1b}[32m+y\u{1b}[0m\n\
            \u{1b}[1mlaptop: a\u{1b}[0m\n  \u{1b}[31m-a 1\u{1b}[0m\n  \u{1b}[32m+a 2\u{1b}[0m\n\
            \u{1b}[1mlaptop: b\u{1b}[0m\n  \u{1b}[32m+b{x=\"1\"} 2\u{1b}[0m\n";
        check(Look { is_colored: true, has_known: false }, &format!("{colored}{end}"));
    }
}
