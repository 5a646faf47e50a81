//! Disks that fail, are full, or write less than they are asked to.

use std::process::Command;

use harness::requirements::Requirement;

use crate::outage::{Exporter, World};

/// The exporter with failing system calls. `when` counts the calls of each thread.
fn with_failures(world: &World, call: &str, error: &str, when: &str) -> Exporter {
    let mut command = Command::new(Requirement::Strace.path());
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    // With `-D` the exporter is our child, so that it ends with the test.
    command.args(["-D", "-e", &format!("inject={call}:error={error}:when={when}"), "--"]);
    command.arg(Requirement::Exporter.path());
    world.start(command)
}

/// Checks that failures were counted, that ticks went on, and that nothing else is missing.
fn check(world: &World, exporter: &Exporter, words: &str) {
    exporter.eventually("no failure was counted", |exporter| exporter.unwritten() > Some(0));
    exporter.eventually("the failure is not named", |exporter| {
        let log = exporter.log();
        log.contains("A batch could not be queued") && log.contains(words)
    });
    world.wait_for_ticks(5);
    world.set_up(true);
    world.wait_for_ticks(1);
    let lost = exporter.unwritten().unwrap();
    world.check(lost);
}

pub(crate) fn failing_syncs() {
    // The first calls are those of the start; then a tick has two, and the first target's are odd.
    for (error, words) in [("EIO", "Input/output error"), ("ENOSPC", "No space left on device")] {
        let world = World::new();
        let exporter = with_failures(&world, "fdatasync", error, "7..13+2");
        check(&world, &exporter, words);
    }
}

pub(crate) fn failing_writes() {
    // The first calls of a thread are those of its start.
    let world = World::new();
    let exporter = with_failures(&world, "write", "EIO", "4..20+3");
    check(&world, &exporter, "Input/output error");
}

/// The size of files is limited: a write up to the limit is short, and the next one fails.
pub(crate) fn short_writes() {
    let world = World::new();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$@\"", "sh"]);
    command.arg(Requirement::Exporter.path());
    let exporter = world.start(command);
    check(&world, &exporter, "File too large");
}

/// A file system of 512 kB that another program fills, and that has space again later.
pub(crate) fn full_file_system() {
    let world = World::new();
    std::fs::create_dir(&world.queue).unwrap();
    let mut command = Command::new(Requirement::Namespaces.path());
    let script = format!("mount -t tmpfs -o size=512k none {} && exec \"$@\"", world.queue.display());
    command.args(["--mount", "--", "/bin/sh", "-c", &script, "sh"]).arg(Requirement::Exporter.path());
    let exporter = world.start(command);
    world.wait_for_ticks(3);
    let filler = format!("/proc/{}/root{}/filler", exporter.child.id(), world.queue.display());
    // It writes what fits.
    _ = std::fs::write(&filler, vec![0; 1 << 20]);
    exporter.eventually("no failure was counted", |exporter| exporter.unwritten() > Some(1));
    exporter.eventually("the failure is not named", |exporter| exporter.log().contains("No space left on device"));
    // Deliveries go on: recording them needs no space.
    std::fs::remove_file(&filler).unwrap();
    check(&world, &exporter, "No space left on device");
}
