//! Attacks over the network, on loopback only, limited in count and time.
//!
//! Memory and latency are asserted. Latency excludes the time that threads wait for a CPU, as counted by the kernel, so
//! that other load does not matter. Measured values are printed (`cargo test --test attacks -- --nocapture`).
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "the test starts clients")]

mod clients;
mod cpu_wait;
mod deadlines;
#[path = "../server/exporter.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod exporter;
mod large_inputs;
mod limits;
mod malformed_requests;
mod many_connections;
#[cfg(all(feature = "compression", feature = "simulator"))]
mod mixed_requests;
mod slow_readers;
mod stderr;

use std::sync::{Mutex, MutexGuard, PoisonError};

use exporter::Exporter;

/// One attack at a time, because they are measured.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line of the exporter's /proc/PID/status, in kB.
fn status_kilobytes(exporter: &Exporter, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", exporter.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("a line of status");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Peak resident memory of the exporter.
fn peak_kilobytes(exporter: &Exporter) -> u64 {
    status_kilobytes(exporter, "VmHWM")
}

/// Growth of the peak. The kernel sums per-thread counters lazily, so the peak may seem to shrink.
fn growth_kilobytes(exporter: &Exporter, before: u64) -> u64 {
    peak_kilobytes(exporter).saturating_sub(before)
}

/// Number of descriptors that the exporter has open.
fn descriptors(exporter: &Exporter) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", exporter.child.id())).unwrap().count()
}

/// An exporter that has served a page, so that one-time allocations are done.
fn warm(arguments: &[&str]) -> Exporter {
    let exporter = Exporter::simulated(arguments);
    for _ in 0..3 {
        assert_eq!(exporter.get("/metrics").status, 200);
    }
    exporter
}
