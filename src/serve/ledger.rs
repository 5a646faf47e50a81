//! How the collectors fared lately, for the status page.

use std::collections::BTreeMap;
use std::time::Duration;

use collectors::kit::declare::Declaration;
use collectors::kit::failure::Failure;
use collectors::kit::scraper::Report;

/// What "lately" is: so many scrapes.
const REMEMBERED: usize = 16;

/// How every collector fared.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: BTreeMap<&'static str, Entry>,
    /// When the last scrape ended, and how long it took.
    pub(super) last_scrape: Option<(Duration, Duration)>,
    pub(super) scrapes: u64,
}

/// How one collector fared.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) declaration: &'static Declaration,
    pub(super) health: Health,
    /// Why, where it is not well, and how many more reasons there are.
    why: Option<(Failure, usize)>,
    /// How much it emitted when it was last asked.
    pub(super) samples: usize,
    durations: [Duration; REMEMBERED],
    asked: usize,
}

/// In the order in which one wants to read of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Health {
    /// Something was broken or late.
    Failed,
    /// It counts as a success, with something to say.
    Noted,
    Well,
    /// This host has nothing of the kind.
    NoData,
    /// Nobody has asked.
    Unknown,
}

impl Ledger {
    pub(super) fn new(declarations: impl Iterator<Item = &'static Declaration>) -> Self {
        let entry = |declaration: &'static Declaration| Entry {
            declaration,
            health: Health::Unknown,
            why: None,
            samples: 0,
            durations: [Duration::ZERO; REMEMBERED],
            asked: 0,
        };
        let entries = declarations.map(|declaration| (declaration.name, entry(declaration))).collect();
        Self { entries, last_scrape: None, scrapes: 0 }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// A scrape began then and has ended.
    pub(super) fn scraped(&mut self, begin: Duration, end: Duration) {
        self.last_scrape = Some((end, end.saturating_sub(begin)));
        self.scrapes += 1;
    }

    /// A collector has come back, or is not waited for any more.
    pub(super) fn note(&mut self, report: &Report<'_>) {
        let Some(entry) = self.entries.get_mut(report.collector) else { return };
        if let Some(place) = entry.durations.get_mut(entry.asked % REMEMBERED) {
            *place = report.duration;
        }
        entry.asked += 1;
        entry.samples = report.samples;
        entry.why = None;
        entry.health = Health::Well;
        let shown = report.problems.shown();
        // What ended it says more than what it went on after.
        let Some(first) = report.failure.or(shown.first()) else { return };
        entry.health = match first {
            _ if report.is_success() => Health::Noted,
            Failure::NoData(_) if shown.is_empty() => Health::NoData,
            _ => Health::Failed,
        };
        let more = report.problems.count() - usize::from(report.failure.is_none());
        entry.why = Some((first.clone(), more));
    }
}

impl Entry {
    /// Why it is not well; nothing where it is.
    pub(super) fn reason(&self) -> String {
        match &self.why {
            None => String::new(),
            Some((first, 0)) => first.reason().to_string(),
            Some((first, more)) => format!("{} (and {more} more)", first.reason()),
        }
    }

    /// The mean of how long it took lately, and the longest.
    pub(super) fn durations(&self) -> (Duration, Duration) {
        let known = self.asked.min(REMEMBERED);
        let lately = || self.durations.iter().take(known);
        let mean = lately().sum::<Duration>().checked_div(u32::try_from(known).unwrap_or(0)).unwrap_or_default();
        (mean, lately().max().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;
    use collectors::kit::failure::Problems;

    fn ledger() -> Ledger {
        Ledger::new(REGISTRATIONS.iter().map(|registration| registration.declaration))
    }

    fn report<'a>(duration_milliseconds: u64, failure: Option<&'a Failure>, problems: &'a Problems) -> Report<'a> {
        let duration = Duration::from_millis(duration_milliseconds);
        Report { collector: "example", duration, failure, problems, samples: 7 }
    }

    #[track_caller]
    fn check(failure: Option<&Failure>, problems: &Problems, health: Health, reason: &str) {
        let mut ledger = ledger();
        ledger.note(&report(1, failure, problems));
        let entry = &ledger.entries["example"];
        assert_eq!((entry.health, entry.reason().as_str(), entry.samples), (health, reason, 7));
    }

    #[test]
    fn the_first_reason_is_told_and_the_others_are_counted() {
        let (mut none, mut noted, mut bad) = (Problems::default(), Problems::default(), Problems::default());
        none.clear();
        noted.note(Failure::error("odd"));
        bad.report(Failure::error("bad line"));
        bad.report(Failure::error("bad line too"));
        check(None, &none, Health::Well, "");
        check(None, &noted, Health::Noted, "odd");
        check(None, &bad, Health::Failed, "bad line (and 1 more)");
        check(Some(&Failure::error("late")), &none, Health::Failed, "late");
        check(Some(&Failure::no_data("no bonds")), &none, Health::NoData, "no bonds");
        check(Some(&Failure::no_data("no bonds")), &bad, Health::Failed, "no bonds (and 2 more)");
    }

    #[test]
    fn lately_is_the_last_scrapes() {
        let mut ledger = ledger();
        assert_eq!(ledger.entries["example"].durations(), (Duration::ZERO, Duration::ZERO));
        let problems = Problems::default();
        ledger.note(&report(1000, None, &problems));
        for _ in 0..REMEMBERED - 1 {
            ledger.note(&report(0, None, &problems));
        }
        let second = Duration::from_secs(1);
        assert_eq!(ledger.entries["example"].durations(), (second / 16, second));
        ledger.note(&report(2, None, &problems));
        assert_eq!(ledger.entries["example"].durations().1, Duration::from_millis(2));
    }
}
