//! Results of a bench run, as text, Markdown and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Unit of a figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A ratio.
    Times,
    /// Time.
    Nanoseconds,
    /// Memory or a file size.
    Bytes,
    /// A count.
    Count,
}

impl Unit {
    /// A value with its unit, for people.
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

/// Goal of a figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bound {
    /// The value or less.
    AtMost(f64),
    /// The value or more.
    AtLeast(f64),
}

/// One figure with its goal.
#[derive(Clone, PartialEq, Debug)]
pub struct BenchRow {
    /// Name of the figure.
    pub figure: &'static str,
    /// Unit of the value.
    pub unit: Unit,
    /// The goal.
    pub bound: Bound,
    /// The measured value, or why there is none.
    pub value: Result<f64, String>,
    /// How the value was obtained.
    pub details: String,
}

impl BenchRow {
    /// The goal in words.
    pub fn goal(&self) -> String {
        match self.bound {
            Bound::AtMost(most) => format!("at most {}", self.unit.show(most)),
            Bound::AtLeast(least) => format!("at least {}", self.unit.show(least)),
        }
    }

    /// The measured value in words.
    pub fn measured(&self) -> String {
        self.value.as_ref().map_or_else(|why| format!("not measured: {why}"), |value| self.unit.show(*value))
    }

    /// Whether the goal is reached; `None` if nothing was measured.
    pub fn is_reached(&self) -> Option<bool> {
        let value = *self.value.as_ref().ok()?;
        Some(match self.bound {
            Bound::AtMost(most) => value <= most,
            Bound::AtLeast(least) => value >= least,
        })
    }

    /// The verdict in one word.
    pub fn verdict(&self) -> &'static str {
        match self.is_reached() {
            Some(true) => "reached",
            Some(false) => "not reached",
            None => "unknown",
        }
    }
}

/// Cost of one collector on a directory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CollectorCost {
    /// Name of the collector.
    pub name: &'static str,
    /// File accesses.
    pub reads: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Number of samples.
    pub samples: u64,
    /// CPU time.
    pub nanoseconds: f64,
    /// Time to open, read and close its files.
    pub baseline_nanoseconds: f64,
    /// Duration of the same collector of the peer, from its own metrics.
    pub peer_nanoseconds: Option<f64>,
    /// Instructions on a host in memory, if valgrind counted them.
    pub instructions: Option<u64>,
}

/// Cost of a scrape by host size.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SizeCost {
    /// Name of the host.
    pub host: String,
    /// Number of samples.
    pub samples: u64,
    /// Size of the page.
    pub page_bytes: u64,
    /// Time of a scrape.
    pub nanoseconds: f64,
    /// Time to read the files from memory without parsing them.
    pub baseline_nanoseconds: f64,
}

/// All results of a run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// Start of the run, in seconds since 1970.
    pub unix_seconds: u64,
    /// Environment of the run.
    pub about: Vec<(&'static str, String)>,
    /// The figures that have a goal.
    pub rows: Vec<BenchRow>,
    /// Cost by collector.
    pub collectors: Vec<CollectorCost>,
    /// Cost by host size.
    pub sizes: Vec<SizeCost>,
}

impl Report {
    /// The report as lines for a terminal.
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
            text.push_str(
                "\ncollector              reads  samples       time      baseline       peer  instructions\n",
            );
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
                time(cost.baseline_nanoseconds),
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

    /// The figures with goals as a Markdown table.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| figure | goal | measured | | details |\n|---|---|---|---|---|\n");
        for row in &self.rows {
            let (goal, measured, verdict) = (row.goal(), row.measured(), row.verdict());
            let cells = [row.figure, &goal, &measured, verdict, &row.details].map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    /// The report as JSON.
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
                "nanoseconds": cost.nanoseconds, "baseline_nanoseconds": cost.baseline_nanoseconds,
                "peer_nanoseconds": cost.peer_nanoseconds, "instructions": cost.instructions,
            })
        });
        let sizes = self.sizes.iter().map(|size| {
            json!({
                "host": size.host, "samples": size.samples, "page_bytes": size.page_bytes,
                "nanoseconds": size.nanoseconds, "baseline_nanoseconds": size.baseline_nanoseconds,
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

    pub(crate) fn row(bound: Bound, value: Result<f64, &str>) -> BenchRow {
        let (figure, details) = ("a | b", "sum of <this>".to_owned());
        BenchRow { figure, unit: Unit::Times, bound, value: value.map_err(str::to_owned), details }
    }

    #[test]
    fn values_are_shown_with_their_unit() {
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
    fn a_goal_is_an_upper_or_a_lower_bound() {
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
    fn a_report_is_printed_in_three_forms() {
        let rows = vec![row(Bound::AtMost(0.1), Ok(0.05)), row(Bound::AtMost(0.1), Err("no peer"))];
        let report = Report { rows, ..Report::default() };
        assert!(report.text().contains("at most 0.10 ×; 0.05 ×: reached\n  sum of <this>\n"), "{}", report.text());
        assert!(report.markdown().contains("| a \\| b | at most 0.10 × | not measured: no peer | unknown |"));
        let json = report.json();
        assert_eq!((&json["rows"][0]["value"], &json["rows"][1]["problem"]), (&json!(0.05), &json!("no peer")));
    }
}
