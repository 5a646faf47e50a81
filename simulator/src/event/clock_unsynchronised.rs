//! Loss of the clock's reference.

use super::{Drifting, EventKind};
use crate::profile::Setting;

const SECONDS: Setting = Setting::number("seconds", 1_800, 0..=315_360_000, "Duration in seconds; 0 for ever.");
const PPM: Setting = Setting::number(
    "drift_ppm",
    200,
    0..=100_000,
    "Growth of the offset in parts per million; it ends at half a second.",
);

pub(super) const KIND: EventKind = EventKind {
    name: "clock-unsynchronised",
    summary: "The system clock loses its reference, and its offset grows.",
    settings: &[SECONDS, PPM],
    falls: &[],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn: |event, step, state, scene| {
        state.past.unsynchronised =
            (step == 0).then(|| Drifting { from_micros: scene.micros, ppm: event.number(&PPM) });
        Ok(())
    },
};
