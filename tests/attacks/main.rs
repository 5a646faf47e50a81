//! What an exporter that faces the network has to bear, from this machine alone, bounded in count and time.
//!
//! Memory is measured, and asserted as it is stated. So are times, less what a machine that has other things to do adds to
//! them: how long threads stand in line for a processor, which the kernel counts. What was measured is printed
//! (`cargo test --test attacks -- --nocapture`).
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "clients have sockets, clocks and files of their own")]

mod clients;
mod crowds;
mod deadlines;
#[path = "../server/exporter.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod exporter;
mod heads;
mod limits;
mod processor;
mod readers;
mod stderr;

use std::sync::{Mutex, MutexGuard, PoisonError};

use exporter::Exporter;

/// One attack at a time: they are measured.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line of the kernel's status of the exporter's process, in kB.
fn status_kilobytes(exporter: &Exporter, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", exporter.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("a line of status");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The most memory that the exporter ever had.
fn peak_kilobytes(exporter: &Exporter) -> u64 {
    status_kilobytes(exporter, "VmHWM")
}

/// By how much that has grown. The kernel counts by thread and adds up when it likes, so it may seem to shrink.
fn growth_kilobytes(exporter: &Exporter, before: u64) -> u64 {
    peak_kilobytes(exporter).saturating_sub(before)
}

/// How many descriptors the exporter has open.
fn descriptors(exporter: &Exporter) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", exporter.child.id())).unwrap().count()
}

/// An exporter that has served a page, so that what it needs for one is there.
fn warm(arguments: &[&str]) -> Exporter {
    let exporter = Exporter::simulated(arguments);
    for _ in 0..3 {
        assert_eq!(exporter.get("/metrics").status, 200);
    }
    exporter
}
