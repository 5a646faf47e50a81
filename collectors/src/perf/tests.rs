use super::*;
use crate::kit::declare::Declared;
use crate::kit::testing::{given, scrape};
use proptest::prelude::*;

const ONLINE_FILE: &str = "== sys/devices/system/cpu/online\n0-1\n";
const SOFTWARE_COUNTS: &str = "== kernel/perf\n\
    context-switches 0 70\ncontext-switches 1 71\ncpu-migrations 0 8\ncpu-migrations 1 9\nmajor-faults 0 1\n\
    major-faults 1 0\nminor-faults 0 19\nminor-faults 1 30\npage-faults 0 20\npage-faults 1 30\n";
const SOFTWARE_EMITTED: &str = "node_perf_context_switches_total{cpu=\"0\"} 70\n\
    node_perf_context_switches_total{cpu=\"1\"} 71\nnode_perf_cpu_migrations_total{cpu=\"0\"} 8\n\
    node_perf_cpu_migrations_total{cpu=\"1\"} 9\nnode_perf_major_faults_total{cpu=\"0\"} 1\n\
    node_perf_major_faults_total{cpu=\"1\"} 0\nnode_perf_minor_faults_total{cpu=\"0\"} 19\n\
    node_perf_minor_faults_total{cpu=\"1\"} 30\nnode_perf_page_faults_total{cpu=\"0\"} 20\n\
    node_perf_page_faults_total{cpu=\"1\"} 30\n";
const NO_HARDWARE_FLAGS: [&str; 2] =
    ["--collector.perf.disable-hardware-profilers", "--collector.perf.disable-cache-profilers"];
const NO_EVENTS: [&str; 3] =
    [NO_HARDWARE_FLAGS[0], NO_HARDWARE_FLAGS[1], "--collector.perf.disable-software-profilers"];

/// Those lines of [`SOFTWARE_EMITTED`] that have this text.
fn emitted_with(text: &str) -> String {
    SOFTWARE_EMITTED.split_inclusive('\n').filter(|line| line.contains(text)).collect()
}

/// A host of two CPUs with these counts.
fn host(counts: &str) -> String {
    [ONLINE_FILE, counts].concat()
}

#[test]
fn software_events_are_shown_by_cpu() {
    given(&host(SOFTWARE_COUNTS)).flags(&NO_HARDWARE_FLAGS).emits::<Perf>(SOFTWARE_EMITTED);
}

#[test]
fn every_profiler_has_its_family() {
    let counts: Vec<String> = events().map(|event| format!("{} 1 7\n", event.name.escape_ascii())).collect();
    let counts = counts.concat();
    let scraped = given(&format!("{ONLINE_FILE}== kernel/perf\n{counts}")).scrape::<Perf>();
    let mut names: Vec<_> = Perf::DECLARATION.families.iter().map(|family| family.name).collect();
    names.sort_unstable();
    let expected: Vec<String> = names
        .iter()
        .map(|name| {
            format!(
                "{name}{{cpu=\"1\"}} 7
"
            )
        })
        .collect();
    let expected = expected.concat();
    assert_eq!(scraped.samples(), expected);
    assert_eq!(scraped.complaints, <[String; 0]>::default());
    assert_eq!(events().count(), 30);
}

/// Numbers of include/uapi/linux/perf_event.h: cache, operation in the second byte, result in the third.
#[test]
fn events_of_caches_have_the_kernels_numbers() {
    for (name, config) in [
        ("L1-dcache-loads", 0),
        ("L1-icache-load-misses", 0x1_0001),
        ("LLC-store-misses", 0x1_0102),
        ("dTLB-stores", 0x103),
        ("iTLB-loads", 4),
        ("branch-load-misses", 0x1_0005),
    ] {
        let event = events().find(|event| event.name == name.as_bytes()).expect(name);
        assert_eq!((event.kind, event.config), (PerfType::HardwareCache, config), "{name}");
    }
}

/// Most virtual machines have no counters of hardware events.
#[test]
fn events_that_cannot_be_counted_are_reported_and_no_failure() {
    let scraped = given(&host(SOFTWARE_COUNTS)).scrape::<Perf>();
    assert_eq!(scraped.samples(), SOFTWARE_EMITTED);
    assert!(scraped.page.contains("node_scrape_collector_success{collector=\"perf\"} 1\n"), "{}", scraped.page);
    let reason = "no such file or directory (ENOENT)";
    assert_eq!(
        scraped.complaints,
        [
            format!("hardware: 18 of 18 counters are refused: cpu-cycles: {reason}"),
            format!("cache: 32 of 32 counters are refused: L1-dcache-loads: {reason}"),
        ]
    );
}

#[test]
fn a_counter_that_is_refused_costs_its_own_sample() {
    let counts = SOFTWARE_COUNTS.replace("page-faults 1 30\n", "page-faults 1 EMFILE\n");
    let scraped = given(&host(&counts)).flags(&NO_HARDWARE_FLAGS).scrape::<Perf>();
    assert_eq!(scraped.samples(), SOFTWARE_EMITTED.replace("node_perf_page_faults_total{cpu=\"1\"} 30\n", ""));
    assert_eq!(
        scraped.complaints,
        ["software: 1 of 10 counters are refused: page-faults on CPU 1: too many open files (EMFILE)"],
    );
}

#[test]
fn without_any_count_it_fails() {
    let refused: String = ["page-faults", "context-switches", "cpu-migrations", "minor-faults", "major-faults"]
        .map(|name| format!("{name} error=EACCES\n"))
        .concat();
    let text = format!("{ONLINE_FILE}== kernel/perf\n{refused}");
    given(&text).flags(&NO_HARDWARE_FLAGS).fails::<Perf>("", "no event can be counted");
    given(&text)
        .flags(&NO_HARDWARE_FLAGS)
        .fails::<Perf>("", "software: 10 of 10 counters are refused: page-faults: permission denied (EACCES)");
    given(ONLINE_FILE).fails::<Perf>("", "no event can be counted");
    given("").fails::<Perf>("", "sys/devices/system/cpu/online: no such file or directory (ENOENT)");
    given(ONLINE_FILE).flags(&NO_EVENTS).emits::<Perf>("");
}

#[test]
fn profilers_can_be_chosen() {
    let chosen = |flags: &[&str]| {
        let mut flags = flags.to_vec();
        flags.extend(NO_HARDWARE_FLAGS);
        let scraper = given(&host(SOFTWARE_COUNTS)).flags(&flags).scraper::<Perf>().unwrap();
        (scrape(&scraper).samples(), scraper.notices().to_vec())
    };
    let flag = "--collector.perf.software-profilers";
    let faults = emitted_with("page_faults");
    let notices = vec![format!("{flag}: unknown profiler `PageFaults`")];
    assert_eq!(chosen(&[&format!("{flag}=PageFault")]), (faults.clone(), Vec::new()));
    let flags = [format!("{flag}=PageFault"), format!("{flag}=PageFaults")];
    assert_eq!(chosen(&flags.each_ref().map(String::as_str)), (faults, notices.clone()));
    // As in node_exporter, where nothing chosen is everything.
    assert_eq!(chosen(&[&format!("{flag}=PageFaults")]), (SOFTWARE_EMITTED.to_owned(), notices));
}

#[test]
fn cpus_can_be_chosen() {
    let check = |cpus: &str, expected: &[u32]| assert_eq!(parse_cpus(cpus).as_deref(), Ok(expected), "{cpus}");
    check("0", &[0]);
    check("3,1,1-2", &[1, 2, 3]);
    check("1-10:5", &[1, 6]);
    check("65535", &[65_535]);
    check("5-3", &[]);
    for bad in ["", "x", "1,", "1-", "-1", "1-2-3", "1-4:0", "3:2", "1-2:3:4", "65536", "0-4294967296"] {
        let error = parse_cpus(bad).expect_err(bad);
        assert!(error.starts_with("--collector.perf.cpus: expected CPUs up to 65535, as "), "{error}");
    }
    given("").flags(&["--collector.perf.cpus=1-x"]).is_refused::<Perf>("found `1-x`");
    let expected = emitted_with("cpu=\"1\"");
    let flags = [NO_HARDWARE_FLAGS[0], NO_HARDWARE_FLAGS[1], "--collector.perf.cpus=1"];
    given(SOFTWARE_COUNTS).flags(&flags).emits::<Perf>(&expected);
}

#[test]
fn tracepoints_have_families_of_their_names() {
    let flags: Vec<&str> = NO_EVENTS
        .into_iter()
        .chain(["--collector.perf.tracepoint=sched:sched_switch", "--collector.perf.tracepoint=irq-x:entry"])
        .collect();
    let text = "== sys/kernel/tracing/events/sched/sched_switch/id\n315\n\
        == sys/kernel/debug/tracing/events/irq-x/entry/id\n7\n\
        == kernel/perf\nsched:sched_switch 0 5\nsched:sched_switch 1 6\nirq-x:entry 1 2\n";
    given(&host(text)).flags(&flags).emits::<Perf>(
        "node_perf_irq_x_entry{cpu=\"1\"} 2\nnode_perf_sched_sched_switch{cpu=\"0\"} 5\n\
        node_perf_sched_sched_switch{cpu=\"1\"} 6\n",
    );
    let missing = text.replace("irq-x/entry", "irq-x/exit");
    given(&host(&missing)).flags(&flags).fails::<Perf>(
        "node_perf_sched_sched_switch{cpu=\"0\"} 5\nnode_perf_sched_sched_switch{cpu=\"1\"} 6\n",
        "sys/kernel/debug/tracing/events/irq-x/entry/id: no such file or directory (ENOENT)",
    );
    for bad in ["sched", "sched:", ":x", "a:b:c", "../x:y", "..:x", "a:."] {
        given("")
            .flags(&[&format!("--collector.perf.tracepoint={bad}")])
            .is_refused::<Perf>(&format!("--collector.perf.tracepoint: expected `subsystem:event`, found `{bad}`"));
    }
}

#[test]
fn a_bad_list_of_cpus_costs_its_own_part() {
    let text = host(SOFTWARE_COUNTS).replace("0-1", "0,x");
    let expected = emitted_with("cpu=\"0\"");
    let complaint = "sys/devices/system/cpu/online: list: expected a number up to 65535, or two as `0-3`, found \"x\"";
    given(&text).flags(&NO_HARDWARE_FLAGS).fails::<Perf>(&expected, complaint);
    given("== sys/devices/system/cpu/online\n\n")
        .fails::<Perf>("", "sys/devices/system/cpu/online: list: expected at least one CPU, found nothing");
}

proptest! {
    #[test]
    fn ranges_have_the_cpus_of_their_strides(first in 0_u32..100, more in 0_u32..100, stride in 1_u32..20) {
        let expected: Vec<u32> = (first..=first + more).filter(|cpu| (cpu - first) % stride == 0).collect();
        prop_assert_eq!(parse_cpus(&format!("{first}-{}:{stride}", first + more)), Ok(expected));
    }

    #[test]
    fn any_text_is_a_list_of_cpus_or_refused(text in "[0-9,:x-]{0,12}") {
        let _ = parse_cpus(&text);
    }
}
