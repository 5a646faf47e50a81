//! Every read of every collector on every fixture host, broken in every way: the page is served, it is well formed,
//! nothing panics, and nobody else's samples change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use collectors::ALL;
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

/// A table of what each fault does to each read of a collector: one row for each kind of read, the worst case of it.
fn table(host: &Host, collector: &str, cases: &mut usize) -> String {
    let sound = host.scrape(collector);
    // A second time: state that a collector keeps must not make the next scrape another one.
    host.breakable.take_asked();
    assert_eq!(host.scrape(collector), sound, "{collector}: two scrapes at one instant differ");
    let mut rows: BTreeMap<(String, Fault), (usize, bool, String)> = BTreeMap::new();
    for question in host.breakable.take_asked().into_keys() {
        for fault in Fault::ALL {
            *cases += 1;
            host.breakable.break_at(question.clone(), fault);
            let outcome = host.scrape(collector);
            check(collector, &question, fault, &outcome);
            let lost = sound.samples.difference(&outcome.samples).count();
            let complaint = outcome.complaints.first().cloned().unwrap_or_default();
            let key = (pattern(collector, &question), fault);
            let worst = rows.entry(key).or_insert((lost, outcome.is_success, complaint.clone()));
            if lost > worst.0 {
                *worst = (lost, outcome.is_success, complaint);
            }
        }
    }
    host.breakable.mend();
    // What was broken must leave no trace.
    assert_eq!(host.scrape(collector), sound, "{collector}: a fault that has passed still shows");
    let mut text = format!("{} samples when all is well\n", sound.samples.len());
    let mut last = String::new();
    for ((read, fault), (lost, is_success, complaint)) in rows {
        if read != last {
            let _ = write!(text, "\n{read}\n");
            last = read;
        }
        let word = if is_success { "ok  " } else { "fail" };
        let _ = writeln!(text, "  {fault:<20}{word} {lost:>4} lost  {complaint}");
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

/// The declared pattern that a question belongs to.
fn pattern(collector: &str, question: &Question) -> String {
    let registration = ALL.iter().find(|registration| registration.declaration.name == collector);
    let reads = registration.map(|registration| registration.declaration.reads).unwrap_or_default();
    let path = String::from_utf8_lossy(&question.path);
    let is_match = |pattern: &str| {
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
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
    let read = reads.iter().find(|read| read.mount == question.mount && is_match(read.pattern));
    read.map_or_else(|| question.to_string(), |read| format!("{}/{}", read.mount.name(), read.pattern))
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
