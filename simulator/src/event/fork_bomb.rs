//! Fork bomb.

use super::{Crowd, Event, EventError, EventKind, Scene};
use crate::machine::{Machine, Process};
use crate::moment::Moment;
use crate::profile::Setting;
use crate::wave::MICROS;

const PROCESSES: Setting = Setting::number("processes", 1_000, 2..=16_384, "Maximum number of processes.");
const SECONDS: Setting = Setting::number("seconds", 120, 30..=86_400, "Seconds until all are killed.");

pub(super) const KIND: EventKind = EventKind {
    name: "fork-bomb",
    summary: "Busy processes double every second up to a limit, until all are killed.",
    settings: &[PROCESSES, SECONDS],
    falls: &[],
    turns: |event| {
        let steps = (0..doublings(event)).map(|step| event.at_micros + step * MICROS);
        steps.chain([event.at_micros + event.number(&SECONDS) * MICROS]).collect()
    },
    turn,
};

/// Name of the processes.
const NAME: &str = "bash";
const COMMAND: &[&str] = &["bash", "-c", ":(){ :|:& };:"];
const RESIDENT_PAGES: u64 = 210;

/// Number of doublings until the limit is reached.
fn doublings(event: &Event) -> u64 {
    u64::from(event.number(&PROCESSES).next_power_of_two().trailing_zeros())
}

fn turn(event: &Event, step: usize, machine: &mut Machine, scene: &Scene<'_>) -> Result<(), EventError> {
    let doublings = doublings(event);
    let step = step as u64;
    let is_going_on = machine.past.crowds.last().is_some_and(|crowd| crowd.until_micros.is_none());
    if step == 0 && is_going_on {
        return Err(event.impossible("another one is going on"));
    }
    // A reboot ends it.
    if step > 0 && !is_going_on {
        return Ok(());
    }
    let first = if let Some(crowd) = machine.past.crowds.last_mut().filter(|_| step > 0) {
        crowd.until_micros = Some(scene.micros);
        crowd.first
    } else {
        let moment = Moment::new(machine, std::time::Duration::from_micros(scene.micros));
        let last = machine.processes.iter().map(|process| process.number + process.threads).max().unwrap_or(1);
        u32::try_from(moment.last_process()).unwrap_or(last).max(last) + 1
    };
    machine.processes.retain(|process| process.name != NAME);
    if step >= doublings {
        return Ok(());
    }
    let count = event.number(&PROCESSES).min(2 << step);
    machine.past.crowds.push(Crowd { first, count, from_micros: scene.micros, until_micros: None });
    let asks = machine.processes.len().saturating_sub(1);
    let more = (first..).take(usize::try_from(count).unwrap_or_default()).map(|number| Process {
        number,
        parent: if number == first { 1 } else { first },
        name: NAME.to_owned(),
        command: COMMAND,
        threads: 1,
        user: 1_001,
        resident_pages: RESIDENT_PAGES,
        cpu_permille: 0,
    });
    machine.processes.splice(asks..asks, more);
    Ok(())
}
