//! /sys/devices/system/clocksource

use crate::layout::{Group, What, once};
use crate::text::put_line;

pub(super) static GROUPS: [Group; 1] = [Group {
    under: "devices/system/clocksource/clocksource0",
    each: once,
    entries: &[
        // The kernel puts a space after each of them.
        ("available_clocksource", What::File(|m, _, into| put_line!(into, "{} ", m.machine.system.clocksources))),
        ("current_clocksource", What::File(|m, _, into| put_line!(into, "{}", m.machine.system.clocksource))),
    ],
}];
