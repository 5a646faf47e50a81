//! Reboot, clock step, and loss of the clock's reference.

use super::{Drifting, Event, EventError, EventKind, Fall, FallsAt, Scene, State};
use crate::machine::KernelVersion;
use crate::profile::{Setting, uuid};
use crate::wave::MICROS;

const KERNEL: Setting =
    Setting::name("kernel", "Kernel release after the reboot, as in `uname -r`. Default: unchanged.");

pub(super) const REBOOT: EventKind = EventKind {
    name: "reboot",
    summary: "The host reboots: uptime, boot_id and all kernel counters restart.",
    settings: &[KERNEL],
    falls: &[Fall { counters: "*", at: FallsAt::Beginning }],
    turns: |event| vec![event.at_micros],
    turn: reboot,
};

fn reboot(event: &Event, _: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    let State { machine, past } = state;
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
    past.first_start_seconds.get_or_insert(machine.booted_seconds);
    machine.booted_seconds = seconds;
    machine.system.boot_id = uuid(machine.seed.of("boot_id").at(scene.micros));
    past.forget();
    machine.processor.offline.clear();
    machine.processes.clone_from(&scene.first.processes);
    Ok(())
}

const SECONDS: Setting = Setting::number("seconds", 3_600, 1..=315_360_000, "Size of the step in seconds.");
const DIRECTION: Setting = Setting::word("direction", &["forward", "back"], "Direction of the step.");

pub(super) const CLOCK_STEP: EventKind = EventKind {
    name: "clock-step",
    summary: "The system clock is set, which changes btime; uptime and counters continue.",
    settings: &[SECONDS, DIRECTION],
    falls: &[],
    turns: |event| vec![event.at_micros],
    turn: |event, _, state, _| {
        let seconds = i64::try_from(event.number(&SECONDS)).unwrap_or_default();
        state.past.clock_seconds += if event.number(&DIRECTION) == 0 { seconds } else { -seconds };
        Ok(())
    },
};

const UNSYNCHRONISED_SECONDS: Setting =
    Setting::number("seconds", 1_800, 0..=315_360_000, "Duration in seconds; 0 for ever.");
const PPM: Setting = Setting::number(
    "drift_ppm",
    200,
    0..=100_000,
    "Growth of the offset in parts per million; it ends at half a second.",
);

pub(super) const CLOCK_UNSYNCHRONISED: EventKind = EventKind {
    name: "clock-unsynchronised",
    summary: "The system clock loses its reference, and its offset grows.",
    settings: &[UNSYNCHRONISED_SECONDS, PPM],
    falls: &[],
    turns: |event| event.beginning_and_end(&UNSYNCHRONISED_SECONDS),
    turn: |event, step, state, scene| {
        state.past.unsynchronised =
            (step == 0).then(|| Drifting { from_micros: scene.micros, ppm: event.number(&PPM) });
        Ok(())
    },
};
