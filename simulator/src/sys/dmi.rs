//! /sys/devices/virtual/dmi/id, and the link to it.

use crate::layout::{Group, What, once};
use crate::text::put_line;

/// What the firmware of every machine says.
macro_rules! fixed {
    ($name:literal, $value:literal) => {
        ($name, What::File(|_, _, into| put_line!(into, $value)))
    };
}

/// Serial numbers are for root alone, and a cloud gives its machines none.
pub(super) static GROUPS: [Group; 2] = [
    Group {
        under: "devices/virtual/dmi/id",
        each: once,
        entries: &[
            fixed!("bios_date", "04/01/2023"),
            fixed!("bios_release", "1.2"),
            fixed!("bios_vendor", "Example Cloud"),
            fixed!("bios_version", "1.2.0"),
            fixed!("board_name", "Virtual Board"),
            fixed!("board_vendor", "Example Cloud"),
            fixed!("chassis_asset_tag", "Example Cloud"),
            fixed!("chassis_type", "1"),
            fixed!("chassis_vendor", "Example Cloud"),
            fixed!("chassis_version", ""),
            fixed!("product_family", "General"),
            fixed!("product_name", "Virtual Machine"),
            fixed!("product_sku", ""),
            fixed!("product_version", "3"),
            fixed!("sys_vendor", "Example Cloud"),
        ],
    },
    Group {
        under: "class/dmi",
        each: once,
        entries: &[("id", What::Link(|_, _, into| into.extend_from_slice(b"../../devices/virtual/dmi/id")))],
    },
];
