//! Isolation: a fault of one collector on the page of all collectors.

use std::collections::{BTreeMap, BTreeSet};

use collectors::ALL;
use collectors::kit::declare::Declaration;
use collectors::kit::scraper::Selection;
use harness::meter::MountPath;
use simulator::fault::Kind;

use crate::host::{Host, Source};

/// The tables test each collector alone; here all run together, and only those that read the faulty file may change.
#[test]
fn a_faulty_file_does_not_change_samples_of_other_collectors() {
    let host = Host::new(Source::Fixture("laptop", &[]), &[]);
    let askers: BTreeMap<&str, BTreeSet<MountPath>> = ALL
        .iter()
        .map(|registration| registration.declaration.name)
        .map(|collector| {
            host.breakable.take_accesses();
            host.scrape(collector);
            (collector, host.breakable.take_accesses().into_keys().collect())
        })
        .collect();
    let whole = || harness::host::scrape(&host.scraper, &Selection::ALL).page;
    let mut owners = BTreeMap::new();
    let sound = whole();
    let sound = shares(&sound, &mut owners);
    let all: BTreeSet<&MountPath> = askers.values().flatten().collect();
    for question in all {
        host.breakable.inject(question, Kind::Garbage);
        let broken = whole();
        let broken = shares(&broken, &mut owners);
        for (collector, _) in askers.iter().filter(|(_, asked)| !asked.contains(question)) {
            assert_eq!(broken.get(collector), sound.get(collector), "{collector} does not ask for {question}");
        }
    }
}

/// The lines of a page by collector. `owners` are those of each family seen before.
fn shares<'a>(page: &'a str, owners: &mut BTreeMap<String, Vec<&'static str>>) -> BTreeMap<&'static str, Vec<&'a str>> {
    let mut shares: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.contains("_duration_seconds{")) {
        // Success of a collector belongs to it, as its families do.
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

/// The collectors that own a family, or `{collector="…"}`.
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
fn lines_are_assigned_to_their_collectors() {
    let page = "# TYPE node_load1 gauge\nnode_load1 1\nnode_vmstat_x 2\nnode_scrape_collector_success{collector=\"loadavg\"} 1\n\
        node_scrape_collector_duration_seconds{collector=\"loadavg\"} 3\nunknown{a=\"b\"} 4\n";
    let found = shares(page, &mut BTreeMap::new());
    let expected = [
        ("loadavg", vec!["node_load1 1", "node_scrape_collector_success{collector=\"loadavg\"} 1"]),
        ("vmstat", vec!["node_vmstat_x 2"]),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}
