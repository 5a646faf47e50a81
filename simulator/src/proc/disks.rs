//! Block devices: /proc/diskstats and partitions, mdstat, and drbd (devices mirrored to another host)

use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{Array, Level, Machine, Role};
use crate::moment::Moment;
use crate::text::{put, put_line, put_numbers};

pub(super) const GROUPS: Table = &[
    &Group::<Machine> {
        under: "",
        // The driver is loaded with the first array.
        parts: |machine| each_with([machine], |machine| !machine.storage.arrays.is_empty()),
        path: |_, _| "".into(),
        entries: &[("mdstat", Content::File(mdstat))],
    },
    &Group::of_host("", &[("diskstats", Content::File(diskstats)), ("partitions", Content::File(partitions))]),
    &Group::<Machine> {
        under: "",
        parts: |machine| each_with([machine], |machine| !machine.storage.drbd.is_empty()),
        path: |_, _| "".into(),
        entries: &[("drbd", Content::File(drbd))],
    },
];

fn mdstat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let arrays = &moment.machine.storage.arrays;
    put!(into, "Personalities : ");
    for (level, words) in [
        (Level::Raid0, "[raid0] "),
        (Level::Raid1, "[raid1] "),
        (Level::Raid6, "[raid6] [raid5] [raid4] "),
        (Level::Raid10, "[raid10] "),
    ] {
        // One driver implements all levels with parity.
        let is_for = |array: &Array| array.level == level || (level, array.level) == (Level::Raid6, Level::Raid5);
        if arrays.iter().any(is_for) {
            put!(into, "{}", words);
        }
    }
    put_line!(into, "");
    // The newest array is the first.
    for array in arrays.iter().rev() {
        show(moment, array, into);
    }
    put_line!(into, "unused devices: <none>");
}

fn show(moment: &Moment<'_>, array: &Array, into: &mut Vec<u8>) {
    let devices = &moment.machine.block_devices;
    let Some(block) = devices.get(array.device) else { return };
    put!(into, "{} : active {}", block.name, array.level.name());
    for (slot, member) in array.members.iter().enumerate().rev() {
        let name = devices.get(member.device).map_or("", |device| &device.name);
        let mark = match member.role {
            Role::Active | Role::Recovering => "",
            Role::Spare => "(S)",
            Role::Failed => "(F)",
        };
        put!(into, " {name}[{slot}]{mark}");
    }
    put!(into, "\n      {} blocks super 1.2", block.sectors / 2);
    let map = |into: &mut Vec<u8>| {
        put!(into, " [{}/{}] [", array.width(), array.active());
        for member in array.members.iter().filter(|member| member.role != Role::Spare) {
            put!(into, "{}", if member.role == Role::Active { "U" } else { "_" });
        }
        put!(into, "]");
    };
    match array.level {
        Level::Raid0 => put!(into, " 512k chunks"),
        Level::Raid1 => map(into),
        Level::Raid5 | Level::Raid6 => {
            let number = if array.level == Level::Raid5 { 5 } else { 6 };
            put!(into, " level {number}, 512k chunk, algorithm 2");
            map(into);
        }
        Level::Raid10 => {
            put!(into, " 512K chunks 2 near-copies");
            map(into);
        }
    }
    put!(into, "\n      ");
    if let Some(progress) = moment.check_of(array) {
        let permille = (progress.done_sectors / 2).saturating_mul(1_000) / (progress.of_sectors / 2).max(1);
        let bar = usize::try_from(permille / 50).unwrap_or_default().min(20);
        let action = if progress.is_rebuild { "recovery" } else { "check" };
        put!(into, "[{}>{}]  {action} =", "=".repeat(bar), ".".repeat(20 - bar));
        put!(into, "{:3}.{}%", permille / 10, permille % 10);
        put!(into, " ({}/{})", progress.done_sectors / 2, progress.of_sectors / 2);
        put!(into, " finish={}.{}min", progress.finish_seconds / 60, progress.finish_seconds % 60 / 6);
        put!(into, " speed={}K/sec\n      ", progress.kilobytes_per_second);
    }
    if array.has_bitmap {
        // A page has 2,048 counters, one per 64 MiB.
        let pages = (array.member_sectors / 131_072).div_ceil(2_048);
        put_line!(into, "bitmap: 0/{pages} pages [0KB], 65536KB chunk");
    }
    put_line!(into, "");
}

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

fn drbd(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 211FB288A383ED945B83420");
    for device in &moment.machine.storage.drbd {
        let Some(block) = moment.machine.block_devices.get(device.device) else { continue };
        let counts = moment.disk_counts(block);
        // All in KiB. Writes are also sent to the peer.
        let (written, read) = (counts.writes.sectors / 2, counts.reads.sectors / 2);
        let log_writes = counts.writes.requests / 640;
        put_line!(into, "{:2}: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----", device.minor);
        put_line!(
            into,
            "    ns:{written} nr:0 dw:{written} dr:{read} al:{log_writes} bm:0 lo:0 pe:{0} ua:0 ap:{0} ep:1 wo:f oos:0",
            counts.in_flight
        );
    }
}
