//! Failures of systemd's units.

use super::{Event, EventError, EventKind, Scene, State};
use crate::machine::TIMED_UNITS;
use crate::profile::Setting;

const UNIT: Setting = Setting::name("unit", "Service that a timer starts. Default: backup.service.");
const SECONDS: Setting = Setting::number("seconds", 3_600, 0..=315_360_000, "Seconds until it succeeds; 0 for never.");

pub(super) const FAILS: EventKind = EventKind {
    name: "unit-fails",
    summary: "A service that a timer starts fails, and the state of the system is degraded.",
    settings: &[UNIT, SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn: fail,
};

fn fail(event: &Event, step: usize, state: &mut State, _: &Scene<'_>) -> Result<(), EventError> {
    let [first, ..] = &TIMED_UNITS;
    let name = event.name(&UNIT).unwrap_or(first.service);
    if !TIMED_UNITS.iter().any(|unit| unit.service == name) {
        let known: Vec<String> = TIMED_UNITS.iter().map(|unit| unit.service.to_owned()).collect();
        return Err(event.no_such("service", name, &known));
    }
    let failed = &mut state.past.failed_units;
    match failed.iter().position(|failed| failed == name) {
        Some(place) if step > 0 => drop(failed.remove(place)),
        None if step == 0 => failed.push(name.to_owned()),
        _ => {}
    }
    Ok(())
}
