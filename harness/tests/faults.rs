//! Every read of every collector on every fixture host, broken in every way: the page is served, it is well formed,
//! nothing panics, and nobody else's samples change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use collectors::ALL;
use collectors::kit::read::{Access, ReadInfo};
use collectors::kit::root::Mount;
use collectors::kit::scraper::{Scraper, Selection};
use harness::faults::{Breakable, Fault, Question};
use harness::{exposition, host, load};

/// What one collector did in one scrape.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Outcome {
    is_success: bool,
    complaints: Vec<String>,
    samples: BTreeSet<String>,
}

struct Host {
    scraper: Scraper,
    breakable: Breakable,
}

impl Host {
    fn new(name: &str) -> Self {
        let mut breakable = None;
        let scraper = host::scraper(load::host(name).expect("a fixture host"), |roots| {
            breakable.insert(Breakable::new(&roots)).roots()
        });
        Self { scraper, breakable: breakable.expect("the scraper took the roots") }
    }

    /// Scrapes one collector alone. Panics, with the page, when the page is not well formed.
    fn scrape(&self, collector: &str) -> Outcome {
        let only = self.scraper.only(&[collector]).expect("an enabled collector");
        let scraped = host::scrape(&self.scraper, &only);
        assert_eq!(scraped.duplicates, 0, "{collector} emitted a sample twice");
        let parsed = exposition::parse(scraped.page.as_bytes())
            .unwrap_or_else(|defects| panic!("{collector}: {defects:?}\n{}", scraped.page));
        let samples = parsed.families.iter().flat_map(|family| &family.samples);
        let samples = samples.filter(|sample| !sample.name.starts_with("node_scrape_"));
        let samples = samples.map(|sample| sample.text.to_owned()).collect();
        let is_success = !scraped.failed.contains_key(collector);
        let complaints = scraped.failed.get(collector).or_else(|| scraped.noted.get(collector));
        Outcome { is_success, complaints: complaints.cloned().unwrap_or_default(), samples }
    }
}

/// What a fault does to the samples of a collector.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
struct Damage {
    /// Series that are gone.
    lost: usize,
    /// Series that are there with another value.
    other: usize,
    /// Series that were not there before.
    new: usize,
}

impl Damage {
    fn between(sound: &BTreeSet<String>, broken: &BTreeSet<String>) -> Self {
        let series = |sample: &String| sample.rsplit_once(' ').map(|(series, _)| series.to_owned()).unwrap_or_default();
        let (before, after) = (sound.iter().map(series), broken.iter().map(series));
        let (before, after): (BTreeSet<String>, BTreeSet<String>) = (before.collect(), after.collect());
        let lost = before.difference(&after).count();
        let other = sound.difference(broken).count() - lost;
        Self { lost, other, new: after.difference(&before).count() }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} lost", self.lost)?;
        for (count, word) in [(self.other, "other"), (self.new, "new")] {
            if count > 0 {
                write!(f, " {count:>4} {word}")?;
            }
        }
        Ok(())
    }
}

/// A table of what each fault does to each read of a collector: one row for each kind of read, the worst case of it.
fn table(host: &Host, collector: &str, cases: &mut usize) -> String {
    let sound = host.scrape(collector);
    // A second time: state that a collector keeps must not make the next scrape another one.
    host.breakable.take_asked();
    assert_eq!(host.scrape(collector), sound, "{collector}: two scrapes at one instant differ");
    let mut rows: BTreeMap<(String, Fault), (Damage, bool, String)> = BTreeMap::new();
    for question in host.breakable.take_asked().into_keys() {
        for fault in Fault::ALL {
            *cases += 1;
            host.breakable.break_at(question.clone(), fault);
            let outcome = host.scrape(collector);
            check(collector, &question, fault, &outcome);
            let damage = Damage::between(&sound.samples, &outcome.samples);
            check_is_told(collector, &question, fault, damage, &outcome);
            let complaint = outcome.complaints.first().cloned().unwrap_or_default();
            let key = (pattern(collector, &question), fault);
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
    for ((read, fault), (damage, is_success, complaint)) in rows {
        if read != last {
            let _ = write!(text, "\n{read}\n");
            last = read;
        }
        let word = if is_success { "ok  " } else { "fail" };
        let _ = writeln!(text, "  {fault:<20}{word} {damage}  {complaint}");
    }
    text
}

#[track_caller]
fn check(collector: &str, question: &Question, fault: Fault, outcome: &Outcome) {
    for complaint in &outcome.complaints {
        assert!(!complaint.contains("panicked"), "{collector}: {question} is {fault}: {complaint}");
    }
    assert!(
        outcome.is_success || !outcome.complaints.is_empty(),
        "{collector}: {question} is {fault}: failed without a word"
    );
}

/// Content that costs something and may do so in silence: the collector, what it reads, the fault, the reason.
const SILENT: [(&str, &str, Fault, &str); 1] =
    [("diskstats", "proc/diskstats", Fault::Empty, "a host without disks has an empty file")];

/// What breaks the content of a file below /proc and costs a sample, or changes one, is told of. Files below /sys are
/// exempt: drivers differ in what they write and how they end it.
#[track_caller]
fn check_is_told(collector: &str, question: &Question, fault: Fault, damage: Damage, outcome: &Outcome) {
    let is_content = matches!(fault, Fault::Empty | Fault::Cut | Fault::Garbage);
    if question.mount != Mount::Proc || !is_content || damage == Damage::default() || !outcome.complaints.is_empty() {
        return;
    }
    let read = pattern(collector, question);
    // A directory has no content to be wrong; one with nothing in it is what it is.
    if declared(collector, question).is_some_and(|read| read.access == Access::Directory) {
        return;
    }
    let is_silent = |(name, known, silent, _): &(&str, &str, Fault, &str)| {
        (*name, *known, *silent) == (collector, read.as_str(), fault)
    };
    assert!(SILENT.iter().any(is_silent), "{collector}: {question} is {fault}: {damage}, without a word");
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
        host.breakable.break_at(question.clone(), Fault::Garbage);
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
