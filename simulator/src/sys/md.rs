//! /sys/block/md*/md: what an array is made of

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{Array, BlockDevice, Level, Member, Role};
use crate::moment::Moment;
use crate::moment::raid::Progress;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 4] = [
    Group {
        under: "devices",
        each: |moment, visit| each(moment, visit, |_| true),
        entries: &[
            ("md/array_state", What::File(|_, _, into| put_line!(into, "clean"))),
            ("md/component_size", What::File(|m, i, into| of(m, i, |a| put_line!(into, "{}", a.member_sectors / 2)))),
            ("md/level", What::File(|m, i, into| of(m, i, |a| put_line!(into, "{}", a.level.name())))),
            ("md/metadata_version", What::File(|_, _, into| put_line!(into, "1.2"))),
            ("md/raid_disks", What::File(|m, i, into| of(m, i, |a| put_line!(into, "{}", a.width())))),
            ("md/uuid", What::File(|m, i, into| of(m, i, |a| put_line!(into, "{}", a.uuid)))),
            ("md/chunk_size", What::File(|m, i, into| of(m, i, |a| put_line!(into, "{}", chunk(a))))),
        ],
    },
    Group {
        under: "devices",
        // Without redundancy there is nothing to lack or to compare.
        each: |moment, visit| each(moment, visit, |array| array.level != Level::Raid0),
        entries: &[
            ("md/degraded", What::File(|m, i, into| of(m, i, |a| put_line!(into, "{}", a.width() - a.active())))),
            ("md/mismatch_cnt", What::File(|_, _, into| put_line!(into, "0"))),
            ("md/sync_action", What::File(sync_action)),
            ("md/sync_completed", What::File(sync_completed)),
            ("md/sync_speed", What::File(sync_speed)),
        ],
    },
    Group {
        under: "devices",
        each: each_member,
        entries: &[
            ("block", What::Link(block_link)),
            ("errors", What::File(errors)),
            ("size", What::File(|m, i, into| of(m, i / MEMBERS, |a| put_line!(into, "{}", a.member_sectors / 2)))),
            ("slot", What::File(slot)),
            ("state", What::File(state)),
        ],
    },
    Group {
        under: "devices",
        each: each_slot,
        entries: &[("", What::Link(|m, i, into| member(m, i, |_, _, d| into.extend_from_slice(folder(d).as_bytes()))))],
    },
];

/// No array has as many members: number of array and member in one.
const MEMBERS: usize = 1_024;

fn chunk(array: &Array) -> u32 {
    if array.level == Level::Raid1 { 0 } else { 524_288 }
}

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Array)) {
    if let Some(array) = moment.machine.storage.arrays.get(index) {
        write(array);
    }
}

fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), is_meant: impl Fn(&Array) -> bool) {
    for (index, array) in moment.machine.storage.arrays.iter().enumerate() {
        if let Some(block) = moment.machine.block_devices.get(array.device).filter(|_| is_meant(array)) {
            visit(index, block.path.as_bytes());
        }
    }
}

fn folder(device: &BlockDevice) -> String {
    format!("dev-{}", device.name)
}

fn each_of_members(moment: &Moment<'_>, mut visit: impl FnMut(usize, &BlockDevice, &Member, &BlockDevice)) {
    let devices = &moment.machine.block_devices;
    for (index, array) in moment.machine.storage.arrays.iter().enumerate() {
        for (number, member) in array.members.iter().enumerate() {
            if let (Some(block), Some(device)) = (devices.get(array.device), devices.get(member.device)) {
                visit(index * MEMBERS + number, block, member, device);
            }
        }
    }
}

fn each_member(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_of_members(moment, |index, array, _, device| {
        visit(index, format!("{}/md/{}", array.path, folder(device)).as_bytes());
    });
}

fn each_slot(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_of_members(moment, |index, array, member, _| {
        if matches!(member.role, Role::Active | Role::Recovering) {
            visit(index, format!("{}/md/rd{}", array.path, index % MEMBERS).as_bytes());
        }
    });
}

fn member(moment: &Moment<'_>, index: usize, write: impl FnOnce(&BlockDevice, &Member, &BlockDevice)) {
    let devices = &moment.machine.block_devices;
    let Some(array) = moment.machine.storage.arrays.get(index / MEMBERS) else { return };
    let Some(member) = array.members.get(index % MEMBERS) else { return };
    if let (Some(block), Some(device)) = (devices.get(array.device), devices.get(member.device)) {
        write(block, member, device);
    }
}

fn block_link(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    member(moment, index, |array, _, device| {
        relative(&format!("{}/md/{}", array.path, folder(device)), &device.path, into);
    });
}

fn slot(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    member(moment, index, |_, member, _| match member.role {
        Role::Active | Role::Recovering => put_line!(into, "{}", index % MEMBERS),
        Role::Spare | Role::Failed => put_line!(into, "none"),
    });
}

fn errors(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    member(moment, index, |_, _, device| put_line!(into, "{}", moment.disk_errors(device)));
}

fn state(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    member(moment, index, |_, member, _| match member.role {
        Role::Active => put_line!(into, "in_sync"),
        Role::Spare | Role::Recovering => put_line!(into, "spare"),
        Role::Failed => put_line!(into, "faulty"),
    });
}

fn sync_action(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |array| {
        let action = moment.check_of(array).map(|progress| progress.is_rebuild);
        put_line!(into, "{}", action.map_or("idle", |is_rebuild| if is_rebuild { "recover" } else { "check" }));
    });
}

fn sync_completed(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |array| {
        let completed = |check: Progress| format!("{} / {}", check.done_sectors, check.of_sectors);
        put_line!(into, "{}", moment.check_of(array).map_or("none".to_owned(), completed));
    });
}

fn sync_speed(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |array| {
        let speed = |check: Progress| check.kilobytes_per_second.to_string();
        put_line!(into, "{}", moment.check_of(array).map_or("none".to_owned(), speed));
    });
}
