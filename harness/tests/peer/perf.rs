//! Events of perf, counted by both exporters on this machine.

use std::collections::BTreeMap;
use std::path::Path;

use collectors::perf;
use harness::exposition::{self, Format};
use harness::load;
use harness::peer::Peer;
use harness::requirements::Requirement;

const FLAGS: [&str; 3] = ["--collector.disable-defaults", "--web.disable-exporter-metrics", "--collector.perf"];
/// Software events alone.
const NO_HARDWARE: [&str; 2] =
    ["--collector.perf.disable-hardware-profilers", "--collector.perf.disable-cache-profilers"];
const SWITCHES: &str = "counter node_perf_context_switches_total";
const TRACEPOINT: &str = "--collector.perf.tracepoint=sched:sched_switch";
const TRACEPOINT_FAMILY: &str = "counter node_perf_sched_sched_switch";

/// Series with their values. Types are a part of the name: they have to be equal as well.
type Counts = BTreeMap<String, f64>;

fn counts(exporter: &Peer) -> Counts {
    let page = exporter.url().get(Format::Text).expect("a page").body;
    let page = exposition::parse(&page).expect("a well-formed page");
    let families = page.families.iter().filter(|family| family.name.starts_with("node_perf_"));
    let series = families.flat_map(|family| {
        family.samples.iter().map(|sample| {
            let (series, value) = sample.text.rsplit_once(' ').expect("a value");
            (format!("{} {series}", family.kind), value.parse().expect("a number"))
        })
    });
    series.collect()
}

/// Something to count: page faults and context switches.
fn work() {
    for _ in 0..20 {
        let pages = vec![1_u8; 1 << 20];
        assert_eq!(pages.iter().step_by(4096).map(|&byte| u32::from(byte)).sum::<u32>(), 256);
        std::thread::spawn(std::thread::yield_now).join().expect("a thread");
    }
}

fn start(program: &Path, flags: &[&str]) -> Peer {
    let flags: Vec<String> = FLAGS.iter().chain(flags).map(|&flag| flag.to_owned()).collect();
    Peer::start(program, &flags).expect("an exporter that counts events")
}

/// Whatever counts the same events counts no less between two reads than another counter between two reads within.
fn agree(outer: impl Fn() -> Counts, other: impl Fn() -> Counts) {
    // Counters are opened by the first read.
    let _ = (outer(), other());
    let outer_begin = outer();
    let other_begin = other();
    let inner_begin = outer();
    work();
    let inner_end = outer();
    let other_end = other();
    let outer_end = outer();
    assert!(!other_begin.is_empty(), "nothing is counted");
    let mut sum = 0.0;
    for series in other_begin.keys() {
        let within = |begin: &Counts, end: &Counts| {
            let value =
                |counts: &Counts| *counts.get(series).unwrap_or_else(|| panic!("{series} is not in {counts:#?}"));
            value(end) - value(begin)
        };
        let inner = within(&inner_begin, &inner_end);
        let middle = within(&other_begin, &other_end);
        let outer = within(&outer_begin, &outer_end);
        assert!((0.0..=middle).contains(&inner) && middle <= outer, "{series}: {inner} <= {middle} <= {outer}");
        sum += inner;
    }
    assert!(sum > 0.0, "nothing was counted");
}

/// Those of a family, by CPU.
fn by_cpu(counts: Counts, family: &str) -> Counts {
    counts.into_iter().filter_map(|(series, value)| Some((series.strip_prefix(family)?.to_owned(), value))).collect()
}

pub(crate) fn the_peer_counts_the_same_events() {
    let ours = start(&Requirement::Exporter.path(), &[]);
    let theirs = start(&Requirement::Peer.path(), &[]);
    agree(|| counts(&ours), || counts(&theirs));
}

pub(crate) fn the_kernel_counts_the_same_context_switches() {
    let ours = start(&Requirement::Exporter.path(), &NO_HARDWARE);
    let sum = |value| Counts::from([("sum".to_owned(), value)]);
    let of_all_cpus = || sum(by_cpu(counts(&ours), SWITCHES).values().sum());
    let of_the_kernel = || {
        let stat = load::text(Path::new("/proc/stat")).expect("/proc/stat");
        let row = stat.lines().find_map(|line| line.strip_prefix("ctxt ")).expect("context switches");
        sum(row.parse().expect("a number"))
    };
    agree(of_the_kernel, of_all_cpus);
}

/// The file system of tracepoints is mounted for the exporter alone.
pub(crate) fn a_tracepoint_counts_what_its_software_event_counts() {
    let exporter = Requirement::Exporter.path();
    let script = "mount -t tracefs none /sys/kernel/tracing && exec \"$@\"";
    let in_namespace = ["--mount", "--", "sh", "-c", script, "sh", &exporter.display().to_string()].map(str::to_owned);
    let flags = FLAGS.iter().chain(&NO_HARDWARE).chain(&["--collector.perf.disable-software-profilers", TRACEPOINT]);
    let arguments: Vec<String> = in_namespace.into_iter().chain(flags.map(|&flag| flag.to_owned())).collect();
    let tracing = Peer::start(&Requirement::Namespaces.path(), &arguments).expect("an exporter in a mount namespace");
    let ours = start(&exporter, &NO_HARDWARE);
    agree(|| by_cpu(counts(&tracing), TRACEPOINT_FAMILY), || by_cpu(counts(&ours), SWITCHES));
}

/// Every event that this machine counts is shown, for each CPU, and the other ones cost nothing.
pub(crate) fn hardware_events_are_shown_where_there_are_counters() {
    let ours = start(&Requirement::Exporter.path(), &[]);
    let found = counts(&ours);
    let cpus = found.keys().filter(|series| series.starts_with(SWITCHES)).count();
    assert!(cpus > 0 && found.len() >= 5 * cpus && found.len() <= perf::events().count() * cpus, "{found:#?}");
    let page = String::from_utf8(ours.get("/metrics").expect("a page")).expect("UTF-8");
    assert!(page.contains("node_scrape_collector_success{collector=\"perf\"} 1\n"), "{page}");
}
