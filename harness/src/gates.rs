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
pub use memory::most_allocations;

use crate::meter::{Meter, Operation};
use crate::scrape_target::{self, ScrapeTarget};

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
    pub fn set(&mut self, target: &str, figure: Figure, value: impl TryInto<u64>) {
        self.set_named(target, figure.name.to_owned(), value);
    }

    pub(crate) fn set_named(&mut self, target: &str, name: String, value: impl TryInto<u64>) {
        self.figures.insert((target.to_owned(), name), value.try_into().unwrap_or(u64::MAX));
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
    for target in ScrapeTarget::all()? {
        files(&target, &mut measured)?;
        memory::measure(&target, &mut measured)?;
    }
    memory::each_collector(&mut measured)?;
    latency::measure(&mut measured)?;
    Ok(measured)
}

/// File accesses, bytes and page size.
fn files(target: &ScrapeTarget, measured: &mut Measured) -> io::Result<()> {
    let mut meter = None;
    let scraper = target.scraper(|roots| meter.insert(Meter::new(&roots)).roots())?;
    let meter = meter.unwrap_or_else(|| Meter::new(&target.roots()));
    let mut page = Vec::new();
    // The first scrape also does one-time reads.
    scrape_target::scrape(&scraper, &mut page);
    meter.take();
    scrape_target::scrape(&scraper, &mut page);
    let asked = meter.take();
    let name = &target.name;
    for (figure, ask) in [
        (figure::READS, Operation::Read),
        (figure::LISTS, Operation::List),
        (figure::LINKS, Operation::Link),
        (figure::METADATA, Operation::Metadata),
    ] {
        measured.set(name, figure, asked.count(ask));
    }
    measured.set(name, figure::READS_AGAIN, asked.repeated(Operation::Read));
    measured.set(name, figure::READ_BYTES, asked.read_bytes);
    measured.set(name, figure::PAGE_BYTES, page.len());
    measured.set(name, figure::PAGE_SAMPLES, scrape_target::samples(&page));
    Ok(())
}

/// Relation of a figure to its budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Within the tolerance.
    Kept,
    /// Above the budget.
    Over,
    /// Below the budget, which then has to be lowered.
    Under,
}

/// A figure with its budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetLine {
    /// Host and name of the figure.
    pub key: Key,
    /// The measured value.
    pub measured: u64,
    /// The value in the budget.
    pub budget: u64,
    /// Relation of the two.
    pub standing: Verdict,
}

impl fmt::Display for BudgetLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((target, name), measured, budget) = (&self.key, self.measured, self.budget);
        let word = match self.standing {
            Verdict::Kept => "",
            Verdict::Over => "  OVER",
            Verdict::Under => "  under",
        };
        write!(f, "{target:14} {name:28} {measured:>12} of {budget:>12}{word}")
    }
}

/// Compares every figure that was measured or is in the budget, except skipped ones.
pub fn compare(measured: &Measured, budget: &Figures) -> Vec<BudgetLine> {
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
            found if found > *range.end() => Verdict::Over,
            found if found < *range.start() => Verdict::Under,
            _ => Verdict::Kept,
        };
        Some(BudgetLine { key: key.clone(), measured: found, budget: allowed, standing })
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
        lines.map(|line| (line.key, if line.standing == Verdict::Kept { line.budget } else { line.measured }));
    kept.chain(figures).collect()
}

/// The report on figures that differ from the budget; `None` if there are none.
pub fn complaint(lines: &[BudgetLine]) -> Option<String> {
    let off: Vec<String> =
        lines.iter().filter(|line| line.standing != Verdict::Kept).map(|line| format!("  {line}\n")).collect();
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
    fn check(measured: &[(&str, u64)], skipped: &[&str], budget: &str, expected: &[(&str, Verdict)], accepts: &str) {
        let mut found = Measured::default();
        for (name, value) in measured {
            found.set_named("vm", (*name).to_owned(), *value);
        }
        found.skipped.extend(skipped.iter().map(|&name| (name.to_owned(), "not here".to_owned())));
        let budget = budget::parse(budget).expect("a budget");
        let lines = compare(&found, &budget);
        let standings: Vec<_> = lines.iter().map(|line| (line.key.1.as_str(), line.standing)).collect();
        assert_eq!(standings, expected);
        assert_eq!(complaint(&lines).is_none(), expected.iter().all(|(_, standing)| *standing == Verdict::Kept));
        let text = budget::write(&accepted(&found, &budget));
        let lines: String = text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
        assert_eq!(lines, accepts);
    }

    #[test]
    fn higher_and_lower_figures_are_reported() {
        check(&[("reads", 5)], &[], "vm reads 5\n", &[("reads", Verdict::Kept)], "vm reads 5\n");
        check(&[("reads", 6)], &[], "vm reads 5\n", &[("reads", Verdict::Over)], "vm reads 6\n");
        check(&[("reads", 4)], &[], "vm reads 5\n", &[("reads", Verdict::Under)], "vm reads 4\n");
    }

    #[test]
    fn missing_figures_count_as_zero() {
        check(&[("reads", 1)], &[], "", &[("reads", Verdict::Over)], "vm reads 1\n");
        check(&[("reads", 0)], &[], "", &[("reads", Verdict::Kept)], "");
        check(&[], &[], "vm reads 1\n", &[("reads", Verdict::Under)], "");
    }

    #[test]
    fn skipped_figures_keep_their_budget() {
        let budget = "vm instructions.release 9\nvm syscalls.read 5\n";
        check(&[], &["syscalls", "instructions"], budget, &[], budget);
        check(&[], &["instructions"], budget, &[("syscalls.read", Verdict::Under)], "vm instructions.release 9\n");
    }

    #[test]
    fn figures_within_the_tolerance_keep_their_budget() {
        for (found, standing, accepts) in [
            (979, Verdict::Under, "vm peak_bytes 979\n"),
            (980, Verdict::Kept, "vm peak_bytes 1000\n"),
            (1_020, Verdict::Kept, "vm peak_bytes 1000\n"),
            (1_021, Verdict::Over, "vm peak_bytes 1021\n"),
        ] {
            check(&[("peak_bytes", found)], &[], "vm peak_bytes 1000\n", &[("peak_bytes", standing)], accepts);
        }
    }
}
