//! /sys/devices/system/clocksource

use crate::layout::{Content, Group, Table};
use crate::text::put_line;

pub(super) const GROUPS: Table = &[&Group::of_host(
    "devices/system/clocksource/clocksource0",
    &[
        // The kernel writes a blank after each name.
        ("available_clocksource", Content::File(|_, m, into| put_line!(into, "{} ", m.machine.system.clocksources))),
        ("current_clocksource", Content::File(|_, m, into| put_line!(into, "{}", m.machine.system.clocksource))),
    ],
)];
