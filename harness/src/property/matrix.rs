//! A table of every file of a host with every kind of fault, and its effect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::root::Roots;
use simulator::fault::Kind;

use super::laws::page;
use super::{Exporter, Opened, Violation};
use crate::faults::FaultEffect;
use crate::faults::{Count, FaultyRoots};
use crate::meter::MountPath;

/// Result of one scrape.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Outcome {
    /// Its samples.
    pub samples: BTreeSet<String>,
    /// Number of duplicate samples, which are on the page once.
    pub duplicates: usize,
    /// Whether the collector reports success, if it does report.
    pub is_success: Option<bool>,
    /// Its messages.
    pub complaints: Vec<String>,
}

/// Something that scrapes a host with injected faults.
pub trait FaultTarget: Sized {
    /// Its name.
    fn name(&self) -> &str;

    /// The host's files.
    fn breakable(&self) -> &FaultyRoots;

    /// A copy of this host with a new scraper.
    #[must_use]
    fn restarted(&self) -> Self;

    /// Whether every fault is tested with a new scraper, not only faults of files that are read once.
    fn is_always_restarted(&self) -> bool;

    /// Scrapes once.
    fn scrape(&mut self) -> Result<Outcome, Violation>;

    /// The row of a path in the table; of several paths in one row, the worst effect is shown.
    fn row(&self, question: &MountPath) -> String;

    /// Checks one case.
    fn judge(&self, question: &MountPath, kind: &Kind, effect: FaultEffect, outcome: &Outcome);
}

/// A readable table of the effect of each fault, for a snapshot. The error is a law that a fault breaks.
pub fn matrix(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<String, Violation> {
    table(&mut OnHost::new(exporter, roots, kernel))
}

/// The table of anything that scrapes.
pub fn table(host: &mut impl FaultTarget) -> Result<String, Violation> {
    host.breakable().take_accesses();
    let sound = host.scrape()?;
    if sound.duplicates > 0 {
        return Err(unsteady(host, &format!("{} duplicate samples", sound.duplicates)));
    }
    let at_first = host.breakable().take_accesses();
    // A second time: kept state must not change the next page.
    is_sound(host, &sound, "two scrapes at the same simulated time differ")?;
    let again = host.breakable().take_accesses();
    let all: BTreeMap<&MountPath, Count> =
        at_first.iter().chain(&again).map(|(question, count)| (question, *count)).collect();
    let mut rows = BTreeMap::new();
    for (question, count) in all {
        for kind in count.kinds() {
            let is_anew = host.is_always_restarted() || !again.contains_key(question);
            let mut restarted = is_anew.then(|| host.restarted());
            let broken = restarted.as_mut().unwrap_or(host);
            if let Some((effect, outcome)) = case(broken, &sound, question, &kind)? {
                let worst = rows.entry((host.row(question), kind)).or_insert((effect, outcome.clone()));
                if effect > worst.0 {
                    *worst = (effect, outcome);
                }
            }
        }
    }
    host.breakable().clear();
    is_sound(host, &sound, "a removed fault still affects the page")?;
    Ok(text(&sound, rows))
}

/// One fault of one path. A delay costs time only and has no row.
fn case(
    host: &mut impl FaultTarget,
    sound: &Outcome,
    question: &MountPath,
    kind: &Kind,
) -> Result<Option<(FaultEffect, Outcome)>, Violation> {
    host.breakable().inject(question, kind.clone());
    let begin = host.breakable().clock.now();
    let outcome = host.scrape()?;
    let effect = FaultEffect::between(&sound.samples, &outcome.samples);
    host.judge(question, kind, effect, &outcome);
    let Kind::Slow(time) = *kind else { return Ok(Some((effect, outcome))) };
    if outcome != *sound || host.breakable().clock.now() < begin + time {
        return Err(unsteady(host, &format!("{}: the page changed, or no time passed", question.broken(kind.clone()))));
    }
    Ok(None)
}

fn is_sound(host: &mut impl FaultTarget, sound: &Outcome, problem: &str) -> Result<(), Violation> {
    if host.scrape()? == *sound { Ok(()) } else { Err(unsteady(host, problem)) }
}

fn unsteady(host: &impl FaultTarget, problem: &str) -> Violation {
    Violation { law: "steady", exporter: host.name().to_owned(), problem: problem.to_owned() }
}

fn text(sound: &Outcome, rows: BTreeMap<(String, Kind), (FaultEffect, Outcome)>) -> String {
    let mut text = format!("{} samples when all is well\n", sound.samples.len());
    let mut last = String::new();
    for ((read, kind), (effect, outcome)) in rows {
        if read != last {
            let _ = write!(text, "\n{read}\n");
            last = read;
        }
        let word = outcome.is_success.map(|is_success| if is_success { "ok   " } else { "fail " });
        let complaint = outcome.complaints.first().map_or("", String::as_str);
        let _ = writeln!(text, "  {:<20}{}{effect}  {complaint}", kind.to_string(), word.unwrap_or_default());
    }
    text
}

/// An exporter on a host.
struct OnHost<'a> {
    exporter: &'a dyn Exporter,
    roots: &'a Roots,
    kernel: &'a Arc<dyn Kernel>,
    breakable: FaultyRoots,
    opened: Opened,
}

impl<'a> OnHost<'a> {
    fn new(exporter: &'a dyn Exporter, roots: &'a Roots, kernel: &'a Arc<dyn Kernel>) -> Self {
        let breakable = FaultyRoots::new(roots);
        let opened = exporter.open_broken(breakable.roots(), Arc::clone(kernel));
        Self { exporter, roots, kernel, breakable, opened }
    }
}

impl FaultTarget for OnHost<'_> {
    fn name(&self) -> &str {
        self.exporter.name()
    }

    fn breakable(&self) -> &FaultyRoots {
        &self.breakable
    }

    fn restarted(&self) -> Self {
        Self::new(self.exporter, self.roots, self.kernel)
    }

    /// Its counters survive scrapes.
    fn is_always_restarted(&self) -> bool {
        true
    }

    fn scrape(&mut self) -> Result<Outcome, Violation> {
        let page = page(self.exporter, &mut self.opened)?;
        let samples = page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        Ok(Outcome { samples, ..Outcome::default() })
    }

    fn row(&self, question: &MountPath) -> String {
        question.to_string()
    }

    /// A page without samples is valid as well.
    fn judge(&self, _: &MountPath, _: &Kind, _: FaultEffect, _: &Outcome) {}
}
