//! The tests: each starts this program again with a load and a planted leak.

use std::process::{Command, Output, Stdio};

use crate::load::{Leak, MARK};

/// Runs a load in a process of its own.
fn soak(load: &str, scrapes: usize, leak: Leak) -> Output {
    let own = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(own);
    command.args([MARK, load, &scrapes.to_string(), leak.name()]);
    command.stdin(Stdio::null()).output().expect("this program runs")
}

#[track_caller]
fn is_flat(load: &str, scrapes: usize) {
    let output = soak(load, scrapes, Leak::None);
    let [report, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    print!("{report}");
    assert!(output.status.success(), "{load}: {}\n{report}{errors}", output.status);
}

#[track_caller]
fn is_found(load: &str, scrapes: usize, leak: Leak, expected: &str) {
    let output = soak(load, scrapes, leak);
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{report}");
    assert_eq!(output.status.code(), Some(1), "{load}: {report}{}", String::from_utf8_lossy(&output.stderr));
    let findings: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("leak: ")).collect();
    assert!(matches!(findings[..], [only] if only.starts_with(expected)), "{load}: {findings:?}");
}

pub(super) fn a_short_soak_is_flat() {
    is_flat("live", 400);
    is_flat("filters", 400);
    is_flat("large", 10);
}

pub(super) fn a_long_soak_is_flat() {
    is_flat("live", 20_000);
    is_flat("filters", 2_000);
    is_flat("large", 200);
}

pub(super) fn a_leak_of_100_bytes_per_scrape_is_found() {
    is_found("live", 100, Leak::Bytes, "memory: 1000 bytes and 10 blocks in 10 scrapes");
    is_found("large", 10, Leak::Bytes, "memory: 100 bytes and 1 blocks in 1 scrapes");
}

pub(super) fn a_leak_of_one_descriptor_is_found() {
    is_found("live", 100, Leak::Descriptor, "descriptors: ");
}

pub(super) fn a_leak_of_one_thread_is_found() {
    is_found("filters", 100, Leak::Thread, "threads: ");
}
