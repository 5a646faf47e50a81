//! Hosts with every collector, scraped one collector at a time.

use std::cell::Cell;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use collectors::host::root::Mount;
use collectors::host::root::tree::Tree;
use collectors::kit::read::Access;
use collectors::kit::scraper::Scraper;
use harness::faults::FaultEffect;
use harness::faults::FaultyRoots;
use harness::meter::MountPath;
use harness::property::{FaultTarget, Outcome, Violation};
use harness::{exposition, host, load};
use simulator::Machine;
use simulator::fault::Kind;

use crate::reads::{declared, pattern};

/// Deadline of a scrape with a hanging file.
const DEADLINE: Duration = Duration::from_millis(50);
const DEADLINE_MAX: Duration = Duration::from_secs(10);
/// Message about a collector that was not started.
const NOT_STARTED: &str = "not started before the deadline of the scrape";

/// Origin of a host.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// A fixture host; entries that are renamed or removed.
    Fixture(&'static str, &'static [(&'static str, Option<&'static str>)]),
    /// A simulated host: profile and settings.
    Simulated(&'static str, &'static [(&'static str, &'static str)]),
}

impl Source {
    pub(crate) fn tree(self) -> Tree {
        match self {
            Self::Fixture(name, changes) => {
                let mut tree = load::host(name).expect("a fixture host");
                for (path, now) in changes {
                    let node = tree.get(path.as_bytes()).expect("an entry of the host").clone();
                    tree.remove(path);
                    if let Some(now) = now {
                        tree.insert(now, node).expect("a free place");
                    }
                }
                tree
            }
            Self::Simulated(profile, overrides) => {
                const AT: Duration = Duration::from_secs(1_700_000_000);
                let machine = Machine::of(profile, 1, overrides).expect("settings of the profile");
                simulator::embedded(machine, || AT).tree_at(AT.as_secs())
            }
        }
    }
}

pub(crate) type Flags = &'static [(&'static str, &'static str)];

pub(crate) struct Host {
    source: Source,
    flags: Flags,
    pub(crate) scraper: Arc<Scraper>,
    pub(crate) breakable: FaultyRoots,
}

impl Host {
    pub(crate) fn new(source: Source, flags: Flags) -> Self {
        let mut breakable = None;
        let scraper =
            host::scraper_with(source.tree(), flags, |roots| breakable.insert(FaultyRoots::new(&roots)).roots());
        let breakable = breakable.expect("the scraper took the roots");
        Self { source, flags, scraper: Arc::new(scraper), breakable }
    }

    /// A copy of this host with a new scraper.
    pub(crate) fn restarted(&self) -> Self {
        Self::new(self.source, self.flags)
    }

    /// Scrapes one collector. Panics with the page if it is not well formed.
    pub(crate) fn scrape(&self, collector: &str) -> Outcome {
        let only = self.scraper.only(&[collector]).expect("an enabled collector");
        Self::outcome(collector, &host::scrape(&self.scraper, &only))
    }

    /// Scrapes with a short deadline, extended if the collector was not even started.
    pub(crate) fn scrape_with_deadline(&self, collector: &str) -> Outcome {
        let only = self.scraper.only(&[collector]).expect("an enabled collector");
        let mut time_limit = DEADLINE;
        loop {
            let outcome = Self::outcome(collector, &host::scrape_within(&self.scraper, &only, time_limit));
            if outcome.complaints != [NOT_STARTED] || time_limit > DEADLINE_MAX {
                return outcome;
            }
            time_limit *= 2;
        }
    }

    /// A copy of this host with another scraper.
    pub(crate) fn with(&self, scraper: Scraper) -> Self {
        Self { scraper: Arc::new(scraper), ..self.restarted() }
    }

    fn outcome(collector: &str, scraped: &host::Scraped) -> Outcome {
        let parsed = exposition::parse_with_negative_counters(scraped.page.as_bytes())
            .unwrap_or_else(|defects| panic!("{collector}: {defects:?}\n{}", scraped.page));
        let samples = parsed.families.iter().flat_map(|family| &family.samples);
        let samples = samples.filter(|sample| !sample.name.starts_with("node_scrape_"));
        let samples = samples.map(|sample| sample.text.to_owned()).collect();
        let is_success = Some(!scraped.failed.contains_key(collector));
        let complaints = scraped.failed.get(collector).or_else(|| scraped.noted.get(collector));
        let duplicates = scraped.duplicates;
        Outcome { is_success, complaints: complaints.cloned().unwrap_or_default(), samples, duplicates }
    }
}

/// One collector of a host, with a count of its cases.
pub(crate) struct One<'a> {
    host: Host,
    collector: &'static str,
    cases: &'a Cell<usize>,
}

impl<'a> One<'a> {
    pub(crate) fn new(host: Host, collector: &'static str, cases: &'a Cell<usize>) -> Self {
        Self { host, collector, cases }
    }
}

impl FaultTarget for One<'_> {
    fn name(&self) -> &str {
        self.collector
    }

    fn breakable(&self) -> &FaultyRoots {
        &self.host.breakable
    }

    fn restarted(&self) -> Self {
        Self { host: self.host.restarted(), ..*self }
    }

    fn is_always_restarted(&self) -> bool {
        false
    }

    fn scrape(&mut self) -> Result<Outcome, Violation> {
        Ok(self.host.scrape(self.collector))
    }

    fn row(&self, question: &MountPath) -> String {
        pattern(self.collector, question)
    }

    fn judge(&self, question: &MountPath, kind: &Kind, effect: FaultEffect, outcome: &Outcome) {
        self.cases.set(self.cases.get() + 1);
        check(self.collector, question, kind, outcome);
        check_is_reported(self.collector, question, kind, effect, outcome);
    }
}

#[track_caller]
fn check(collector: &str, question: &MountPath, kind: &Kind, outcome: &Outcome) {
    let case = || question.broken(kind.clone());
    for complaint in &outcome.complaints {
        assert!(!complaint.contains("panicked"), "{collector}: {}: {complaint}", case());
    }
    assert!(
        outcome.is_success == Some(true) || !outcome.complaints.is_empty(),
        "{collector}: {}: failed without a message",
        case()
    );
    // A torn file, or one with the same line twice, may have duplicates.
    let is_repeated = matches!(kind, Kind::Torn(_) | Kind::Content(_) | Kind::Added(_) | Kind::Garbled(_));
    assert!(outcome.duplicates == 0 || is_repeated, "{collector}: {}: {} samples twice", case(), outcome.duplicates);
}

/// Header of the table of docs/DIFFERENCES.md that lists content that is valid, and so not reported.
const SILENT: &str = "| file | content | why it is valid |";

/// Paths and fault names of that table.
static VALID_CONTENT: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let text = load::bytes(&load::workspace().join("docs/DIFFERENCES.md")).expect("docs/DIFFERENCES.md");
    let text = String::from_utf8(text).expect("Markdown is text");
    let (_, rows) = text.split_once(&format!("\n{SILENT}\n|---|---|---|\n")).expect("a table of valid content");
    let rows = rows.lines().take_while(|row| row.starts_with('|'));
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    rows.map(|row| match cells(row).as_slice() {
        [_, file, content, reason, _] if !reason.is_empty() => (file.clone(), content.clone()),
        _ => panic!("{row}: expected a file, a content and a reason"),
    })
    .collect()
});

/// Empty and meaningless content of a file below /proc that removes or changes samples must be reported. Files below /sys
/// are exempt: drivers differ in what they write. [`Kind::Cut`] is exempt too: a truncated file has no mark.
#[track_caller]
fn check_is_reported(collector: &str, question: &MountPath, kind: &Kind, effect: FaultEffect, outcome: &Outcome) {
    let is_content = matches!(kind, Kind::Empty | Kind::Garbage);
    if question.mount != Mount::Proc
        || !is_content
        || effect == FaultEffect::default()
        || !outcome.complaints.is_empty()
    {
        return;
    }
    let read = pattern(collector, question);
    // A directory has no content; an empty one is valid.
    if declared(collector, question).is_some_and(|read| read.access == Access::Directory) {
        return;
    }
    let name = if *kind == Kind::Empty { "empty" } else { "garbage" };
    let case = question.broken(kind.clone());
    assert!(
        VALID_CONTENT.iter().any(|(file, content)| *file == read && content == name),
        "{collector}: {case}: {effect}, without a message, and docs/DIFFERENCES.md does not list it"
    );
}
