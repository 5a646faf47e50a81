//! The budget: a text file with one figure per line, written by `nodelab gates --accept` only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::figure;
use crate::load;

/// Host and name of a figure, as in `vm reads`.
pub type Key = (String, String);

/// Figures by host and name; a missing one is zero.
pub type Figures = BTreeMap<Key, u64>;

const HEAD: &str = "\
# What a scrape may cost: host, figure, value. What is not listed is 0.
# Written by `cargo run -p harness -- gates --accept`; docs/HARNESS.md tells more.
";

/// Path of the workspace's budget.
pub fn path() -> PathBuf {
    load::workspace().join("harness/budget.txt")
}

/// Reads the workspace's budget.
pub fn read() -> io::Result<Figures> {
    let path = path();
    let text = String::from_utf8_lossy(&load::bytes(&path)?).into_owned();
    parse(&text).map_err(|error| io::Error::other(format!("{}:{error}", path.display())))
}

/// Parses a budget; the error begins with the line number.
pub fn parse(text: &str) -> Result<Figures, String> {
    let mut figures = Figures::new();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in lines {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [subject, name, value] = fields[..] else {
            return Err(format!("{number}: expected host, figure and value, found `{line}`"));
        };
        let known = || figure::ALL.iter().map(|figure| figure.name);
        if figure::of(name).is_none() {
            let near = collectors::kit::nearest::among(name, known());
            let near =
                near.map_or_else(|| known().collect::<Vec<_>>().join(", "), |near| format!("did you mean {near}?"));
            return Err(format!("{number}: unknown figure `{name}`; {near}"));
        }
        let value = value.parse().map_err(|_| format!("{number}: expected an unsigned integer, found `{value}`"))?;
        let key = (subject.to_owned(), name.to_owned());
        if figures.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(format!("{number}: `{subject} {name}` is out of order; run gates --accept"));
        }
        figures.insert(key, value);
    }
    Ok(figures)
}

/// Formats a budget.
pub fn write(figures: &Figures) -> String {
    let mut text = String::from(HEAD);
    for ((subject, name), value) in figures.iter().filter(|(_, value)| **value > 0) {
        let _ = writeln!(text, "{subject} {name} {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<usize, &str>) {
        let found = parse(text);
        assert_eq!(found.as_ref().map(Figures::len).map_err(String::as_str), expected);
    }

    #[test]
    fn a_written_budget_is_parsed() {
        check("# x\n\na reads 1\nb reads 0\nb syscalls.read 3\n", Ok(3));
        let text = format!("{HEAD}a reads 1\nb syscalls.read 3\n");
        assert_eq!(write(&parse(&text).expect("a budget")), text);
    }

    #[test]
    fn an_invalid_line_is_refused_with_its_number() {
        check("a reads\n", Err("1: expected host, figure and value, found `a reads`"));
        check("#\na reeds 1\n", Err("2: unknown figure `reeds`; did you mean reads?"));
        check("a reads many\n", Err("1: expected an unsigned integer, found `many`"));
        check("a reads -1\n", Err("1: expected an unsigned integer, found `-1`"));
        check("b reads 1\na reads 1\n", Err("2: `a reads` is out of order; run gates --accept"));
        check("a reads 1\na reads 1\n", Err("2: `a reads` is out of order; run gates --accept"));
    }
}
