//! Cost gates: exact counts of what a scrape costs, compared with a checked-in budget.
//!
//! The counts do not depend on the machine: file accesses, bytes, memory, page size, and latency on a virtual clock.
//! System calls and instructions are counted if strace and valgrind are installed, and reported as skipped otherwise.

pub mod budget;
pub mod figure;
mod latency;
mod memory;
pub mod outside;

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use budget::{Figures, Key};
use figure::Figure;

use crate::meter::{Ask, Meter};
use crate::subject::{self, Subject};

/// Measured figures, and those that were skipped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// The measured figures.
    pub figures: Figures,
    /// Skipped figures with the reason; each is a figure's name or the part of it before the dot.
    pub skipped: Vec<(String, String)>,
}

impl Measured {
    /// Records a figure of a host.
    pub fn set(&mut self, subject: &str, figure: Figure, value: impl TryInto<u64>) {
        self.set_named(subject, figure.name.to_owned(), value);
    }

    pub(crate) fn set_named(&mut self, subject: &str, name: String, value: impl TryInto<u64>) {
        self.figures.insert((subject.to_owned(), name), value.try_into().unwrap_or(u64::MAX));
    }

    /// The union of two measurements.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.figures.extend(other.figures);
        self.skipped.extend(other.skipped);
        self
    }

    fn is_skipped(&self, name: &str) -> bool {
        let is_of = |part: &str| name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.skipped.iter().any(|(part, _)| is_of(part))
    }
}

/// Measures what every system can count. The program must count its allocations, and no other thread may be active.
pub fn counted() -> io::Result<Measured> {
    let mut measured = Measured::default();
    for subject in Subject::all()? {
        files(&subject, &mut measured)?;
        memory::measure(&subject, &mut measured)?;
    }
    memory::each_collector(&mut measured)?;
    latency::measure(&mut measured)?;
    Ok(measured)
}

/// File accesses, bytes and page size.
fn files(subject: &Subject, measured: &mut Measured) -> io::Result<()> {
    let mut meter = None;
    let scraper = subject.scraper(|roots| meter.insert(Meter::new(&roots)).roots())?;
    let meter = meter.unwrap_or_else(|| Meter::new(&subject.roots()));
    let mut page = Vec::new();
    // The first scrape also does one-time reads.
    subject::scrape(&scraper, &mut page);
    meter.take();
    subject::scrape(&scraper, &mut page);
    let asked = meter.take();
    let name = &subject.name;
    for (figure, ask) in [
        (figure::READS, Ask::Read),
        (figure::LISTS, Ask::List),
        (figure::LINKS, Ask::Link),
        (figure::METADATA, Ask::Metadata),
    ] {
        measured.set(name, figure, asked.count(ask));
    }
    measured.set(name, figure::READS_AGAIN, asked.repeated(Ask::Read));
    measured.set(name, figure::READ_BYTES, asked.read_bytes);
    measured.set(name, figure::PAGE_BYTES, page.len());
    measured.set(name, figure::PAGE_SAMPLES, subject::samples(&page));
    Ok(())
}

/// Relation of a figure to its budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Within the tolerance.
    Kept,
    /// Above the budget.
    Over,
    /// Below the budget, which then has to be lowered.
    Under,
}

/// A figure with its budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Host and name of the figure.
    pub key: Key,
    /// The measured value.
    pub measured: u64,
    /// The value in the budget.
    pub budget: u64,
    /// Relation of the two.
    pub standing: Standing,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((subject, name), measured, budget) = (&self.key, self.measured, self.budget);
        let word = match self.standing {
            Standing::Kept => "",
            Standing::Over => "  OVER",
            Standing::Under => "  under",
        };
        write!(f, "{subject:14} {name:28} {measured:>12} of {budget:>12}{word}")
    }
}

/// Compares every figure that was measured or is in the budget, except skipped ones.
pub fn compare(measured: &Measured, budget: &Figures) -> Vec<Line> {
    let keys: BTreeSet<&Key> = measured.figures.keys().chain(budget.keys()).collect();
    let lines = keys.into_iter().filter_map(|key| {
        let found = measured.figures.get(key).copied();
        if found.is_none() && measured.is_skipped(&key.1) {
            return None;
        }
        let (found, allowed) = (found.unwrap_or(0), budget.get(key).copied().unwrap_or(0));
        let tolerance = figure::of(&key.1).map_or(figure::Tolerance::Exact, |figure| figure.tolerance);
        let range = tolerance.range(allowed);
        let standing = match found {
            found if found > *range.end() => Standing::Over,
            found if found < *range.start() => Standing::Under,
            _ => Standing::Kept,
        };
        Some(Line { key: key.clone(), measured: found, budget: allowed, standing })
    });
    lines.collect()
}

/// The budget updated from the measurement; skipped figures keep their value.
pub fn accepted(measured: &Measured, budget: &Figures) -> Figures {
    let kept = budget.iter().filter(|((_, name), _)| measured.is_skipped(name));
    let kept = kept.map(|(key, value)| (key.clone(), *value));
    // A figure within its tolerance keeps its value, so that noise causes no diff.
    let lines = compare(measured, budget).into_iter();
    let figures =
        lines.map(|line| (line.key, if line.standing == Standing::Kept { line.budget } else { line.measured }));
    kept.chain(figures).collect()
}

/// The report on figures that differ from the budget; `None` if there are none.
pub fn complaint(lines: &[Line]) -> Option<String> {
    let off: Vec<String> =
        lines.iter().filter(|line| line.standing != Standing::Kept).map(|line| format!("  {line}\n")).collect();
    (!off.is_empty()).then(|| {
        format!(
            "different from harness/budget.txt:\n{}if intended, run: cargo run -p harness -- gates --accept\n",
            off.concat()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(measured: &[(&str, u64)], skipped: &[&str], budget: &str, expected: &[(&str, Standing)], accepts: &str) {
        let mut found = Measured::default();
        for (name, value) in measured {
            found.set_named("vm", (*name).to_owned(), *value);
        }
        found.skipped.extend(skipped.iter().map(|&name| (name.to_owned(), "not here".to_owned())));
        let budget = budget::parse(budget).expect("a budget");
        let lines = compare(&found, &budget);
        let standings: Vec<_> = lines.iter().map(|line| (line.key.1.as_str(), line.standing)).collect();
        assert_eq!(standings, expected);
        assert_eq!(complaint(&lines).is_none(), expected.iter().all(|(_, standing)| *standing == Standing::Kept));
        let text = budget::write(&accepted(&found, &budget));
        let lines: String = text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
        assert_eq!(lines, accepts);
    }

    #[test]
    fn higher_and_lower_figures_are_reported() {
        check(&[("reads", 5)], &[], "vm reads 5\n", &[("reads", Standing::Kept)], "vm reads 5\n");
        check(&[("reads", 6)], &[], "vm reads 5\n", &[("reads", Standing::Over)], "vm reads 6\n");
        check(&[("reads", 4)], &[], "vm reads 5\n", &[("reads", Standing::Under)], "vm reads 4\n");
    }

    #[test]
    fn missing_figures_count_as_zero() {
        check(&[("reads", 1)], &[], "", &[("reads", Standing::Over)], "vm reads 1\n");
        check(&[("reads", 0)], &[], "", &[("reads", Standing::Kept)], "");
        check(&[], &[], "vm reads 1\n", &[("reads", Standing::Under)], "");
    }

    #[test]
    fn skipped_figures_keep_their_budget() {
        let budget = "vm instructions.release 9\nvm syscalls.read 5\n";
        check(&[], &["syscalls", "instructions"], budget, &[], budget);
        check(&[], &["instructions"], budget, &[("syscalls.read", Standing::Under)], "vm instructions.release 9\n");
    }

    #[test]
    fn figures_within_the_tolerance_keep_their_budget() {
        for (found, standing, accepts) in [
            (979, Standing::Under, "vm peak_bytes 979\n"),
            (980, Standing::Kept, "vm peak_bytes 1000\n"),
            (1_020, Standing::Kept, "vm peak_bytes 1000\n"),
            (1_021, Standing::Over, "vm peak_bytes 1021\n"),
        ] {
            check(&[("peak_bytes", found)], &[], "vm peak_bytes 1000\n", &[("peak_bytes", standing)], accepts);
        }
    }
}
