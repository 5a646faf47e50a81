//! node_exporter's own end-to-end test against our collectors.

use std::process::ExitCode;

use harness::conformance;
use harness::needs::{self, Need};

fn main() -> ExitCode {
    needs::run(&[(
        "every_sample_of_our_collectors_comes_back_identically",
        &[Need::ConformanceData],
        every_sample_of_our_collectors_comes_back_identically,
    )])
}

fn every_sample_of_our_collectors_comes_back_identically() {
    let report = conformance::run(&Need::ConformanceData.path()).expect("the data can be read");
    for (collector, tally) in &report.collectors {
        println!("{collector}: {} of {} samples", tally.matched, tally.expected);
    }
    let (matched, expected) = report.totals();
    println!("all collectors here: {matched} of {expected}; {} families have no collector yet", report.unowned.len());
    let differences = report.collectors.values().flat_map(|tally| &tally.differences).map(String::as_str);
    let differences: Vec<&str> = differences.collect();
    assert!(differences.is_empty(), "{}\n{:#?}", differences.join("\n"), report.complaints);
    assert!(expected > 0, "nothing was compared");
}
