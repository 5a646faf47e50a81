//! Reboot.

use super::{Event, EventError, EventKind, Fall, FallsAt, Scene};
use crate::machine::{KernelVersion, Machine};
use crate::profile::{Setting, uuid};
use crate::wave::MICROS;

const KERNEL: Setting =
    Setting::name("kernel", "Kernel release after the reboot, as in `uname -r`. Default: unchanged.");

pub(super) const KIND: EventKind = EventKind {
    name: "reboot",
    summary: "The host reboots: uptime, boot_id and all kernel counters restart.",
    settings: &[KERNEL],
    falls: &[Fall { counters: "*", at: FallsAt::Beginning }],
    turns: |event| vec![event.at_micros],
    turn: start,
};

fn start(event: &Event, _: usize, machine: &mut Machine, scene: &Scene<'_>) -> Result<(), EventError> {
    if let Some(release) = event.name(&KERNEL) {
        let (old, new) = (machine.system.kernel(), KernelVersion::of(release));
        // The boot order of mounts depends on it.
        if new == KernelVersion::of("") || old.has_one_hierarchy() != new.has_one_hierarchy() {
            let side = if old.has_one_hierarchy() { "5.4 or newer" } else { "older than 5.4" };
            return Err(event.impossible(format!("kernel: expected a release that is {side}, found `{release}`")));
        }
        release.clone_into(&mut machine.system.release);
    }
    let seconds = scene.micros / MICROS;
    if seconds <= machine.booted_seconds {
        return Ok(());
    }
    machine.past.first_start_seconds.get_or_insert(machine.booted_seconds);
    machine.booted_seconds = seconds;
    machine.system.boot_id = uuid(machine.seed.of("boot_id").at(scene.micros));
    machine.past.forget();
    machine.processor.offline.clear();
    machine.processes.clone_from(&scene.first.processes);
    Ok(())
}
