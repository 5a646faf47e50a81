//! Memory leak and out-of-memory kill.

use super::{Event, EventError, EventKind, Growth, Scene};
use crate::machine::Machine;
use crate::profile::Setting;

const MEBIBYTES_PER_HOUR: Setting =
    Setting::number("mebibytes_per_hour", 1_024, 1..=16_777_216, "Leak rate in MiB per hour.");
const LEAKS_SECONDS: Setting = Setting::number(
    "seconds",
    0,
    0..=315_360_000,
    "Seconds until all memory is released; 0 for never before a reboot.",
);

pub(super) const LEAK: EventKind = EventKind {
    name: "memory-leak",
    summary: "Memory leak: MemAvailable falls linearly, then caches shrink and swap fills.",
    settings: &[MEBIBYTES_PER_HOUR, LEAKS_SECONDS],
    falls: &[],
    turns: |event| vec![event.at_micros],
    turn: |event, _, machine, scene| {
        let page_bytes = machine.system.architecture.page_size_bytes();
        let pages_per_hour = (event.number(&MEBIBYTES_PER_HOUR) << 20) / page_bytes;
        let until_micros = event.end_micros(&LEAKS_SECONDS);
        machine.past.growths.push(Growth {
            from_micros: scene.micros,
            until_micros,
            pages_per_hour: Some(pages_per_hour),
        });
        Ok(())
    },
};

const PROCESS: Setting = Setting::name("process", "Process to kill. Default: the largest.");
const FILLS_SECONDS: Setting =
    Setting::number("fills_seconds", 300, 1..=604_800, "Time before the event in which memory and swap fill.");

pub(super) const OUT_OF_MEMORY: EventKind = EventKind {
    name: "out-of-memory",
    summary: "Memory and swap fill until the kernel kills a process, which frees them.",
    settings: &[PROCESS, FILLS_SECONDS],
    falls: &[],
    turns: |event| vec![event.fills_from(), event.at_micros],
    turn,
};

impl Event {
    fn fills_from(&self) -> u64 {
        self.at_micros.saturating_sub(self.number(&FILLS_SECONDS) * crate::wave::MICROS)
    }
}

fn turn(event: &Event, step: usize, machine: &mut Machine, scene: &Scene<'_>) -> Result<(), EventError> {
    let past = &mut machine.past;
    if step == 0 {
        let until_micros = Some(event.at_micros);
        past.growths.push(Growth { from_micros: scene.micros, until_micros, pages_per_hour: None });
        return Ok(());
    }
    // The process that reads /proc and PID 1 are never killed.
    let others = machine.processes.len().saturating_sub(1);
    let mortal = || machine.processes.iter().take(others).filter(|process| process.number > 1 && !process.is_kernel());
    let found = match event.name(&PROCESS) {
        Some(name) => mortal().find(|process| process.name == name),
        None => mortal().max_by_key(|process| process.resident_pages),
    };
    let Some(found) = found.map(|process| process.number) else {
        let known: Vec<String> = mortal().map(|process| process.name.clone()).collect();
        return Err(event.no_such("process", event.name(&PROCESS).unwrap_or_default(), &known));
    };
    past.kills += 1;
    machine.processes.retain(|process| process.number != found);
    Ok(())
}
