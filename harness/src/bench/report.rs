//! What a bench run found, and how it is told: as text, Markdown and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What a number is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// So many times something else.
    Times,
    /// Time.
    Nanoseconds,
    /// Memory, or a file's size.
    Bytes,
    /// Things.
    Count,
}

impl Unit {
    /// A number with its unit, as people read it.
    pub fn show(self, value: f64) -> String {
        let scaled = |steps: &[(f64, &str)]| {
            let (scale, unit) =
                steps.iter().find(|(scale, _)| value >= *scale).or(steps.last()).copied().unwrap_or((1.0, ""));
            let digits = usize::from(value / scale < 100.0);
            format!("{:.digits$} {unit}", value / scale)
        };
        match self {
            Self::Times => format!("{value:.2} ×"),
            Self::Count => format!("{value:.0}"),
            Self::Nanoseconds => scaled(&[(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")]),
            Self::Bytes => scaled(&[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")]),
        }
    }
}

/// What a figure should be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// One figure with its goal.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What was measured.
    pub figure: &'static str,
    /// In which unit.
    pub unit: Unit,
    /// What it should be.
    pub bound: Bound,
    /// What was found, or why nothing was.
    pub value: Result<f64, String>,
    /// What it is made of.
    pub details: String,
}

impl Row {
    /// What it should be, in words.
    pub fn goal(&self) -> String {
        match self.bound {
            Bound::AtMost(most) => format!("at most {}", self.unit.show(most)),
            Bound::AtLeast(least) => format!("at least {}", self.unit.show(least)),
        }
    }

    /// What was found, in words.
    pub fn measured(&self) -> String {
        self.value.as_ref().map_or_else(|why| format!("not measured: {why}"), |value| self.unit.show(*value))
    }

    /// Whether it is as it should be; `None` if nobody knows.
    pub fn is_reached(&self) -> Option<bool> {
        let value = *self.value.as_ref().ok()?;
        Some(match self.bound {
            Bound::AtMost(most) => value <= most,
            Bound::AtLeast(least) => value >= least,
        })
    }

    /// The verdict in a word.
    pub fn verdict(&self) -> &'static str {
        match self.is_reached() {
            Some(true) => "reached",
            Some(false) => "not reached",
            None => "unknown",
        }
    }
}

/// What one collector costs over a directory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CollectorCost {
    /// Its name.
    pub name: &'static str,
    /// Questions to files.
    pub reads: u64,
    /// Bytes of all files.
    pub read_bytes: u64,
    /// Its samples.
    pub samples: u64,
    /// Its time on a processor.
    pub nanoseconds: f64,
    /// The time that opening, reading and closing its files takes.
    pub floor_nanoseconds: f64,
    /// What the peer says that the same collector takes there.
    pub peer_nanoseconds: Option<f64>,
    /// Its instructions over a host in memory, where valgrind counts them.
    pub instructions: Option<u64>,
}

/// What a scrape of a host of some size costs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SizeCost {
    /// The host.
    pub host: String,
    /// Its samples.
    pub samples: u64,
    /// Its page.
    pub page_bytes: u64,
    /// The time of a scrape.
    pub nanoseconds: f64,
    /// The time that reading its files from memory takes, without doing anything with them.
    pub floor_nanoseconds: f64,
}

/// Everything that a run found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// When, in seconds since 1970.
    pub unix_seconds: u64,
    /// Where, and with what.
    pub about: Vec<(&'static str, String)>,
    /// The figures that have a goal.
    pub rows: Vec<Row>,
    /// Cost by collector.
    pub collectors: Vec<CollectorCost>,
    /// Cost by size.
    pub sizes: Vec<SizeCost>,
}

impl Report {
    /// As lines for a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (what, value) in &self.about {
            let _ = writeln!(text, "{what}: {value}");
        }
        for row in &self.rows {
            let _ = writeln!(text, "\n{}\n  {}; {}: {}", row.figure, row.goal(), row.measured(), row.verdict());
            if !row.details.is_empty() {
                let _ = writeln!(text, "  {}", row.details);
            }
        }
        if !self.collectors.is_empty() {
            text.push_str("\ncollector              reads  samples       time      floor       peer  instructions\n");
        }
        for cost in &self.collectors {
            let time = |value: f64| Unit::Nanoseconds.show(value);
            let _ = writeln!(
                text,
                "{:20} {:>7} {:>8} {:>10} {:>10} {:>10} {:>13}",
                cost.name,
                cost.reads,
                cost.samples,
                time(cost.nanoseconds),
                time(cost.floor_nanoseconds),
                cost.peer_nanoseconds.map(time).unwrap_or_default(),
                cost.instructions.map(|count| count.to_string()).unwrap_or_default(),
            );
        }
        if !self.sizes.is_empty() {
            text.push_str("\nhost                                samples       page       time  a sample\n");
        }
        for size in &self.sizes {
            let _ = writeln!(
                text,
                "{:32} {:>10} {:>10} {:>10} {:>9}",
                size.host,
                size.samples,
                Unit::Bytes.show(size.page_bytes as f64),
                Unit::Nanoseconds.show(size.nanoseconds),
                Unit::Nanoseconds.show(size.nanoseconds / size.samples.max(1) as f64),
            );
        }
        text
    }

    /// The figures with goals as a table of Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| figure | goal | measured | | made of |\n|---|---|---|---|---|\n");
        for row in &self.rows {
            let (goal, measured, verdict) = (row.goal(), row.measured(), row.verdict());
            let cells = [row.figure, &goal, &measured, verdict, &row.details].map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    /// All of it as JSON.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "figure": row.figure, "goal": row.goal(), "value": row.value.as_ref().ok(),
                "problem": row.value.as_ref().err(), "is_reached": row.is_reached(), "details": row.details,
            })
        });
        let collectors = self.collectors.iter().map(|cost| {
            json!({
                "name": cost.name, "reads": cost.reads, "read_bytes": cost.read_bytes, "samples": cost.samples,
                "nanoseconds": cost.nanoseconds, "floor_nanoseconds": cost.floor_nanoseconds,
                "peer_nanoseconds": cost.peer_nanoseconds, "instructions": cost.instructions,
            })
        });
        let sizes = self.sizes.iter().map(|size| {
            json!({
                "host": size.host, "samples": size.samples, "page_bytes": size.page_bytes,
                "nanoseconds": size.nanoseconds, "floor_nanoseconds": size.floor_nanoseconds,
            })
        });
        let about = self.about.iter().map(|(what, value)| ((*what).to_owned(), json!(value)));
        json!({
            "unix_seconds": self.unix_seconds, "about": Value::Object(about.collect()),
            "rows": rows.collect::<Vec<_>>(), "collectors": collectors.collect::<Vec<_>>(),
            "sizes": sizes.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn row(bound: Bound, value: Result<f64, &str>) -> Row {
        let (figure, details) = ("a | b", "made of <this>".to_owned());
        Row { figure, unit: Unit::Times, bound, value: value.map_err(str::to_owned), details }
    }

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        for (unit, value, expected) in [
            (Unit::Times, 0.085, "0.09 ×"),
            (Unit::Nanoseconds, 24.96, "25.0 ns"),
            (Unit::Nanoseconds, 999_999.0, "1000 µs"),
            (Unit::Nanoseconds, 8_000_000.0, "8.0 ms"),
            (Unit::Bytes, 6_000_000.0, "6.0 MB"),
            (Unit::Bytes, 0.0, "0.0 B"),
            (Unit::Count, 12.0, "12"),
        ] {
            assert_eq!(unit.show(value), expected);
        }
    }

    #[test]
    fn a_goal_is_reached_on_its_own_side() {
        for (bound, value, expected) in [
            (Bound::AtMost(0.1), Ok(0.1), "reached"),
            (Bound::AtMost(0.1), Ok(0.101), "not reached"),
            (Bound::AtLeast(10.0), Ok(10.0), "reached"),
            (Bound::AtLeast(10.0), Ok(9.9), "not reached"),
            (Bound::AtLeast(10.0), Err("no peer"), "unknown"),
            (Bound::AtMost(10.0), Ok(f64::NAN), "not reached"),
        ] {
            assert_eq!(row(bound, value).verdict(), expected, "{bound:?} {value:?}");
        }
    }

    #[test]
    fn a_report_is_told_in_three_ways() {
        let rows = vec![row(Bound::AtMost(0.1), Ok(0.05)), row(Bound::AtMost(0.1), Err("no peer"))];
        let report = Report { rows, ..Report::default() };
        assert!(report.text().contains("at most 0.10 ×; 0.05 ×: reached\n  made of <this>\n"), "{}", report.text());
        assert!(report.markdown().contains("| a \\| b | at most 0.10 × | not measured: no peer | unknown |"));
        let json = report.json();
        assert_eq!((&json["rows"][0]["value"], &json["rows"][1]["problem"]), (&json!(0.05), &json!("no peer")));
    }
}
