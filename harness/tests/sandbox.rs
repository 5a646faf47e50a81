//! What keeps working inside of `--sandbox`, by the real binary: files that are replaced, the queue of push, a reload, and
//! the system bus. Each exporter has a file outside of its sandbox in its textfiles, which it must not read.
#![cfg_attr(
    target_os = "linux",
    expect(clippy::disallowed_methods, reason = "the tests change files and are receivers"),
    expect(clippy::unwrap_used, reason = "a failure fails the test")
)]

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

#[cfg(target_os = "linux")]
#[path = "sandbox/inside.rs"]
mod inside;
#[cfg(target_os = "linux")]
#[path = "systemd/instance.rs"]
#[expect(dead_code, reason = "the tests of systemd use more of it")]
mod instance;
#[cfg(target_os = "linux")]
#[path = "../../tests/push/receiver.rs"]
#[expect(dead_code, reason = "the exporter's own tests use more of it")]
mod receiver;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use Requirement::{Exporter, Landlock, Namespaces, Systemd};
    requirements::run(&[
        ("textfiles_come_and_go", &[Exporter, Landlock], inside::textfiles),
        ("the_queue_of_push_is_written_and_read", &[Exporter, Landlock], inside::queue),
        ("the_configuration_is_read_again", &[Exporter, Landlock], inside::reload),
        ("units_are_read_over_the_system_bus", &[Exporter, Landlock, Namespaces, Systemd], inside::bus),
    ])
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    let _: &[Requirement] = &Requirement::ALL;
    requirements::run(&[])
}
