//! Simulated hosts as the exporter serves them: every collector finds its files.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use collectors::ALL;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::{Kind, Mount, Names, Root};
use collectors::kit::options::FlagValues;
use collectors::kit::read::{Access, ReadInfo};
use collectors::kit::scraper::{Scraper, Selection};
use collectors::kit::testing::redacted;
use collectors::textfile::DIRECTORY_FLAG;
use harness::{exposition, host, load};
use simulator::{Host, Machine, Profile, TEXTFILE_DIRECTORY, profiles};

const SEED: u64 = 1;
const AT: Duration = Duration::from_secs(1_700_000_000);

fn values() -> FlagValues {
    let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
    values.give(&DIRECTORY_FLAG, TEXTFILE_DIRECTORY).expect("a directory");
    values
}

fn simulated(at: Duration) -> Host {
    simulator::embedded(Machine::vm(SEED), move || at)
}

fn live(at: Duration) -> host::Scraped {
    let simulated = simulated(at);
    let scraper = Scraper::build(ALL, &values(), simulated.roots(), simulated.kernel()).expect("default flags");
    host::scrape(&scraper, &Selection::ALL)
}

/// Collectors that find nothing on a small virtual machine, and report failure as on a real one.
const NOT_ON_A_VM: &[&str] = &[
    "bcachefs",
    "fibrechannel",
    "hwmon",
    "infiniband",
    "ipvs",
    "mdadm",
    "nfs",
    "nfsd",
    "nvme",
    "powersupplyclass",
    "rapl",
    "tapestats",
    "watchdog",
    "zfs",
];

#[test]
fn every_collector_finds_its_files_on_the_simulated_host() {
    let scraped = live(AT);
    let failed: Vec<&str> = scraped.failed.keys().copied().collect();
    assert_eq!(failed, NOT_ON_A_VM, "{:#?}", scraped.failed);
    for complaint in scraped.failed.values().flatten() {
        assert!(complaint.ends_with("(ENOENT)"), "{complaint}");
    }
    let page = exposition::parse(scraped.page.as_bytes()).unwrap_or_else(|defects| panic!("{defects:?}"));
    assert!(page.families.len() > 150, "only {} families", page.families.len());
}

#[test]
fn a_frozen_host_gives_the_same_page() {
    let tree = Arc::new(simulated(AT).tree_at(AT.as_secs()));
    let kernel = Arc::new(Canned::parse(|path| tree.content(path)).expect("kernel entries"));
    let scraper = Scraper::build(ALL, &values(), tree.roots(), kernel).expect("default flags");
    let frozen = host::scrape(&scraper, &Selection::ALL).page;
    assert_eq!(redacted(&frozen), redacted(&live(AT).page));
}

#[test]
fn counters_do_not_fall_between_scrapes() {
    let (before, after) = (live(AT).page, live(AT + Duration::from_secs(15)).page);
    let before = exposition::parse(before.as_bytes()).expect("a page");
    let after = exposition::parse(after.as_bytes()).expect("a page");
    let mut moved = 0;
    for family in before.families.iter().filter(|family| family.kind == "counter") {
        let later = after.families.iter().find(|later| later.name == family.name).expect("a family that stays");
        for sample in &family.samples {
            let now = later.samples.iter().find(|now| now.series() == sample.series()).expect("a series that stays");
            assert!(now.number.0 >= sample.number.0, "{} fell to {}", sample.text, now.value);
            moved += usize::from(now.number.0 > sample.number.0);
        }
    }
    assert!(moved > 50, "only {moved} counters moved: the host is static");
}

/// Whether a host has a path that this read matches.
fn has(root: &dyn Root, read: &ReadInfo) -> bool {
    let (mut found, mut names) = (vec![String::new()], Names::new());
    for component in read.pattern.split('/') {
        let mut next = Vec::new();
        for above in &found {
            let join = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
            let Some((front, back)) = component.split_once('*') else {
                next.push(join(component));
                continue;
            };
            if component == "**" {
                below(root, above, &mut next);
                continue;
            }
            if root.list(above.as_bytes(), &mut names).is_err() {
                continue;
            }
            let all = names.iter().filter_map(|name| std::str::from_utf8(name).ok());
            let matching = all.filter(|name| name.strip_prefix(front).is_some_and(|rest| matches(rest, back)));
            next.extend(matching.map(join));
        }
        found = next;
    }
    let mut target = Vec::new();
    found.iter().any(|path| match read.access {
        Access::Link => root.read_link(path.as_bytes(), &mut target).is_ok(),
        Access::File => root.metadata(path.as_bytes()).is_ok_and(|metadata| metadata.kind == Kind::File),
        Access::Directory => root.metadata(path.as_bytes()).is_ok_and(|metadata| metadata.kind == Kind::Directory),
    })
}

/// Everything below a directory, recursively.
fn below(root: &dyn Root, directory: &str, found: &mut Vec<String>) {
    let mut names = Names::new();
    if root.list(directory.as_bytes(), &mut names).is_err() {
        return;
    }
    for (name, kind) in names.iter_kinds() {
        let path = format!("{directory}/{}", String::from_utf8_lossy(name));
        match kind {
            Kind::Directory => below(root, &path, found),
            _ => found.push(path),
        }
    }
}

/// Whether the text after a `*` matches the rest of the pattern, which may contain more of them.
fn matches(rest: &str, back: &str) -> bool {
    match back.split_once('*') {
        None => rest.ends_with(back),
        Some((middle, back)) => rest
            .match_indices(middle)
            .any(|(at, _)| rest.get(at + middle.len()..).is_some_and(|rest| matches(rest, back))),
    }
}

/// Settings for files that no default profile has: profile, setting, value.
const CHANGED: [(&str, &str, &str); 4] = [
    ("vm", "kernel", "3.10"),
    ("ib-hpc", "kernel", "3.10"),
    ("laptop", "kernel", "6.18"),
    ("pi4", "watchdog", "aspeed"),
];

#[test]
fn every_declared_read_has_a_generator() {
    let changed = |(profile, key, value): (&str, &str, &str)| {
        let machine = Machine::of(profile, SEED, &[(key, value)]).expect("a setting of the profile's");
        simulator::embedded(machine, || AT).roots()
    };
    let mut hosts: Vec<_> = profiles().iter().map(|profile| small(profile).roots()).collect();
    hosts.extend(CHANGED.map(changed));
    let mut missing = BTreeSet::new();
    for declaration in ALL.iter().map(|registration| registration.declaration) {
        // Paths from flags have no pattern.
        for read in declaration.reads.iter().filter(|read| read.mount != Mount::Host) {
            if !hosts.iter().any(|roots| has(roots.get(read.mount), read)) {
                missing.insert(format!("{} {}/{}", declaration.name, read.mount.name(), read.pattern));
            }
        }
    }
    assert!(missing.is_empty(), "reads without a generator: {missing:#?}");
}

fn small(profile: &'static Profile) -> Host {
    let machine = profile.machine(SEED, profile.small).expect("a profile's own overrides");
    simulator::embedded(machine, || AT)
}

/// Sysctls of each form: one number, several with names, several without, a word.
const SYSCTLS: [(&str, &str); 5] = [
    ("collector.sysctl.include", "vm.swappiness"),
    ("collector.sysctl.include", "net.ipv4.ip_local_port_range:first,last"),
    ("collector.sysctl.include", "kernel.printk"),
    ("collector.sysctl.include", "net.ipv4.conf.lo.forwarding"),
    ("collector.sysctl.include-info", "net.core.default_qdisc"),
];

/// The page of each collector on each profile, one snapshot each.
#[test]
fn every_profile_matches_its_snapshots() {
    for profile in profiles() {
        let host = small(profile);
        let mut values = values();
        for declaration in ALL.iter().map(|registration| registration.declaration) {
            values.enable(declaration.name, true);
        }
        for (name, sysctl) in SYSCTLS {
            let flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
            let flag = flags.into_iter().find(|flag| flag.name == name).expect("a flag of sysctl's");
            values.give(flag, sysctl).expect("a sysctl");
        }
        let scraper = Scraper::build(ALL, &values, host.roots(), host.kernel()).expect("default flags");
        let folder = format!("snapshots/profiles/{}", profile.name);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let mut shown = BTreeSet::new();
        for registration in ALL {
            let collector = registration.declaration.name;
            let scraped = host::scrape(&scraper, &scraper.only(&[collector]).expect("every collector is on"));
            let mut complaints = scraped.failed.values().chain(scraped.noted.values()).flatten();
            let page = &scraped.page;
            // Missing files of this kind of host are not part of the snapshot.
            let has_samples = page.lines().any(|line| !line.starts_with('#') && !line.starts_with("node_scrape_"));
            let is_absence =
                |complaint: &&String| complaint.contains("(ENOENT)") || complaint.contains("has no answer");
            if !has_samples && complaints.all(|complaint| is_absence(&complaint)) {
                continue;
            }
            shown.insert(format!("{collector}.snap"));
            settings.bind(|| insta::assert_snapshot!(collector, scraped.snapshot()));
        }
        let there = load::names(&load::workspace().join("harness/tests").join(&folder)).expect("a folder of snapshots");
        let there: BTreeSet<String> = there.into_iter().collect();
        assert_eq!(there, shown, "{}: snapshots without a collector", profile.name);
    }
}
