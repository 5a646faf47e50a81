//! Families of this machine: what the peer shows of it, we show as well, with the same type and the same names of labels.

use std::collections::{BTreeMap, BTreeSet};

use collectors::ALL;
use harness::difference::identity::is_left_out;
use harness::exposition::{self, Format};
use harness::load;
use harness::peer::{Peer, Program};
use harness::requirements::Requirement;
use regex::Regex;

use super::agreement::{knowledge, program};

/// A family that is missing or other in one round may come or go; it counts in all of them.
const ROUNDS: usize = 3;

/// Collectors of the peer that are left out where the requirement is not met, and why.
const LEFT_OUT: [(&str, Requirement, &str); 1] =
    [("perf", Requirement::HardwareEvents, "1.5.0 does not start where hardware events cannot be counted")];

/// Families that differ beside those of docs/DIFFERENCES.md, and why.
const EXCEPTIONS: &[(&str, &str)] = &[("^(go|promhttp)_", "metrics of the Go runtime and of the peer's HTTP library")];

/// Type and names of labels of each family with samples.
type Shapes = BTreeMap<String, (String, BTreeSet<String>)>;

fn shapes(exporter: &Peer) -> Shapes {
    let page = exporter.url().get(Format::Text).expect("a page").body;
    let page = exposition::parse(&page).expect("a well-formed page");
    let families = page.families.iter().filter(|family| !family.samples.is_empty());
    let shape = families.map(|family| {
        let labels = family.samples.iter().flat_map(|sample| &sample.labels).map(|(name, _)| name.to_string());
        (family.name.to_owned(), (family.kind.to_string(), labels.collect()))
    });
    shape.collect()
}

/// Differences of the peer's families from ours.
fn differences(program: &Program, ours: &Shapes, theirs: &Shapes) -> BTreeSet<String> {
    let knowledge = knowledge(program);
    let exceptions = EXCEPTIONS.iter().map(|(pattern, _)| Regex::new(pattern).expect("a pattern"));
    let exceptions: Vec<Regex> = exceptions.collect();
    let is_known = |name: &str| {
        knowledge.known.iter().any(|row| row.pattern.is_match(name))
            || exceptions.iter().any(|exception| exception.is_match(name))
    };
    let is_compared = |name: &str| !is_left_out(name) && !is_known(name);
    let mut found = BTreeSet::new();
    for (name, (kind, labels)) in theirs.iter().filter(|(name, _)| is_compared(name)) {
        let Some((own_kind, own_labels)) = ours.get(name) else {
            found.insert(format!("{name} is missing"));
            continue;
        };
        if own_kind != kind {
            found.insert(format!("{name} is a {own_kind}, and a {kind} there"));
        }
        let is_added = |label: &String| {
            knowledge.added.iter().any(|added| added.label == **label && added.families.is_match(name))
        };
        let own_labels: BTreeSet<&String> = own_labels.iter().filter(|label| !is_added(label)).collect();
        if !own_labels.iter().copied().eq(labels) {
            found.insert(format!("{name} has the labels {own_labels:?}, and {labels:?} there"));
        }
    }
    found
}

fn check(program: &Program, flags: &[String], minimum: usize) {
    let (_folder, textfiles) = textfiles();
    let flags: Vec<String> = flags.iter().cloned().chain([textfiles]).collect();
    let ours = Peer::start(&Requirement::Exporter.path(), &flags).expect("our exporter");
    let theirs = Peer::start(&Requirement::Peer.path(), &flags).expect("the peer");
    let mut lasting: Option<BTreeSet<String>> = None;
    let mut families = 0;
    for _ in 0..ROUNDS {
        let (own, other) = (shapes(&ours), shapes(&theirs));
        families = own.keys().filter(|name| other.contains_key(*name)).count();
        let found = differences(program, &own, &other);
        lasting = Some(lasting.map_or_else(|| found.clone(), |before| &before & &found));
    }
    let lasting = lasting.unwrap_or_default();
    println!("{families} families of both");
    assert!(families >= minimum, "only {families} common families");
    assert!(lasting.is_empty(), "{lasting:#?}");
}

/// A folder with one metric, so that textfiles have their families.
fn textfiles() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    load::write(&folder.path().join("own.prom"), b"# TYPE own_metric gauge\nown_metric{a=\"b\"} 1\n")
        .expect("a textfile");
    let flag = format!("--collector.textfile.directory={}", folder.path().display());
    (folder, flag)
}

pub(crate) fn no_family_of_the_peer_is_missing_by_default() {
    check(&program(), &[], 100);
}

pub(crate) fn no_family_of_the_peer_is_missing_with_every_collector() {
    let program = program();
    let is_left_out = |name: &&str| {
        LEFT_OUT.iter().any(|(collector, requirement, _)| collector == name && !requirement.is_available())
    };
    let names = ALL.iter().map(|registration| registration.declaration.name);
    let collectors = program.collectors();
    let absent: Vec<&&str> = collectors.iter().filter(|name| !names.clone().any(|known| known == **name)).collect();
    println!("collectors that we do not have: {absent:?}");
    let collectors = collectors.iter().filter(|name| !is_left_out(name) && !absent.contains(name));
    let flags: Vec<String> = collectors.map(|name| format!("--collector.{name}")).collect();
    check(&program, &flags, 200);
}
