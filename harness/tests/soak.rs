//! Thousands of scrapes over loopback leave the process with the memory, descriptors and threads that it had after the
//! first ones. Each load runs in a process of its own, which counts exactly: bytes and blocks by its allocator,
//! descriptors and threads in /proc/self. Planted leaks must be found.

#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::disallowed_methods,
        reason = "the test is the client, reads /proc/self, and marks the inner program by an argument"
    )
)]

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

#[cfg(target_os = "linux")]
#[path = "soak/counts.rs"]
mod counts;
#[cfg(target_os = "linux")]
#[path = "soak/load.rs"]
mod load;
#[cfg(target_os = "linux")]
#[path = "soak/outer.rs"]
mod outer;

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: harness::allocations::Counting = harness::allocations::Counting;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == load::MARK) {
        return load::run(&arguments[at + 1..]);
    }
    requirements::run_in_turn(&[
        ("a_short_soak_is_flat", &[], outer::a_short_soak_is_flat),
        ("a_long_soak_is_flat", &[Requirement::LongRunning], outer::a_long_soak_is_flat),
        ("a_leak_of_100_bytes_per_scrape_is_found", &[], outer::a_leak_of_100_bytes_per_scrape_is_found),
        ("a_leak_of_one_descriptor_is_found", &[], outer::a_leak_of_one_descriptor_is_found),
        ("a_leak_of_one_thread_is_found", &[], outer::a_leak_of_one_thread_is_found),
    ])
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    let _: &[Requirement] = &Requirement::ALL;
    requirements::run(&[])
}
