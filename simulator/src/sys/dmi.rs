//! /sys/devices/virtual/dmi/id, and the link to it.

use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::text::put_line;

/// Serial numbers are for root alone.
pub(super) static GROUPS: [Group; 2] = [
    Group { under: "devices/virtual/dmi/id", each: each_name, entries: &[("", What::File(word))] },
    Group {
        under: "class/dmi",
        each: if_any,
        entries: &[("id", What::Link(|_, _, into| into.extend_from_slice(b"../../devices/virtual/dmi/id")))],
    },
];

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, (name, _)) in moment.machine.firmware.iter().enumerate() {
        visit(index, name.as_bytes());
    }
}

fn if_any(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if !moment.machine.firmware.is_empty() {
        visit(0, b"");
    }
}

fn word(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some((_, word)) = moment.machine.firmware.get(index) {
        put_line!(into, "{}", word);
    }
}
