//! Cases that run in a network namespace: its devices, and exporters in it.

#![expect(clippy::disallowed_methods, reason = "the test changes the network of its namespace")]

use std::collections::BTreeSet;
use std::process::{Command, ExitCode, Stdio};

use harness::peer::Peer;
use harness::requirements::{self, Requirement};

use super::CASES;

/// Marks the program that runs in the namespace; the name of a case follows.
const MARK: &str = "--in-namespace";

/// Runs this program again for a case, in a namespace of its own.
#[track_caller]
pub(super) fn case(name: &str) {
    let own = std::env::current_exe().expect("the path of this program");
    let status = requirements::namespaces(&own, &[MARK, name]).expect("unshare runs");
    assert!(status.success(), "{status}");
}

/// Runs a case if this program is the inner one.
pub(super) fn run_if_marked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip_while(|argument| argument != MARK);
    arguments.next()?;
    let name = arguments.next().unwrap_or_default();
    let (_, case) = CASES.iter().find(|(known, _)| **known == *name).expect("a case");
    // /sys shows the devices of the namespace that it was mounted in.
    let status = Command::new("mount").args(["-t", "sysfs", "sysfs", "/sys"]).status().expect("mount runs");
    assert!(status.success(), "mount: {status}");
    ip(&["link set lo up"]);
    case();
    Some(ExitCode::SUCCESS)
}

/// Runs `ip` with each of these lines.
#[track_caller]
pub(super) fn ip(lines: &[&str]) {
    for line in lines {
        let status = Command::new("ip").args(line.split(' ')).stdin(Stdio::null()).status().expect("ip runs");
        assert!(status.success(), "ip {line}: {status}");
    }
}

/// Starts an exporter with this collector alone.
pub(super) fn exporter(requirement: Requirement, collector: &str, flags: &[&str]) -> Peer {
    let mut arguments = vec!["--collector.disable-defaults".to_owned(), format!("--collector.{collector}")];
    arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
    Peer::start(&requirement.path(), &arguments).expect("an exporter")
}

pub(super) fn page(exporter: &Peer) -> String {
    String::from_utf8(exporter.get("/metrics").expect("a page")).expect("UTF-8")
}

/// The samples of a page whose names begin with one of these words, and the success of the collector.
pub(super) fn samples(page: &str, names: &[&str]) -> BTreeSet<String> {
    let names: Vec<&str> = names.iter().copied().chain(["node_scrape_collector_success"]).collect();
    let lines = page.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
    lines.map(str::to_owned).collect()
}

/// The samples of both exporters, which must be equal.
#[track_caller]
pub(super) fn agreed(collector: &str, flags: &[&str], names: &[&str]) -> BTreeSet<String> {
    agreed_without(collector, flags, names, |sample| Some(sample.to_owned()))
}

/// The samples of ours. Those of both exporters must be equal after a change that leaves out what cannot be compared.
#[track_caller]
pub(super) fn agreed_without(
    collector: &str,
    flags: &[&str],
    names: &[&str],
    common: fn(&str) -> Option<String>,
) -> BTreeSet<String> {
    let [ours, theirs] = [Requirement::Exporter, Requirement::Peer]
        .map(|program| samples(&page(&exporter(program, collector, flags)), names));
    let compared: BTreeSet<String> = ours.iter().filter_map(|sample| common(sample)).collect();
    let theirs: BTreeSet<String> = theirs.iter().filter_map(|sample| common(sample)).collect();
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(only(&compared, &theirs), <[String; 0]>::default(), "only ours: {flags:?}");
    assert_eq!(only(&theirs, &compared), <[String; 0]>::default(), "only the peer's: {flags:?}");
    ours
}

/// Asserts that these samples are there.
#[track_caller]
pub(super) fn assert_has(samples: &BTreeSet<String>, expected: &[&str]) {
    for sample in expected {
        assert!(samples.contains(*sample), "{sample} is not in {samples:#?}");
    }
}
