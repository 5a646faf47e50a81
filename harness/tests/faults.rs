//! Every read of every collector on every fixture host, broken in every way: the page is served, it is well formed,
//! nothing panics, and nobody else's samples change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::kit::declare::Declaration;
use collectors::kit::read::{Access, ReadInfo};
use collectors::kit::root::Mount;
use collectors::kit::root::tree::Tree;
use collectors::kit::scraper::{Scraper, Selection};
use harness::damage::Damage;
use harness::faults::{Breakable, Count, Question};
use harness::{exposition, host, load};
use simulator::Machine;
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

/// Where a host comes from.
#[derive(Clone, Copy)]
enum Source {
    /// A fixture host; entries with another name there, or with none.
    Fixture(&'static str, &'static [(&'static str, Option<&'static str>)]),
    /// A simulated host: its profile, and what of it is set.
    Simulated(&'static str, &'static [(&'static str, &'static str)]),
}

impl Source {
    fn tree(self) -> Tree {
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

type Flags = &'static [(&'static str, &'static str)];

struct Host {
    source: Source,
    flags: Flags,
    scraper: Arc<Scraper>,
    breakable: Breakable,
}

impl Host {
    fn new(source: Source, flags: Flags) -> Self {
        let mut breakable = None;
        let scraper =
            host::scraper_with(source.tree(), flags, |roots| breakable.insert(Breakable::new(&roots)).roots());
        let breakable = breakable.expect("the scraper took the roots");
        Self { source, flags, scraper: Arc::new(scraper), breakable }
    }

    /// The same before anybody has scraped it.
    fn anew(&self) -> Self {
        Self::new(self.source, self.flags)
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
        let parsed = exposition::parse_as_told(scraped.page.as_bytes())
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
    host.breakable.take_asked();
    let sound = host.scrape(collector);
    let at_first = host.breakable.take_asked();
    // A second time: state that a collector keeps must not make the next scrape another one.
    assert_eq!(host.scrape(collector), sound, "{collector}: two scrapes at one instant differ");
    let again = host.breakable.take_asked();
    assert_eq!(sound.duplicates, 0, "{collector} emitted a sample twice");
    let mut rows: BTreeMap<(String, Kind), (Damage, bool, String)> = BTreeMap::new();
    let all: BTreeMap<&Question, Count> =
        at_first.iter().chain(&again).map(|(question, count)| (question, *count)).collect();
    for (question, count) in all {
        for kind in count.kinds() {
            *cases += 1;
            // What is read once is broken for somebody who has not read it.
            let anew = (!again.contains_key(question)).then(|| host.anew());
            let host = anew.as_ref().unwrap_or(host);
            host.breakable.break_at(question, kind.clone());
            let begin = host.breakable.clock.now();
            let outcome = host.scrape(collector);
            check(collector, question, &kind, &outcome);
            if let Kind::Slow(time) = kind {
                assert_eq!(outcome, sound, "{collector}: {}", question.broken(kind));
                assert!(host.breakable.clock.now() >= begin + time, "{collector}: {question} took no time");
                continue;
            }
            let damage = Damage::between(&sound.samples, &outcome.samples);
            check_is_told(collector, question, &kind, damage, &outcome);
            let complaint = outcome.complaints.first().cloned().unwrap_or_default();
            let key = (pattern(collector, question), kind);
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

/// The declared read that a question belongs to: of several, the one that spells out the most.
fn declared(collector: &str, question: &Question) -> Option<ReadInfo> {
    let registration = ALL.iter().find(|registration| registration.declaration.name == collector);
    let reads = registration.map(|registration| registration.declaration.reads).unwrap_or_default();
    let path = String::from_utf8_lossy(&question.path);
    let path: Vec<&str> = path.split('/').collect();
    let is_asked = |read: &&ReadInfo| {
        let pattern: Vec<&str> = read.pattern.split('/').collect();
        // An operator's path has a name's place.
        read.mount == question.mount && is_path(&pattern, &path, read.mount == Mount::Host)
    };
    let spelled_out = |read: &&ReadInfo| read.pattern.bytes().filter(|&byte| byte != b'*').count();
    reads.iter().filter(is_asked).max_by_key(spelled_out).copied()
}

/// Whether a path is one of a pattern, component by component. `**`, or a first `*` that `is_free`, takes one or more.
fn is_path(pattern: &[&str], path: &[&str], is_free: bool) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([component, pattern @ ..], [_, ..]) if *component == "**" || (is_free && *component == "*") => {
            (1..=path.len()).any(|taken| path.get(taken..).is_some_and(|rest| is_path(pattern, rest, false)))
        }
        ([component, pattern @ ..], [name, path @ ..]) => is_name(component, name) && is_path(pattern, path, false),
        _ => false,
    }
}

/// Whether a name is one of a component, in which `*` stands for at least one character.
fn is_name(component: &str, name: &str) -> bool {
    match component.split_once('*') {
        None => component == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(at, character)| at + character.len_utf8());
            ends.filter_map(|end| name.get(end..)).any(|name| is_name(rest, name))
        }),
    }
}

#[test]
fn paths_belong_to_the_pattern_that_spells_out_the_most() {
    for (component, name, expected) in [
        ("mc*", "mc0", true),
        ("mc*", "mc", false),
        ("b*:*", "b8:16", true),
        ("b*:*", "b8", false),
        ("*_x*y", "a_xby", true),
    ] {
        assert_eq!(is_name(component, name), expected, "{component} {name}");
    }
    for (collector, mount, path, expected) in [
        ("hwmon", Mount::Sys, "class/hwmon/hwmon0/device", Some("class/hwmon/*/device")),
        ("hwmon", Mount::Sys, "class/hwmon/hwmon0/temp1_input", Some("class/hwmon/*/*")),
        (
            "edac",
            Mount::Sys,
            "devices/system/edac/mc/mc0/csrow1/ch0_ce_count",
            Some("devices/system/edac/mc/mc*/csrow*/ch*_ce_count"),
        ),
        ("runit", Mount::Host, "/etc/service/web/supervise/down", Some("*/*/supervise/down")),
        ("textfile", Mount::Host, "/var/lib/a.prom", Some("*")),
        ("sysctl", Mount::Proc, "sys/net/ipv4/tcp_rmem", Some("sys/**")),
        ("loadavg", Mount::Proc, "stat", None),
    ] {
        let question = Question { mount, path: path.as_bytes().to_vec() };
        assert_eq!(declared(collector, &question).map(|read| read.pattern), expected, "{collector} {path}");
    }
}

/// The fixture hosts, on which every collector is broken.
const FIXTURES: [&str; 3] = ["laptop", "bonded", "old310"];

/// What only another host or a flag makes a collector ask for: a name for the table, the collector, the host, the flags.
const MORE: [(&str, &str, Source, Flags); 9] = [
    ("bcache-priorities", "bcache", Source::Simulated("jbod60", JBOD), &[("collector.bcache.priorityStats", "true")]),
    ("bonding-old", "bonding", Source::Simulated("vm", &[("kernel", "3.10")]), &[]),
    ("btrfs-own-mounts", "btrfs", Source::Fixture("laptop", &[("proc/1/mountinfo", Some("proc/self/mountinfo"))]), &[]),
    ("btrfs-unasked", "btrfs", Source::Fixture("laptop", &[("kernel/btrfs", None)]), &[]),
    ("cpu-info", "cpu", Source::Fixture("laptop", &[]), &[("collector.cpu.info", "true")]),
    ("infiniband-old", "infiniband", Source::Simulated("ib-hpc", HPC), &[]),
    (
        "hwmon-beside-the-device",
        "hwmon",
        Source::Fixture("laptop", &[(NEW_SENSOR, Some("sys/devices/platform/coretemp.0/temp1_input"))]),
        &[],
    ),
    (
        "netdev-alias",
        "netdev",
        Source::Fixture("laptop", &[("sys/devices/virtual/net/docker0/ifalias", None)]),
        &[("collector.netdev.label-ifalias", "true")],
    ),
    ("os-without-etc", "os", Source::Fixture("laptop", &[("rootfs/etc/os-release", None)]), &[]),
];

/// Which old kernels have in the folder of the device.
const NEW_SENSOR: &str = "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input";
const JBOD: &[(&str, &str)] = &[("cpus", "4"), ("memory_gib", "64"), ("disks", "36")];
const HPC: &[(&str, &str)] = &[("adapters", "1"), ("kernel", "3.10")];

fn bind(folder: &str) -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/faults/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind_to_scope()
}

/// The tables of one fixture host, one snapshot for each collector.
fn tables_of(name: &'static str) {
    let host = Host::new(Source::Fixture(name, &[]), &[]);
    let mut cases = 0;
    let _bound = bind(name);
    for registration in ALL {
        let collector = registration.declaration.name;
        let table = table(&host, collector, &mut cases);
        insta::assert_snapshot!(collector, table);
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

#[test]
fn faults_of_what_only_a_flag_or_another_host_reads_cost_what_the_tables_say() {
    let mut cases = 0;
    let _bound = bind("more");
    for (name, collector, source, flags) in MORE {
        let table = table(&Host::new(source, flags), collector, &mut cases);
        insta::assert_snapshot!(name, table);
    }
    println!("more: {cases} cases");
}

/// A file below /proc whose last number lost its last digit has no end, by which it is known.
#[test]
fn a_number_that_lost_its_last_digit_is_told_of() {
    let (mut cut, mut silent) = (BTreeSet::new(), Vec::new());
    for name in FIXTURES {
        let source = Source::Fixture(name, &[]);
        let (host, tree) = (Host::new(source, &[]), source.tree());
        for collector in ALL.iter().map(|registration| registration.declaration.name) {
            host.breakable.take_asked();
            let sound = host.scrape(collector);
            for question in host.breakable.take_asked().into_keys().filter(|question| question.mount == Mount::Proc) {
                let path = question.to_string();
                let mut tree = tree.clone();
                let Some(content) = tree.content_mut(&path) else { continue };
                let [.., b'0'..=b'9', b'0'..=b'9', b'\n'] = content.as_slice() else { continue };
                content.truncate(content.len() - 2);
                cut.insert(format!("{collector} {path}"));
                let scraper = host::scraper_with(tree, &[], |roots| roots);
                let outcome = Host { scraper: Arc::new(scraper), ..host.anew() }.scrape(collector);
                let damage = Damage::between(&sound.samples, &outcome.samples);
                if damage != Damage::default() && outcome.complaints.is_empty() {
                    silent.push(format!("{name}: {collector}: {path}: {damage}"));
                }
            }
        }
    }
    assert!(silent.is_empty(), "a number that was cut is taken for a whole one: {silent:#?}");
    assert!(cut.len() > 20, "only {cut:?} end in a number");
}

/// A read that no host of the tables asks for would be one that nobody has broken.
#[test]
fn every_declared_read_is_in_a_table() {
    let mut missing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for declaration in ALL.iter().map(|registration| registration.declaration) {
        let reads = declaration.reads.iter().map(|read| format!("{}/{}", read.mount.name(), read.pattern));
        missing.entry(declaration.name).or_default().extend(reads);
    }
    let mut find = |host: &Host, collector: &'static str| {
        host.breakable.take_asked();
        host.scrape(collector);
        let missing = missing.entry(collector).or_default();
        for question in host.breakable.take_asked().into_keys() {
            missing.remove(&pattern(collector, &question));
        }
    };
    for name in FIXTURES {
        let host = Host::new(Source::Fixture(name, &[]), &[]);
        for registration in ALL {
            find(&host, registration.declaration.name);
        }
    }
    for (_, collector, source, flags) in MORE {
        find(&Host::new(source, flags), collector);
    }
    missing.retain(|_, reads| !reads.is_empty());
    assert!(missing.is_empty(), "give MORE a host that has what these read: {missing:#?}");
}

/// The tables above look at each collector alone; here all run together, and only those that ask for the broken file
/// may change.
#[test]
fn a_broken_file_changes_nobody_elses_samples() {
    let host = Host::new(Source::Fixture("laptop", &[]), &[]);
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
    let mut owners = BTreeMap::new();
    let sound = whole();
    let sound = shares(&sound, &mut owners);
    let all: BTreeSet<&Question> = askers.values().flatten().collect();
    for question in all {
        host.breakable.break_at(question, Kind::Garbage);
        let broken = whole();
        let broken = shares(&broken, &mut owners);
        for (collector, _) in askers.iter().filter(|(_, asked)| !asked.contains(question)) {
            assert_eq!(broken.get(collector), sound.get(collector), "{collector} does not ask for {question}");
        }
    }
}

/// The lines of a page by the collector that they belong to. `owners` are those of each family that was seen before.
fn shares<'a>(page: &'a str, owners: &mut BTreeMap<String, Vec<&'static str>>) -> BTreeMap<&'static str, Vec<&'a str>> {
    let mut shares: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.contains("_duration_seconds{")) {
        // How a collector fared is its own, as its families are.
        let family = match line.strip_prefix("node_scrape_collector_success") {
            Some(labels) => labels.split(' ').next(),
            None => line.split([' ', '{']).next(),
        };
        let family = family.unwrap_or_default();
        if !owners.contains_key(family) {
            owners.insert(family.to_owned(), owners_of(family));
        }
        for owner in owners.get(family).into_iter().flatten() {
            shares.entry(owner).or_default().push(line);
        }
    }
    shares
}

/// The collectors that a family, or `{collector="…"}`, belongs to.
fn owners_of(family: &str) -> Vec<&'static str> {
    let is_owner = |declaration: &&Declaration| {
        declaration.families.iter().any(|own| own.name == family)
            || declaration.prefixes.iter().any(|prefix| family.starts_with(prefix.name))
            || family == format!("{{collector=\"{}\"}}", declaration.name)
    };
    let declarations = ALL.iter().map(|registration| registration.declaration);
    declarations.filter(is_owner).map(|declaration| declaration.name).collect()
}

#[test]
fn the_lines_of_a_page_are_their_collectors() {
    let page = "# TYPE node_load1 gauge\nnode_load1 1\nnode_vmstat_x 2\nnode_scrape_collector_success{collector=\"loadavg\"} 1\n\
        node_scrape_collector_duration_seconds{collector=\"loadavg\"} 3\nunknown{a=\"b\"} 4\n";
    let found = shares(page, &mut BTreeMap::new());
    let expected = [
        ("loadavg", vec!["node_load1 1", "node_scrape_collector_success{collector=\"loadavg\"} 1"]),
        ("vmstat", vec!["node_vmstat_x 2"]),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

/// Of each collector one file: the scrape ends without it, and once the file answers nothing is left of that.
#[test]
fn a_file_that_hangs_costs_its_collector_alone() {
    let host = Host::new(Source::Fixture("laptop", &[]), &[]);
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
