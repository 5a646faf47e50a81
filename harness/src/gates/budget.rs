//! The budget: a text file of one figure a line, which only `nodelab gates --accept` writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::figure;
use crate::load;

/// A figure of a subject, as `vm reads`: the subject's name and the figure's.
pub type Key = (String, String);

/// Figures by what they are of. What is not among them is zero.
pub type Figures = BTreeMap<Key, u64>;

const HEAD: &str = "\
# What a scrape may cost: host, figure, value. What is not listed is 0.
# Written by `cargo run -p harness -- gates --accept`; docs/HARNESS.md tells more.
";

/// Where the workspace's budget is.
pub fn path() -> PathBuf {
    load::workspace().join("harness/budget.txt")
}

/// Reads the workspace's budget.
pub fn read() -> io::Result<Figures> {
    let path = path();
    let text = String::from_utf8_lossy(&load::bytes(&path)?).into_owned();
    parse(&text).map_err(|error| io::Error::other(format!("{}:{error}", path.display())))
}

/// Reads a budget; the error begins with the number of the line.
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
            return Err(format!("{number}: `{name}` is no figure; {near}"));
        }
        let value = value.parse().map_err(|_| format!("{number}: expected a whole number, found `{value}`"))?;
        let key = (subject.to_owned(), name.to_owned());
        if figures.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(format!("{number}: `{subject} {name}` is not after the line before it; run gates --accept"));
        }
        figures.insert(key, value);
    }
    Ok(figures)
}

/// The text of a budget.
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
    fn a_budget_is_read_as_it_is_written() {
        check("# x\n\na reads 1\nb reads 0\nb syscalls.read 3\n", Ok(3));
        let text = format!("{HEAD}a reads 1\nb syscalls.read 3\n");
        assert_eq!(write(&parse(&text).expect("a budget")), text);
    }

    #[test]
    fn what_is_no_budget_is_refused_with_its_line() {
        check("a reads\n", Err("1: expected host, figure and value, found `a reads`"));
        check("#\na reeds 1\n", Err("2: `reeds` is no figure; did you mean reads?"));
        check("a reads many\n", Err("1: expected a whole number, found `many`"));
        check("a reads -1\n", Err("1: expected a whole number, found `-1`"));
        check("b reads 1\na reads 1\n", Err("2: `a reads` is not after the line before it; run gates --accept"));
        check("a reads 1\na reads 1\n", Err("2: `a reads` is not after the line before it; run gates --accept"));
    }
}
