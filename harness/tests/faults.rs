//! Every read of every collector on every fixture host, broken in every way: the page is served, it is well formed,
//! nothing panics, and nobody else's samples change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::kit::read::{Access, ReadInfo};
use collectors::kit::root::Mount;
use collectors::kit::scraper::{Scraper, Selection};
use harness::damage::Damage;
use harness::faults::{Breakable, Question};
use harness::{exposition, host, load};
use simulator::fault::Kind;

/// A scrape of something that hangs ends after this time.
const PATIENCE: Duration = Duration::from_millis(50);
const PATIENCE_MAX: Duration = Duration::from_secs(10);
/// What is said of a collector that nobody came to.
const NOT_ASKED: &str = "was not asked before the scrape had to end";
/// What has been let go comes back within this time, in steps.
const RETURNED: (Duration, usize) = (Duration::from_millis(5), 2_000);

/// What one collector did in one scrape.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Outcome {
    is_success: bool,
    complaints: Vec<String>,
    samples: BTreeSet<String>,
    /// Samples that were there twice, and are on the page once.
    duplicates: usize,
}

struct Host {
    scraper: Arc<Scraper>,
    breakable: Breakable,
}

impl Host {
    fn new(name: &str) -> Self {
        let mut breakable = None;
        let scraper = host::scraper(load::host(name).expect("a fixture host"), |roots| {
            breakable.insert(Breakable::new(&roots)).roots()
        });
        Self { scraper: Arc::new(scraper), breakable: breakable.expect("the scraper took the roots") }
    }

    /// Scrapes one collector alone. Panics, with the page, when the page is not well formed.
    fn scrape(&self, collector: &str) -> Outcome {
        let only = self.scraper.only(&[collector]).expect("an enabled collector");
        Self::outcome(collector, &host::scrape(&self.scraper, &only))
    }

    /// The same with little patience; with more of it where the collector was not even begun with.
    fn scrape_hastily(&self, collector: &str) -> Outcome {
        let only = self.scraper.only(&[collector]).expect("an enabled collector");
        let mut patience = PATIENCE;
        loop {
            let outcome = Self::outcome(collector, &host::scrape_within(&self.scraper, &only, patience));
            if outcome.complaints != [NOT_ASKED] || patience > PATIENCE_MAX {
                return outcome;
            }
            patience *= 2;
        }
    }

    fn outcome(collector: &str, scraped: &host::Scraped) -> Outcome {
        let parsed = exposition::parse(scraped.page.as_bytes())
            .unwrap_or_else(|defects| panic!("{collector}: {defects:?}\n{}", scraped.page));
        let samples = parsed.families.iter().flat_map(|family| &family.samples);
        let samples = samples.filter(|sample| !sample.name.starts_with("node_scrape_"));
        let samples = samples.map(|sample| sample.text.to_owned()).collect();
        let is_success = !scraped.failed.contains_key(collector);
        let complaints = scraped.failed.get(collector).or_else(|| scraped.noted.get(collector));
        let duplicates = scraped.duplicates;
        Outcome { is_success, complaints: complaints.cloned().unwrap_or_default(), samples, duplicates }
    }
}

/// A table of what each fault does to each read of a collector: one row for each kind of read, the worst case of it.
fn table(host: &Host, collector: &str, cases: &mut usize) -> String {
    let sound = host.scrape(collector);
    // A second time: state that a collector keeps must not make the next scrape another one.
    host.breakable.take_asked();
    assert_eq!(host.scrape(collector), sound, "{collector}: two scrapes at one instant differ");
    assert_eq!(sound.duplicates, 0, "{collector} emitted a sample twice");
    let mut rows: BTreeMap<(String, Kind), (Damage, bool, String)> = BTreeMap::new();
    for (question, count) in host.breakable.take_asked() {
        for kind in count.kinds() {
            *cases += 1;
            host.breakable.break_at(&question, kind.clone());
            let begin = host.breakable.clock.now();
            let outcome = host.scrape(collector);
            check(collector, &question, &kind, &outcome);
            if let Kind::Slow(time) = kind {
                assert_eq!(outcome, sound, "{collector}: {}", question.broken(kind));
                assert!(host.breakable.clock.now() >= begin + time, "{collector}: {question} took no time");
                continue;
            }
            let damage = Damage::between(&sound.samples, &outcome.samples);
            check_is_told(collector, &question, &kind, damage, &outcome);
            let complaint = outcome.complaints.first().cloned().unwrap_or_default();
            let key = (pattern(collector, &question), kind);
            let worst = rows.entry(key).or_insert((damage, outcome.is_success, complaint.clone()));
            if damage > worst.0 {
                *worst = (damage, outcome.is_success, complaint);
            }
        }
    }
    host.breakable.mend();
    // What was broken must leave no trace.
    assert_eq!(host.scrape(collector), sound, "{collector}: a fault that has passed still shows");
    let mut text = format!("{} samples when all is well\n", sound.samples.len());
    let mut last = String::new();
    for ((read, kind), (damage, is_success, complaint)) in rows {
        if read != last {
            let _ = write!(text, "\n{read}\n");
            last = read;
        }
        let (kind, word) = (kind.to_string(), if is_success { "ok  " } else { "fail" });
        let _ = writeln!(text, "  {kind:<20}{word} {damage}  {complaint}");
    }
    text
}

#[track_caller]
fn check(collector: &str, question: &Question, kind: &Kind, outcome: &Outcome) {
    let case = || question.broken(kind.clone());
    for complaint in &outcome.complaints {
        assert!(!complaint.contains("panicked"), "{collector}: {}: {complaint}", case());
    }
    assert!(outcome.is_success || !outcome.complaints.is_empty(), "{collector}: {}: failed without a word", case());
    // A line can be there twice in a file that was torn, or that says the same of two things.
    let is_repeated = matches!(kind, Kind::Torn(_) | Kind::Content(_) | Kind::Added(_) | Kind::Garbled(_));
    assert!(outcome.duplicates == 0 || is_repeated, "{collector}: {}: {} samples twice", case(), outcome.duplicates);
}

/// Content that costs something and may do so in silence: the collector, what it reads, the fault, the reason.
const SILENT: [(&str, &str, Kind, &str); 1] =
    [("diskstats", "proc/diskstats", Kind::Empty, "a host without disks has an empty file")];

/// What breaks the content of a file below /proc and costs a sample, or changes one, is told of. Files below /sys are
/// exempt: drivers differ in what they write and how they end it.
#[track_caller]
fn check_is_told(collector: &str, question: &Question, kind: &Kind, damage: Damage, outcome: &Outcome) {
    let is_content = matches!(kind, Kind::Empty | Kind::Cut(_) | Kind::Garbage);
    if question.mount != Mount::Proc || !is_content || damage == Damage::default() || !outcome.complaints.is_empty() {
        return;
    }
    let read = pattern(collector, question);
    // A directory has no content to be wrong; one with nothing in it is what it is.
    if declared(collector, question).is_some_and(|read| read.access == Access::Directory) {
        return;
    }
    let is_silent = |(name, known, silent, _): &(&str, &str, Kind, &str)| {
        (*name, *known, silent) == (collector, read.as_str(), kind)
    };
    let case = question.broken(kind.clone());
    assert!(SILENT.iter().any(is_silent), "{collector}: {case}: {damage}, without a word");
}

/// The declared pattern that a question belongs to.
fn pattern(collector: &str, question: &Question) -> String {
    let read = declared(collector, question);
    read.map_or_else(|| question.to_string(), |read| format!("{}/{}", read.mount.name(), read.pattern))
}

/// The declared read that a question belongs to.
fn declared(collector: &str, question: &Question) -> Option<ReadInfo> {
    let registration = ALL.iter().find(|registration| registration.declaration.name == collector);
    let reads = registration.map(|registration| registration.declaration.reads).unwrap_or_default();
    let path = String::from_utf8_lossy(&question.path);
    let is_match = |pattern: &str| {
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) | (Some("**"), Some(_)) => return true,
                (Some(part), Some(name)) => {
                    let (start, end) = part.split_once('*').unwrap_or((part, ""));
                    let fits =
                        if part.contains('*') { name.starts_with(start) && name.ends_with(end) } else { part == name };
                    if !fits {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    };
    reads.iter().find(|read| read.mount == question.mount && is_match(read.pattern)).copied()
}

/// The tables of one host, one snapshot for each collector.
fn tables_of(name: &str) {
    let host = Host::new(name);
    let mut cases = 0;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/faults/{name}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for registration in ALL {
        let collector = registration.declaration.name;
        let table = table(&host, collector, &mut cases);
        settings.bind(|| insta::assert_snapshot!(collector, table));
    }
    println!("{name}: {cases} cases");
}

#[test]
fn faults_on_the_laptop_cost_what_the_tables_say() {
    tables_of("laptop");
}

#[test]
fn faults_on_the_bonded_server_cost_what_the_tables_say() {
    tables_of("bonded");
}

#[test]
fn faults_on_kernel_310_cost_what_the_tables_say() {
    tables_of("old310");
}

/// The tables above look at each collector alone; here all run together, and only those that ask for the broken file
/// may change.
#[test]
fn a_broken_file_changes_nobody_elses_samples() {
    let host = Host::new("laptop");
    let askers: BTreeMap<&str, BTreeSet<Question>> = ALL
        .iter()
        .map(|registration| registration.declaration.name)
        .map(|collector| {
            host.breakable.take_asked();
            host.scrape(collector);
            (collector, host.breakable.take_asked().into_keys().collect())
        })
        .collect();
    let whole = || host::scrape(&host.scraper, &Selection::ALL).page;
    let sound = whole();
    let all: BTreeSet<&Question> = askers.values().flatten().collect();
    for question in all {
        host.breakable.break_at(question, Kind::Garbage);
        let broken = whole();
        for (collector, _) in askers.iter().filter(|(_, asked)| !asked.contains(question)) {
            assert_eq!(own(&broken, collector), own(&sound, collector), "{collector} does not ask for {question}");
        }
    }
}

/// The lines of a page that belong to one collector.
fn own<'a>(page: &'a str, collector: &str) -> Vec<&'a str> {
    let registration = ALL.iter().find(|registration| registration.declaration.name == collector);
    let declaration = registration.expect("a collector").declaration;
    let is_own = |line: &&str| {
        let name = line.split([' ', '{']).next().unwrap_or_default();
        declaration.families.iter().any(|family| family.name == name)
            || declaration.prefixes.iter().any(|prefix| name.starts_with(prefix.name))
            || line.starts_with(&format!("node_scrape_collector_success{{collector=\"{collector}\"}}"))
    };
    page.lines().filter(is_own).collect()
}

/// Of each collector one file: the scrape ends without it, and once the file answers nothing is left of that.
#[test]
fn a_file_that_hangs_costs_its_collector_alone() {
    let host = Host::new("laptop");
    let clock = &host.breakable.clock;
    for collector in ALL.iter().map(|registration| registration.declaration.name) {
        host.breakable.take_asked();
        let sound = host.scrape(collector);
        let Some(question) = host.breakable.take_asked().into_keys().next() else { continue };
        host.breakable.break_at(&question, Kind::Hanging);
        let outcome = host.scrape_hastily(collector);
        assert!(!outcome.is_success, "{collector}: {}", question.broken(Kind::Hanging));
        assert_eq!(outcome.samples, BTreeSet::new(), "{collector}");
        let expected = "had not answered when the scrape had to end";
        assert_eq!(outcome.complaints, [expected], "{collector}: {}", question.broken(Kind::Hanging));
        host.breakable.mend();
        // Whoever comes late to a file that hangs finds it sound.
        let (pause, tries) = RETURNED;
        let is_back = (0..tries).any(|_| {
            clock.release();
            load::wait(pause);
            host.scrape(collector) == sound
        });
        assert!(is_back, "{collector}: {} still shows", question.broken(Kind::Hanging));
    }
}
