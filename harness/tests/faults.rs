//! Every read of every collector on every fixture host with every kind of fault: the page is served and well formed,
//! nothing panics, and samples of other collectors do not change.

#[path = "faults/hanging.rs"]
mod hanging;
#[path = "faults/host.rs"]
mod host;
#[path = "faults/isolation.rs"]
mod isolation;
#[path = "faults/reads.rs"]
mod reads;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use collectors::ALL;
use harness::faults::FaultEffect;
use harness::property::table;

use host::{Flags, Host, One, Source};
use reads::pattern;

/// The fixture hosts.
const FIXTURES: [&str; 3] = ["laptop", "bonded", "old310"];

/// Reads that need another host or a flag: name of the table, collector, host, flags.
const MORE: [(&str, &str, Source, Flags); 11] = [
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
    ("perf-tracepoint", "perf", Source::Simulated("vm", &[]), &[("collector.perf.tracepoint", "sched:sched_switch")]),
    (
        "perf-tracepoint-old",
        "perf",
        Source::Fixture("old310", &[]),
        &[("collector.perf.tracepoint", "sched:sched_switch")],
    ),
    ("os-without-etc", "os", Source::Fixture("laptop", &[("rootfs/etc/os-release", None)]), &[]),
];

/// Location of the sensor on old kernels.
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

/// The tables of one fixture host, one snapshot per collector.
fn tables_of(name: &'static str) {
    let cases = Cell::new(0);
    let _bound = bind(name);
    for collector in ALL.iter().map(|registration| registration.declaration.name) {
        check(collector, collector, Source::Fixture(name, &[]), &[], &cases);
    }
    println!("{name}: {} cases", cases.get());
}

#[track_caller]
fn check(name: &str, collector: &'static str, source: Source, flags: Flags, cases: &Cell<usize>) {
    let mut one = One::new(Host::new(source, flags), collector, cases);
    let table = table(&mut one).unwrap_or_else(|violation| panic!("{violation}"));
    insta::assert_snapshot!(name, table);
}

#[test]
fn faults_on_the_laptop_match_the_snapshots() {
    tables_of("laptop");
}

#[test]
fn faults_on_the_bonded_server_match_the_snapshots() {
    tables_of("bonded");
}

#[test]
fn faults_on_kernel_310_match_the_snapshots() {
    tables_of("old310");
}

#[test]
fn faults_of_reads_that_need_a_flag_or_another_host_match_the_snapshots() {
    let cases = Cell::new(0);
    let _bound = bind("more");
    for (name, collector, source, flags) in MORE {
        check(name, collector, source, flags, &cases);
    }
    println!("more: {} cases", cases.get());
}

/// Emulated kernels and hand-written files omit the final newline; the last line is complete.
#[test]
fn a_file_without_its_final_newline_costs_nothing() {
    let (mut shortened, mut damaged) = (BTreeSet::new(), Vec::new());
    for name in FIXTURES {
        let source = Source::Fixture(name, &[]);
        let (host, tree) = (Host::new(source, &[]), source.tree());
        for collector in ALL.iter().map(|registration| registration.declaration.name) {
            host.breakable.take_accesses();
            let sound = host.scrape(collector);
            for question in host.breakable.take_accesses().into_keys() {
                let path = question.to_string();
                if path.ends_with(TEXTFILES) {
                    continue;
                }
                let mut tree = tree.clone();
                let Some(content) = tree.content_mut(&path) else { continue };
                let [.., last, b'\n'] = content.as_slice() else { continue };
                if *last == b'\n' {
                    continue;
                }
                content.pop();
                shortened.insert(format!("{collector} {path}"));
                let scraper = harness::host::scraper_with(tree, &[], |roots| roots);
                let outcome = host.with(scraper).scrape(collector);
                let effect = FaultEffect::between(&sound.samples, &outcome.samples);
                let is_same = (outcome.is_success, &outcome.complaints) == (sound.is_success, &sound.complaints);
                if effect != FaultEffect::default() || !is_same {
                    damaged.push(format!("{name}: {collector}: {path}: {effect}: {:?}", outcome.complaints));
                }
            }
        }
    }
    assert!(damaged.is_empty(), "samples were lost with a final newline: {damaged:#?}");
    assert!(shortened.len() > MANY_FILES, "only {shortened:?} end in a newline");
}

/// Textfiles require a final newline: without it the file may be truncated.
const TEXTFILES: &str = ".prom";
/// The fixture hosts have more files than this.
const MANY_FILES: usize = 200;

/// A read that no host of the tables has would be untested.
#[test]
fn every_declared_read_is_in_a_table() {
    let mut missing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for declaration in ALL.iter().map(|registration| registration.declaration) {
        let reads = declaration.reads.iter().map(|read| format!("{}/{}", read.mount.name(), read.pattern));
        missing.entry(declaration.name).or_default().extend(reads);
    }
    let mut find = |host: &Host, collector: &'static str| {
        host.breakable.take_accesses();
        host.scrape(collector);
        let missing = missing.entry(collector).or_default();
        for question in host.breakable.take_accesses().into_keys() {
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
    assert!(missing.is_empty(), "add a host to MORE that has these reads: {missing:#?}");
}
