//! /proc/diskstats and /proc/partitions

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::{put, put_line, put_numbers};

pub(super) const GROUPS: Table =
    &[&Group::of_host("", &[("diskstats", Content::File(diskstats)), ("partitions", Content::File(partitions))])];

fn diskstats(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    for block in &moment.machine.block_devices {
        put!(into, "{:>4} {:>7} {}", block.major, block.minor, block.name);
        put_numbers(&moment.disk_counts(block).columns()[..moment.disk_columns()], into);
        into.push(b'\n');
    }
}

fn partitions(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "major minor  #blocks  name\n");
    for block in &moment.machine.block_devices {
        put_line!(into, "{:>4}  {:>7} {:>10} {}", block.major, block.minor, block.sectors / 2, block.name);
    }
}
