//! /sys/devices/virtual/dmi/id, and the link to it. Serial numbers are missing: only root can read them.

use crate::layout::{Content, Group, Part, Table, each_with};
use crate::machine::Machine;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<FirmwareField> {
        under: "devices/virtual/dmi/id",
        parts: |machine| Box::new(machine.firmware.iter().map(|(name, value)| (*name, value.as_str()))),
        path: |(name, _), _| name.into(),
        entries: &[("", Content::File(|(_, value), _, into| put_line!(into, "{}", value)))],
    },
    &Group::<Machine> {
        under: "class/dmi",
        parts: |machine| each_with([machine], |machine| !machine.firmware.is_empty()),
        path: |_, _| "".into(),
        entries: &[("id", Content::Link(|_, _, into| into.extend_from_slice(b"../../devices/virtual/dmi/id")))],
    },
];

/// A field of the firmware: its name and its value.
struct FirmwareField;

impl Part for FirmwareField {
    type Of<'a> = (&'static str, &'a str);
}
