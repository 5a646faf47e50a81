//! Pushing by the real binary: to a strict receiver of remote write, over failing and full disks, and through kills.
#![expect(clippy::unwrap_used, reason = "a failure fails the test")]
#![expect(clippy::disallowed_methods, reason = "the tests are receivers and read files")]

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

mod disks;
mod outage;
#[path = "../../../tests/push/receiver.rs"]
#[expect(dead_code, reason = "the exporter's own tests use more of it")]
mod receiver;
mod written;

fn main() -> ExitCode {
    use Requirement::{Exporter, Namespaces, Strace};
    requirements::run(&[
        ("every_sample_of_the_page_arrives_by_remote_write_2", &[Exporter], written::by_2),
        ("a_receiver_of_1_gets_every_sample_after_a_refusal", &[Exporter], written::by_1_after_415),
        ("a_receiver_of_1_that_is_silent_gets_every_sample", &[Exporter], written::by_1_after_silence),
        ("fifty_kills_lose_no_acknowledged_tick", &[Exporter], outage::kills),
        ("failed_synchronisations_are_counted_and_named", &[Exporter, Strace], disks::failing_syncs),
        ("failed_writes_are_counted_and_lose_nothing_else", &[Exporter, Strace], disks::failing_writes),
        ("short_writes_are_counted_and_lose_nothing_else", &[Exporter], disks::short_writes),
        ("a_full_file_system_is_survived", &[Exporter, Namespaces], disks::full_file_system),
    ])
}
