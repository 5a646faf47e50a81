//! Clock step.

use super::EventKind;
use crate::profile::Setting;

const SECONDS: Setting = Setting::number("seconds", 3_600, 1..=315_360_000, "Size of the step in seconds.");
const DIRECTION: Setting = Setting::word("direction", &["forward", "back"], "Direction of the step.");

pub(super) const KIND: EventKind = EventKind {
    name: "clock-step",
    summary: "The system clock is set, which changes btime; uptime and counters continue.",
    settings: &[SECONDS, DIRECTION],
    falls: &[],
    turns: |event| vec![event.at_micros],
    turn: |event, _, machine, _| {
        let seconds = i64::try_from(event.number(&SECONDS)).unwrap_or_default();
        machine.past.clock_seconds += if event.number(&DIRECTION) == 0 { seconds } else { -seconds };
        Ok(())
    },
};
