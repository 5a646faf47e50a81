//! /sys/block/md*/md: arrays and their members

use super::relative;
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Array, BlockDevice, Level, Machine, Member, Role};
use crate::moment::Moment;
use crate::moment::block::Progress;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Assembled<'static>> {
        under: "devices",
        parts: |machine| Box::new(Assembled::each(machine)),
        path: |array, _| array.block.path.as_str().into(),
        entries: &[
            ("md/array_state", Content::File(|_, _, into| put_line!(into, "clean"))),
            ("md/component_size", Content::File(|of, _, into| put_line!(into, "{}", of.array.member_sectors / 2))),
            ("md/level", Content::File(|of, _, into| put_line!(into, "{}", of.array.level.name()))),
            ("md/metadata_version", Content::File(|_, _, into| put_line!(into, "1.2"))),
            ("md/raid_disks", Content::File(|of, _, into| put_line!(into, "{}", of.array.width()))),
            ("md/uuid", Content::File(|of, _, into| put_line!(into, "{}", of.array.uuid))),
            ("md/chunk_size", Content::File(|of, _, into| put_line!(into, "{}", chunk(of.array)))),
        ],
    },
    &Group::<Assembled<'static>> {
        under: "devices",
        // Files of levels with redundancy.
        parts: |machine| Box::new(Assembled::each(machine).filter(|array| array.array.level != Level::Raid0)),
        path: |array, _| array.block.path.as_str().into(),
        entries: &[
            ("md/degraded", Content::File(|of, _, into| put_line!(into, "{}", of.array.width() - of.array.active()))),
            ("md/mismatch_cnt", Content::File(|_, _, into| put_line!(into, "0"))),
            ("md/sync_action", Content::File(sync_action)),
            ("md/sync_completed", Content::File(sync_completed)),
            ("md/sync_speed", Content::File(sync_speed)),
        ],
    },
    &Group::<Device<'static>> {
        under: "devices",
        parts: |machine| Box::new(Device::each(machine)),
        path: |device, _| format!("{}/md/{}", device.array.block.path, device.folder()).into(),
        entries: &[
            ("block", Content::Link(block_link)),
            ("errors", Content::File(errors)),
            ("size", Content::File(|device, _, into| put_line!(into, "{}", device.array.array.member_sectors / 2))),
            ("slot", Content::File(slot)),
            ("state", Content::File(state)),
        ],
    },
    &Group::<Device<'static>> {
        under: "devices",
        parts: |machine| Box::new(Device::each(machine).filter(|device| device.has_slot())),
        path: |device, _| format!("{}/md/rd{}", device.array.block.path, device.number).into(),
        entries: &[("", Content::Link(|device, _, into| put!(into, "{}", device.folder())))],
    },
];

/// An array and the block device that it provides.
#[derive(Clone, Copy)]
struct Assembled<'a> {
    array: &'a Array,
    block: &'a BlockDevice,
}

impl Part for Assembled<'static> {
    type Of<'a> = Assembled<'a>;
}

impl<'a> Assembled<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let arrays = machine.storage.arrays.iter();
        arrays.filter_map(|array| Some(Self { array, block: machine.block_devices.get(array.device)? }))
    }
}

/// A member of an array.
#[derive(Clone, Copy)]
struct Device<'a> {
    array: Assembled<'a>,
    /// The number of its slot in the array.
    number: usize,
    member: &'a Member,
    block: &'a BlockDevice,
}

impl Part for Device<'static> {
    type Of<'a> = Device<'a>;
}

impl<'a> Device<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        Assembled::each(machine).flat_map(move |array| {
            let members = array.array.members.iter().enumerate();
            members.filter_map(move |(number, member)| {
                Some(Device { array, number, member, block: machine.block_devices.get(member.device)? })
            })
        })
    }

    fn folder(self) -> String {
        format!("dev-{}", self.block.name)
    }

    fn has_slot(self) -> bool {
        matches!(self.member.role, Role::Active | Role::Recovering)
    }
}

fn chunk(array: &Array) -> u32 {
    if array.level == Level::Raid1 { 0 } else { 524_288 }
}

fn block_link(device: Device<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative(&format!("{}/md/{}", device.array.block.path, device.folder()), &device.block.path, into);
}

fn slot(device: Device<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", if device.has_slot() { device.number.to_string() } else { "none".to_owned() });
}

fn errors(device: Device<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", moment.disk_errors(device.block));
}

fn state(device: Device<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    let state = match device.member.role {
        Role::Active => "in_sync",
        Role::Spare | Role::Recovering => "spare",
        Role::Failed => "faulty",
    };
    put_line!(into, "{}", state);
}

fn sync_action(Assembled { array, .. }: Assembled<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let action = moment.check_of(array).map(|progress| progress.is_rebuild);
    put_line!(into, "{}", action.map_or("idle", |is_rebuild| if is_rebuild { "recover" } else { "check" }));
}

fn sync_completed(Assembled { array, .. }: Assembled<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let completed = |check: Progress| format!("{} / {}", check.done_sectors, check.of_sectors);
    put_line!(into, "{}", moment.check_of(array).map_or("none".to_owned(), completed));
}

fn sync_speed(Assembled { array, .. }: Assembled<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let speed = |check: Progress| check.kilobytes_per_second.to_string();
    put_line!(into, "{}", moment.check_of(array).map_or("none".to_owned(), speed));
}
