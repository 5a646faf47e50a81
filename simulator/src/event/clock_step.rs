//! Clock step.

use super::EventKind;
use crate::profile::Setting;

const SECONDS: Setting = Setting::number("seconds", 3_600, 1..=315_360_000, "How far it is set.");
const DIRECTION: Setting = Setting::word("direction", &["forward", "back"], "Which way it is set.");

pub(super) const KIND: EventKind = EventKind {
    name: "clock-step",
    summary: "The clock on the wall is set, and btime with it; uptime and all counters go on.",
    settings: &[SECONDS, DIRECTION],
    falls: &[],
    turns: |event| vec![event.at_micros],
    turn: |event, _, machine, _| {
        let seconds = i64::try_from(event.number(&SECONDS)).unwrap_or_default();
        machine.past.clock_seconds += if event.number(&DIRECTION) == 0 { seconds } else { -seconds };
        Ok(())
    },
};
