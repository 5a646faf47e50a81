//! Results of the collectors in the last scrapes, for the status page.

use std::collections::BTreeMap;
use std::time::Duration;

use collectors::kit::declare::Declaration;
use collectors::kit::failure::Failure;
use collectors::kit::scraper::Report;

/// Number of scrapes of which durations are kept.
const DURATIONS_MAX: usize = 16;

/// Results of all collectors.
#[derive(Debug)]
pub(super) struct History {
    entries: BTreeMap<&'static str, CollectorHistory>,
    /// End and duration of the last scrape.
    pub(super) last_scrape: Option<(Duration, Duration)>,
    pub(super) scrapes: u64,
    /// When the limit of concurrent scrapes was last reached.
    pub(super) full_since: Option<Duration>,
    /// Whether all collectors of the last page were late.
    pub(super) is_empty_page: bool,
}

/// Results of one collector.
#[derive(Debug)]
pub(super) struct CollectorHistory {
    pub(super) declaration: &'static Declaration,
    pub(super) health: Health,
    /// The first reason of a state other than [`Health::Well`], and the number of further reasons.
    why: Option<(Failure, usize)>,
    /// Samples of its last run.
    pub(super) samples: usize,
    durations: [Duration; DURATIONS_MAX],
    asked: usize,
    /// Time of its first late page, and number of late pages since then, without a page in time.
    late: Option<(Duration, u32)>,
    is_overloaded: bool,
}

/// Late pages in a row after which a collector counts as overloaded, if they also span [`OVERLOADED_AFTER`].
const LATE_PAGES_MAX: u32 = 3;

/// Minimum time from the first to the last of those pages, so that clients with short deadlines do not matter.
const OVERLOADED_AFTER: Duration = Duration::from_secs(10);

/// Whether the input of a collector is always too large: it exceeds a limit, or takes longer than every deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Overload {
    /// It is not, and was not before.
    None,
    /// It is since this page.
    New,
    /// It was before this page.
    Known,
    /// It was until this page.
    Over,
}

/// Health of a collector, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Health {
    /// It failed or was late.
    Failed,
    /// It succeeded and reported problems.
    Noted,
    Well,
    /// The host has no data for it.
    NoData,
    /// It has not run.
    Unknown,
}

impl History {
    pub(super) fn new(declarations: impl Iterator<Item = &'static Declaration>) -> Self {
        let entry = |declaration: &'static Declaration| CollectorHistory {
            declaration,
            health: Health::Unknown,
            why: None,
            samples: 0,
            durations: [Duration::ZERO; DURATIONS_MAX],
            asked: 0,
            late: None,
            is_overloaded: false,
        };
        let entries = declarations.map(|declaration| (declaration.name, entry(declaration))).collect();
        Self { entries, last_scrape: None, scrapes: 0, full_since: None, is_empty_page: false }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &CollectorHistory> {
        self.entries.values()
    }

    /// Records a scrape.
    pub(super) fn scraped(&mut self, begin: Duration, end: Duration) {
        self.last_scrape = Some((end, end.saturating_sub(begin)));
        self.scrapes += 1;
    }

    /// Records the result of a collector in a page that ends `now`.
    pub(super) fn note(&mut self, report: &Report<'_>, now: Duration) -> Overload {
        let Some(entry) = self.entries.get_mut(report.collector) else { return Overload::None };
        let overload = entry.overload(report, now);
        if let Some(place) = entry.durations.get_mut(entry.asked % DURATIONS_MAX) {
            *place = report.duration;
        }
        entry.asked += 1;
        entry.samples = report.samples;
        entry.why = None;
        entry.health = Health::Well;
        let shown = report.problems.shown();
        // The failure that ended the collector is more important than the problems before it.
        let Some(first) = report.failure.or(shown.first()) else { return overload };
        entry.health = match first {
            _ if report.is_success() => Health::Noted,
            Failure::NoData(_) if shown.is_empty() => Health::NoData,
            _ => Health::Failed,
        };
        let more = report.problems.count() - usize::from(report.failure.is_none());
        entry.why = Some((first.clone(), more));
        overload
    }
}

impl CollectorHistory {
    fn overload(&mut self, report: &Report<'_>, now: Duration) -> Overload {
        let mut failures = report.problems.shown().iter().chain(report.failure);
        let is_too_large = failures.any(|failure| failure.reason().is_too_large());
        let late = self.late.map_or((now, 1), |(since, count)| (since, count.saturating_add(1)));
        self.late = report.is_late.then_some(late);
        let is_always_late = self.late.is_some_and(|(since, count)| {
            self.is_overloaded || (count >= LATE_PAGES_MAX && now.saturating_sub(since) >= OVERLOADED_AFTER)
        });
        let was_overloaded = std::mem::replace(&mut self.is_overloaded, is_too_large || is_always_late);
        match (was_overloaded, self.is_overloaded) {
            (false, false) => Overload::None,
            (false, true) => Overload::New,
            (true, true) => Overload::Known,
            (true, false) => Overload::Over,
        }
    }

    /// Reason of a state other than [`Health::Well`], without content of files; otherwise empty.
    pub(super) fn reason(&self) -> String {
        match &self.why {
            None => String::new(),
            Some((first, 0)) => first.reason().public().to_string(),
            Some((first, more)) => format!("{} (and {more} more)", first.reason().public()),
        }
    }

    /// Mean and maximum of the kept durations.
    pub(super) fn durations(&self) -> (Duration, Duration) {
        let known = self.asked.min(DURATIONS_MAX);
        let kept = || self.durations.iter().take(known);
        let mean = kept().sum::<Duration>().checked_div(u32::try_from(known).unwrap_or(0)).unwrap_or_default();
        (mean, kept().max().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;
    use collectors::kit::failure::Problems;

    fn history() -> History {
        History::new(REGISTRATIONS.iter().map(|registration| registration.declaration))
    }

    fn report<'a>(duration_milliseconds: u64, failure: Option<&'a Failure>, problems: &'a Problems) -> Report<'a> {
        let duration = Duration::from_millis(duration_milliseconds);
        Report { collector: "example", duration, failure, problems, samples: 7, is_late: false }
    }

    #[track_caller]
    fn check(failure: Option<&Failure>, problems: &Problems, health: Health, reason: &str) {
        let mut history = history();
        history.note(&report(1, failure, problems), Duration::ZERO);
        let entry = &history.entries["example"];
        assert_eq!((entry.health, entry.reason().as_str(), entry.samples), (health, reason, 7));
    }

    #[test]
    fn the_first_reason_is_shown_and_further_ones_are_counted() {
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
    fn durations_of_the_last_scrapes_are_kept() {
        let mut history = history();
        assert_eq!(history.entries["example"].durations(), (Duration::ZERO, Duration::ZERO));
        let problems = Problems::default();
        history.note(&report(1000, None, &problems), Duration::ZERO);
        for _ in 0..DURATIONS_MAX - 1 {
            history.note(&report(0, None, &problems), Duration::ZERO);
        }
        let second = Duration::from_secs(1);
        assert_eq!(history.entries["example"].durations(), (second / 16, second));
        history.note(&report(2, None, &problems), Duration::ZERO);
        assert_eq!(history.entries["example"].durations().1, Duration::from_millis(2));
    }

    fn late(history: &mut History, seconds: u64) -> Overload {
        let problems = Problems::default();
        let late = Report { is_late: true, ..report(1, None, &problems) };
        history.note(&late, Duration::from_secs(seconds))
    }

    #[test]
    fn a_collector_that_is_always_late_is_overloaded_until_it_is_in_time() {
        let (mut history, problems) = (history(), Problems::default());
        assert_eq!([0, 1, 9].map(|second| late(&mut history, second)), [Overload::None; 3]);
        assert_eq!(late(&mut history, 10), Overload::New);
        assert_eq!(late(&mut history, 10), Overload::Known);
        let in_time = report(1, None, &problems);
        assert_eq!(history.note(&in_time, Duration::from_secs(11)), Overload::Over);
        assert_eq!(history.note(&in_time, Duration::from_secs(12)), Overload::None);
        // Two pages are not enough, however far apart.
        assert_eq!([20, 40].map(|second| late(&mut history, second)), [Overload::None; 2]);
        assert_eq!(late(&mut history, 41), Overload::New);
    }

    #[test]
    fn a_collector_whose_input_exceeds_a_limit_is_overloaded_at_once() {
        let (mut history, mut problems) = (history(), Problems::default());
        let note =
            |history: &mut History, problems: &Problems| history.note(&report(1, None, problems), Duration::ZERO);
        problems.report(Failure::too_large("more than 7 mounts"));
        assert_eq!([(); 2].map(|()| note(&mut history, &problems)), [Overload::New, Overload::Known]);
        problems.clear();
        assert_eq!(note(&mut history, &problems), Overload::Over);
    }
}
