//! Tests of the whole collector; its modules have their own.

#![cfg(test)]

use std::sync::Arc;

use super::*;
use crate::host::kernel::canned::Canned;
use crate::host::root::tree::Tree;
use crate::kit::declare::{Declared, Registration};
use crate::kit::options::FlagValues;
use crate::kit::scraper::Scraper;
use crate::kit::testing::{given, scrape};

const STAT_FILE: &str = "== proc/stat\ncpu  9 9 9 9 9 9 9 9 9 9\ncpu1 101 2 3 400 5 6 7 8 9 10\n";
const SECONDS_LINES: &str = "node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 4\n\
    node_cpu_seconds_total{cpu=\"1\",mode=\"iowait\"} 0.05\nnode_cpu_seconds_total{cpu=\"1\",mode=\"irq\"} 0.06\n\
    node_cpu_seconds_total{cpu=\"1\",mode=\"nice\"} 0.02\nnode_cpu_seconds_total{cpu=\"1\",mode=\"softirq\"} 0.07\n\
    node_cpu_seconds_total{cpu=\"1\",mode=\"steal\"} 0.08\nnode_cpu_seconds_total{cpu=\"1\",mode=\"system\"} 0.03\n\
    node_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 1.01\n";
const GUEST_LINES: &str = "node_cpu_guest_seconds_total{cpu=\"1\",mode=\"nice\"} 0.1\n\
    node_cpu_guest_seconds_total{cpu=\"1\",mode=\"user\"} 0.09\n";
const NO_GUEST: &str = "--no-collector.cpu.guest";

#[test]
fn times_are_exported_in_seconds_by_mode() {
    given(STAT_FILE).emits::<Cpu>(&format!("{GUEST_LINES}{SECONDS_LINES}"));
    given(STAT_FILE).flags(&[NO_GUEST]).emits::<Cpu>(SECONDS_LINES);
}

#[test]
fn the_length_of_ticks_is_that_of_the_kernel() {
    let kernel = "== kernel/system\nticks_per_second 1000\npage_size_bytes 4096\n";
    let scraped = given(&format!("{kernel}{STAT_FILE}")).scrape::<Cpu>();
    assert!(scraped.samples().contains("{cpu=\"1\",mode=\"user\"} 0.101\n"), "{}", scraped.samples());
}

#[test]
fn a_bad_row_costs_only_its_own_samples() {
    given(&format!("{STAT_FILE}cpu2 1 2 3 -4\ncpux 1 2 3 4\nintr x\n"))
        .flags(&[NO_GUEST])
        .fails::<Cpu>(SECONDS_LINES, "proc/stat:3: idle: expected an unsigned integer, found \"-4\"");
}

#[test]
fn other_samples_are_exported_without_times() {
    given("== sys/devices/system/cpu/isolated\n2\n")
        .fails::<Cpu>("node_cpu_isolated{cpu=\"2\"} 1\n", "proc/stat: no such file or directory");
}

/// Samples other than CPU times, and problems.
#[track_caller]
fn beside(entries: &str, flags: &[&str]) -> (String, Vec<String>) {
    let scraped = given(&format!("{STAT_FILE}{entries}")).flags(flags).scrape::<Cpu>();
    let samples = scraped.samples();
    assert!(samples.contains(SECONDS_LINES) && samples.contains(GUEST_LINES), "{samples}");
    (samples.replace(SECONDS_LINES, "").replace(GUEST_LINES, ""), scraped.complaints)
}

#[track_caller]
fn check(entries: &str, flags: &[&str], expected: &str) {
    assert_eq!(beside(entries, flags), (expected.to_owned(), Vec::new()));
}

#[track_caller]
fn check_failure(entries: &str, flags: &[&str], expected: &str, complaint: &str) {
    let (samples, complaints) = beside(entries, flags);
    assert_eq!(samples, expected);
    assert!(complaints.iter().any(|found| found.contains(complaint)), "`{complaint}` is not in {complaints:#?}");
}

#[test]
fn isolated_cpus_are_listed() {
    let isolated = "== sys/devices/system/cpu/isolated\n1,9-10\n";
    check(
        isolated,
        &[],
        "node_cpu_isolated{cpu=\"1\"} 1\nnode_cpu_isolated{cpu=\"10\"} 1\nnode_cpu_isolated{cpu=\"9\"} 1\n",
    );
    check("== sys/devices/system/cpu/isolated\n\n", &[], "");
    check_failure(
        "== sys/devices/system/cpu/isolated\n1,x\n",
        &[],
        "node_cpu_isolated{cpu=\"1\"} 1\n",
        "sys/devices/system/cpu/isolated: list: expected",
    );
}

/// The entries of one CPU's directory.
fn cpu(number: &str, files: &[(&str, &str)]) -> String {
    let entry = |&(file, content): &(&str, &str)| format!("== sys/devices/system/cpu/cpu{number}/{file}\n{content}\n");
    files.iter().map(entry).collect()
}

fn throttled(number: &str, package: &str, core: &str, files: &[(&str, &str)]) -> String {
    let topology = [("topology/physical_package_id", package), ("topology/core_id", core)];
    cpu(number, &topology) + &cpu(number, files)
}

const CORE: &str = "thermal_throttle/core_throttle_count";
const PACKAGE: &str = "thermal_throttle/package_throttle_count";

#[test]
fn throttles_are_counted_once_for_each_core_and_package() {
    let hosts = [
        throttled("0", "0", "0", &[(CORE, "5"), (PACKAGE, "30")]),
        throttled("1", "0", "1", &[(CORE, "0"), (PACKAGE, "31")]),
        throttled("2", "1", "0", &[(PACKAGE, "6")]),
        throttled("3", "1", "0", &[(CORE, "9"), (PACKAGE, "7")]),
        throttled("4", "0", "0", &[(CORE, "99"), (PACKAGE, "99")]),
        "== sys/devices/system/cpu/cpufreq/\n== sys/devices/system/cpu/cpuidle/\n".to_owned(),
    ];
    check(
        &hosts.concat(),
        &[],
        "node_cpu_core_throttles_total{core=\"0\",package=\"0\"} 5\n\
        node_cpu_core_throttles_total{core=\"0\",package=\"1\"} 9\n\
        node_cpu_core_throttles_total{core=\"1\",package=\"0\"} 0\n\
        node_cpu_package_throttles_total{package=\"0\"} 30\nnode_cpu_package_throttles_total{package=\"1\"} 6\n",
    );
}

#[test]
fn a_cpu_without_topology_is_skipped() {
    check(&throttled("0", "-1", "0", &[(CORE, "5"), (PACKAGE, "30")]), &[], "");
    check(&cpu("0", &[("topology/core_id", "0"), (CORE, "5")]), &[], "");
    let denied = format!("== sys/devices/system/cpu/cpu0/{CORE} error=EACCES\n");
    check(&(throttled("0", "0", "0", &[]) + &denied), &[], "");
}

#[test]
fn a_bad_count_costs_only_its_own_samples() {
    let host = |count| throttled("0", "0", "0", &[(CORE, count), (PACKAGE, "3")]);
    for count in ["many", "-1", "18446744073709551616", ""] {
        let complaint = "cpu0/thermal_throttle/core_throttle_count: value: expected an unsigned integer";
        check_failure(&host(count), &[], "node_cpu_package_throttles_total{package=\"0\"} 3\n", complaint);
    }
}

#[test]
fn the_online_state_is_exported() {
    let all = [("0", "1"), ("1", "0"), ("10", "1")].map(|(number, online)| cpu(number, &[("online", online)])).concat();
    let lines = "node_cpu_online{cpu=\"0\"} 1\nnode_cpu_online{cpu=\"1\"} 0\nnode_cpu_online{cpu=\"10\"} 1\n";
    check(&all, &[], lines);
    let one_silent = format!("{all}== sys/devices/system/cpu/cpu2/\n");
    check(&one_silent, &[], &format!("{lines}node_cpu_online{{cpu=\"2\"}} 0\n"));
    check("== sys/devices/system/cpu/cpu0/\n== sys/devices/system/cpu/cpu1/online\n1\n", &[], "");
    let complaint = "sys/devices/system/cpu/cpu2/online: online: expected 0 or 1, found \"on\"";
    check_failure(&format!("{all}== sys/devices/system/cpu/cpu2/online\non\n"), &[], lines, complaint);
}

const CPUINFO_FILE: &str = "== proc/cpuinfo\nprocessor\t: 0\nvendor_id\t: ExampleMicro\ncpu family\t: 6\nmodel\t\t: 140\n\
    model name\t: Finch\nstepping\t: 1\nmicrocode\t: 0xb8\ncpu MHz\t\t: 2811.204\ncache size\t: 12288 KB\n\
    physical id\t: 0\ncore id\t\t: 3\nflags\t\t: fpu avx avx2\nbugs\t\t: mds bhi\n";
const INFO_LINE: &str = "node_cpu_info{cachesize=\"12288 KB\",core=\"3\",cpu=\"0\",family=\"6\",microcode=\"0xb8\",\
    model=\"140\",model_name=\"Finch\",package=\"0\",stepping=\"1\",vendor=\"ExampleMicro\"} 1\n";
const FREQUENCY_LINE: &str = "node_cpu_frequency_hertz{core=\"3\",cpu=\"0\",package=\"0\"} 2.811204e+09\n";

#[test]
fn details_are_exported_if_the_flag_is_set() {
    check(CPUINFO_FILE, &[], "");
    check(CPUINFO_FILE, &["--collector.cpu.info"], &format!("{FREQUENCY_LINE}{INFO_LINE}"));
    check_failure("", &["--collector.cpu.info"], "", "proc/cpuinfo: no such file");
}

#[test]
fn patterns_of_flags_and_bugs_enable_details() {
    check(
        CPUINFO_FILE,
        &["--collector.cpu.info.flags-include=^avx", "--collector.cpu.info.bugs-include=mds"],
        &format!(
            "node_cpu_bug_info{{bug=\"mds\"}} 1\nnode_cpu_flag_info{{flag=\"avx\"}} 1\n\
            node_cpu_flag_info{{flag=\"avx2\"}} 1\n{FREQUENCY_LINE}{INFO_LINE}"
        ),
    );
    for flag in ["flags", "bugs"] {
        let flag = format!("--collector.cpu.info.{flag}-include=(");
        given("").flags(&[&flag]).is_refused::<Cpu>(&flag[..flag.len() - 2]);
    }
}

#[test]
fn implied_flags_cause_a_warning() {
    let notices = |flags: &[&str]| given("").flags(flags).scraper::<Cpu>().expect("flags").notices().to_vec();
    let notice = notices(&["--collector.cpu.info.bugs-include=x"]);
    assert!(matches!(&*notice, [notice] if notice.starts_with("--collector.cpu.info is on")), "{notice:?}");
    assert!(notices(&["--collector.cpu.info", "--collector.cpu.info.bugs-include=x"]).is_empty());
    assert!(notices(&[]).is_empty());
}

#[test]
fn a_bad_clock_costs_only_the_frequency() {
    let complaint = "proc/cpuinfo:8: clock: expected a number of megahertz, found \"fast\"";
    check_failure(&CPUINFO_FILE.replace("2811.204", "fast"), &["--collector.cpu.info"], INFO_LINE, complaint);
}

/// The samples of a scraper that has the cpufreq collector.
#[track_caller]
fn check_cpufreq(is_enabled: bool, expected: &str) {
    let registration = Registration::of::<Cpu>();
    let mut values = FlagValues::defaults([Cpu::DECLARATION]);
    values.enable("cpufreq", is_enabled);
    let info = registration.declaration.flags.iter().find(|flag| flag.name == "collector.cpu.info");
    values.give(info.expect("a flag"), "true").expect("a value");
    let tree = format!("nodelab tree 1\n{CPUINFO_FILE}== proc/stat\n");
    let tree: Tree = crate::host::tree_text::parse(tree.as_bytes()).expect("a tree");
    let scraper = Scraper::build(&[registration], &values, Arc::new(tree).roots(), Arc::new(Canned::default()));
    assert_eq!(scrape(&scraper.expect("flags")).samples(), expected);
}

#[test]
fn frequencies_are_left_to_the_cpufreq_collector() {
    check_cpufreq(true, &format!("{FREQUENCY_LINE}{INFO_LINE}"));
    check_cpufreq(false, INFO_LINE);
}

#[test]
fn a_second_scrape_of_the_same_host_is_equal() {
    let scraper = given(STAT_FILE).flags(&[NO_GUEST]).scraper::<Cpu>().expect("flags");
    for _ in 0..3 {
        assert_eq!(scrape(&scraper).samples(), SECONDS_LINES);
    }
}
