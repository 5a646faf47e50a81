//! History of bench runs: a file with one line of JSON per run.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::report::Report;
use crate::load;

/// Figures of one run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Entry {
    /// Start of the run, in seconds since 1970.
    pub unix_seconds: u64,
    /// The figures that have a goal, by name.
    pub values: BTreeMap<String, f64>,
}

impl Entry {
    /// The record of a run.
    pub fn of(report: &Report) -> Self {
        let rows = report.rows.iter();
        let values = rows.filter_map(|row| Some((row.figure.to_owned(), *row.value.as_ref().ok()?)));
        let values = values.filter(|(_, value)| value.is_finite());
        Self { unix_seconds: report.unix_seconds, values: values.collect() }
    }

    fn line(&self) -> String {
        format!("{}\n", json!({"unix_seconds": self.unix_seconds, "values": self.values}))
    }

    fn parse(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let unix_seconds = value["unix_seconds"].as_u64().ok_or("unix_seconds: expected a number")?;
        let values = value["values"].as_object().ok_or("values: expected an object")?;
        let number = |(name, value): (&String, &Value)| {
            let number = value.as_f64().ok_or_else(|| format!("{name}: expected a number, found {value}"))?;
            Ok((name.clone(), number))
        };
        Ok(Self { unix_seconds, values: values.iter().map(number).collect::<Result<_, String>>()? })
    }
}

/// Reads a history; the error begins with the line number.
pub fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| Entry::parse(line).map_err(|error| format!("{number}: {error}"))).collect()
}

/// Appends a run to the file, which is created if missing, and returns all runs.
pub fn append(path: &Path, entry: &Entry) -> io::Result<Vec<Entry>> {
    let mut text = String::new();
    if load::exists(path) {
        text = String::from_utf8(load::bytes(path)?)
            .map_err(|_| io::Error::other(format!("{}: no UTF-8", path.display())))?;
    }
    let mut entries = parse(&text).map_err(|error| io::Error::other(format!("{}:{error}", path.display())))?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&entry.line());
    load::write(path, text.as_bytes())?;
    entries.push(entry.clone());
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_appended() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.jsonl");
        let run = |unix_seconds, value| Entry { unix_seconds, values: BTreeMap::from([("a".to_owned(), value)]) };
        assert_eq!(append(&path, &run(1, 0.5)).expect("a history"), [run(1, 0.5)]);
        assert_eq!(append(&path, &run(2, 0.25)).expect("a history"), [run(1, 0.5), run(2, 0.25)]);
    }

    #[test]
    fn a_malformed_history_is_refused_with_its_line_and_not_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.jsonl");
        for (text, expected) in [
            ("{}\n", "1: unix_seconds: expected a number"),
            ("\n{\"unix_seconds\":1}\n", "2: values: expected an object"),
            ("{\"unix_seconds\":1,\"values\":{\"a\":\"b\"}}", "1: a: expected a number, found \"b\""),
        ] {
            load::write(&path, text.as_bytes()).expect("a file");
            let error = append(&path, &Entry::default()).expect_err("no history").to_string();
            assert!(error.ends_with(expected), "{error}");
            assert_eq!(load::bytes(&path).expect("the file"), text.as_bytes());
        }
    }
}
