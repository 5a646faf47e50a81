//! What udev knows of block devices: one file for each, named after its numbers.

use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::text::put_line;

/// Every table of this mount.
pub(crate) const GROUPS: &[&[Group]] = &[&FILES];

static FILES: [Group; 1] = [Group { under: "", each: each_device, entries: &[("", What::File(properties))] }];

fn each_device(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, block) in moment.machine.block_devices.iter().enumerate() {
        visit(index, format!("b{}:{}", block.major, block.minor).as_bytes());
    }
}

fn properties(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let Some(block) = moment.machine.block_devices.get(index) else { return };
    put_line!(into, "I:{}", block.initialised_micros);
    for property in &block.properties {
        put_line!(into, "E:{property}");
    }
    put_line!(into, "G:systemd\nQ:systemd\nV:1");
}
