//! /sys/fs/btrfs: each mounted btrfs

use super::relative;
use crate::layout::{Content, Group, Part, Table, each, each_with};
use crate::machine::{BlockDevice, Btrfs, BtrfsGroup, KernelVersion, Machine};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<Btrfs> {
        under: "fs/btrfs",
        parts: |machine| each(&machine.storage.btrfs),
        path: |btrfs, _| btrfs.uuid.as_str().into(),
        entries: &[
            ("allocation/global_rsv_reserved", Content::File(|_, _, into| put_line!(into, "{RESERVE_BYTES}"))),
            ("allocation/global_rsv_size", Content::File(|_, _, into| put_line!(into, "{RESERVE_BYTES}"))),
            ("clone_alignment", Content::File(|_, _, into| put_line!(into, "4096"))),
            ("features/big_metadata", Content::File(|_, _, into| put_line!(into, "1"))),
            ("features/compress_zstd", Content::File(|_, _, into| put_line!(into, "1"))),
            ("features/extended_iref", Content::File(|_, _, into| put_line!(into, "1"))),
            ("features/free_space_tree", Content::File(|_, _, into| put_line!(into, "1"))),
            ("features/mixed_backref", Content::File(|_, _, into| put_line!(into, "1"))),
            ("features/no_holes", Content::File(|_, _, into| put_line!(into, "1"))),
            ("features/skinny_metadata", Content::File(|_, _, into| put_line!(into, "1"))),
            ("label", Content::File(|b, _, into| put_line!(into, "{}", b.label))),
            ("metadata_uuid", Content::File(|b, _, into| put_line!(into, "{}", b.uuid))),
            ("nodesize", Content::File(|_, _, into| put_line!(into, "16384"))),
            ("sectorsize", Content::File(|_, _, into| put_line!(into, "4096"))),
        ],
    },
    &Group::<Btrfs> {
        under: "fs/btrfs",
        parts: |machine| each_with(&machine.storage.btrfs, |_| machine.kernel() >= COMMITS_SINCE),
        path: |btrfs, _| btrfs.uuid.as_str().into(),
        entries: &[("commit_stats", Content::File(commits))],
    },
    &Group::<Allocation<'static>> {
        under: "fs/btrfs",
        parts: |machine| Box::new(machine.storage.btrfs.iter().flat_map(Allocation::of)),
        path: |of, _| format!("{}/allocation/{}", of.btrfs.uuid, of.kind).into(),
        entries: &[
            ("bytes_reserved", Content::File(|_, _, into| put_line!(into, "0"))),
            ("bytes_used", Content::File(used)),
            ("total_bytes", Content::File(total)),
        ],
    },
    &Group::<Allocation<'static>> {
        under: "fs/btrfs",
        parts: |machine| Box::new(machine.storage.btrfs.iter().flat_map(Allocation::of)),
        path: |of, _| format!("{}/allocation/{}/{}", of.btrfs.uuid, of.kind, of.group.layout).into(),
        entries: &[("total_bytes", Content::File(total)), ("used_bytes", Content::File(used))],
    },
    &Group::<Device<'static>> {
        under: "fs/btrfs",
        parts: |machine| Box::new(Device::each(machine)),
        path: |Device { btrfs, block }, _| format!("{}/devices/{}", btrfs.uuid, block.name).into(),
        entries: &[("", Content::Link(device))],
    },
];

const RESERVE_BYTES: u64 = 536_870_912;
const COMMITS_SINCE: KernelVersion = KernelVersion::new(6, 1);

/// The block groups of one kind of a file system.
#[derive(Clone, Copy)]
struct Allocation<'a> {
    btrfs: &'a Btrfs,
    kind: &'static str,
    group: BtrfsGroup,
}

impl Part for Allocation<'static> {
    type Of<'a> = Allocation<'a>;
}

impl<'a> Allocation<'a> {
    fn of(btrfs: &'a Btrfs) -> impl Iterator<Item = Self> {
        let groups = [("data", btrfs.data), ("metadata", btrfs.metadata), ("system", btrfs.system)];
        groups.into_iter().map(move |(kind, group)| Self { btrfs, kind, group })
    }
}

/// A device of a file system.
#[derive(Clone, Copy)]
struct Device<'a> {
    btrfs: &'a Btrfs,
    block: &'a BlockDevice,
}

impl Part for Device<'static> {
    type Of<'a> = Device<'a>;
}

impl<'a> Device<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.storage.btrfs.iter().flat_map(|btrfs| {
            let blocks = btrfs.devices.iter().filter_map(|&device| machine.block_devices.get(device));
            blocks.map(move |block| Device { btrfs, block })
        })
    }
}

fn total(allocation: Allocation<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", allocation.group.total_bytes);
}

fn used(Allocation { btrfs, kind, group }: Allocation<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", moment.btrfs_used_bytes(btrfs, group, kind == "data"));
}

fn commits(btrfs: &Btrfs, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let commits = moment.btrfs_commits(btrfs);
    put_line!(into, "commits {}\nlast_commit_ms {}", commits.count, commits.last);
    put_line!(into, "max_commit_ms {}\ntotal_commit_ms {}", commits.longest, commits.total);
}

fn device(Device { btrfs, block }: Device<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative(&format!("fs/btrfs/{}/devices", btrfs.uuid), &format!("devices/{}", block.path), into);
}
