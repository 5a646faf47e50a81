//! /proc/diskstats and /proc/partitions

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::{put, put_line, put_numbers};

pub(super) static GROUPS: [Group; 1] = [Group {
    under: "",
    each: once,
    entries: &[("diskstats", What::File(diskstats)), ("partitions", What::File(partitions))],
}];

fn diskstats(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for (device, block) in moment.machine.block_devices.iter().enumerate() {
        put!(into, "{:>4} {:>7} {}", block.major, block.minor, block.name);
        put_numbers(&moment.disk_counts(device).columns()[..moment.disk_columns()], into);
        into.push(b'\n');
    }
}

fn partitions(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    put_line!(into, "major minor  #blocks  name\n");
    for block in &moment.machine.block_devices {
        put_line!(into, "{:>4}  {:>7} {:>10} {}", block.major, block.minor, block.sectors / 2, block.name);
    }
}
