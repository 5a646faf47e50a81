//! /sys/fs/btrfs: each mounted btrfs

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{Btrfs, BtrfsGroup, KernelVersion};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 5] = [
    Group {
        under: "fs/btrfs",
        each,
        entries: &[
            ("allocation/global_rsv_reserved", What::File(|_, _, into| put_line!(into, "{RESERVE_BYTES}"))),
            ("allocation/global_rsv_size", What::File(|_, _, into| put_line!(into, "{RESERVE_BYTES}"))),
            ("clone_alignment", What::File(|_, _, into| put_line!(into, "4096"))),
            ("features/big_metadata", What::File(|_, _, into| put_line!(into, "1"))),
            ("features/compress_zstd", What::File(|_, _, into| put_line!(into, "1"))),
            ("features/extended_iref", What::File(|_, _, into| put_line!(into, "1"))),
            ("features/free_space_tree", What::File(|_, _, into| put_line!(into, "1"))),
            ("features/mixed_backref", What::File(|_, _, into| put_line!(into, "1"))),
            ("features/no_holes", What::File(|_, _, into| put_line!(into, "1"))),
            ("features/skinny_metadata", What::File(|_, _, into| put_line!(into, "1"))),
            ("label", What::File(|m, i, into| of(m, i, |b| put_line!(into, "{}", b.label)))),
            ("metadata_uuid", What::File(|m, i, into| of(m, i, |b| put_line!(into, "{}", b.uuid)))),
            ("nodesize", What::File(|_, _, into| put_line!(into, "16384"))),
            ("sectorsize", What::File(|_, _, into| put_line!(into, "4096"))),
        ],
    },
    // Commits are counted since 6.1.
    Group {
        under: "fs/btrfs",
        each: |moment, visit| {
            if moment.kernel() >= KernelVersion::new(6, 1) {
                each(moment, visit);
            }
        },
        entries: &[("commit_stats", What::File(commits))],
    },
    Group {
        under: "fs/btrfs",
        each: each_group,
        entries: &[
            ("bytes_reserved", What::File(|_, _, into| put_line!(into, "0"))),
            ("bytes_used", What::File(used)),
            ("total_bytes", What::File(total)),
        ],
    },
    Group {
        under: "fs/btrfs",
        each: each_layout,
        entries: &[("total_bytes", What::File(total)), ("used_bytes", What::File(used))],
    },
    Group { under: "fs/btrfs", each: each_device, entries: &[("", What::Link(device))] },
];

const RESERVE_BYTES: u64 = 536_870_912;
/// Kinds of block groups: numbers of file system and kind in one.
const KINDS: [&str; 3] = ["data", "metadata", "system"];
/// No file system here has as many devices.
const DEVICES: usize = 256;

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Btrfs)) {
    if let Some(btrfs) = moment.machine.storage.btrfs.get(index) {
        write(btrfs);
    }
}

fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, btrfs) in moment.machine.storage.btrfs.iter().enumerate() {
        visit(index, btrfs.uuid.as_bytes());
    }
}

fn group(btrfs: &Btrfs, kind: usize) -> BtrfsGroup {
    match kind {
        0 => btrfs.data,
        1 => btrfs.metadata,
        _ => btrfs.system,
    }
}

fn each_of_groups(moment: &Moment<'_>, mut visit: impl FnMut(usize, &str, &str, &str)) {
    for (index, btrfs) in moment.machine.storage.btrfs.iter().enumerate() {
        for (kind, name) in KINDS.iter().enumerate() {
            visit(index * KINDS.len() + kind, &btrfs.uuid, name, group(btrfs, kind).layout);
        }
    }
}

fn each_group(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_of_groups(moment, |index, uuid, kind, _| visit(index, format!("{uuid}/allocation/{kind}").as_bytes()));
}

fn each_layout(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_of_groups(moment, |index, uuid, kind, layout| {
        visit(index, format!("{uuid}/allocation/{kind}/{layout}").as_bytes());
    });
}

fn total(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index / KINDS.len(), |btrfs| put_line!(into, "{}", group(btrfs, index % KINDS.len()).total_bytes));
}

fn used(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let kind = index % KINDS.len();
    of(moment, index / KINDS.len(), |btrfs| {
        put_line!(into, "{}", moment.btrfs_used_bytes(btrfs, group(btrfs, kind), kind == 0));
    });
}

fn commits(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |btrfs| {
        let commits = moment.btrfs_commits(btrfs);
        put_line!(into, "commits {}\nlast_commit_ms {}", commits.count, commits.last);
        put_line!(into, "max_commit_ms {}\ntotal_commit_ms {}", commits.longest, commits.total);
    });
}

fn each_device(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, btrfs) in moment.machine.storage.btrfs.iter().enumerate() {
        for (number, &device) in btrfs.devices.iter().enumerate() {
            if let Some(block) = moment.machine.block_devices.get(device) {
                visit(index * DEVICES + number, format!("{}/devices/{}", btrfs.uuid, block.name).as_bytes());
            }
        }
    }
}

fn device(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index / DEVICES, |btrfs| {
        let device = btrfs.devices.get(index % DEVICES).and_then(|&device| moment.machine.block_devices.get(device));
        if let Some(block) = device {
            relative(&format!("fs/btrfs/{}/devices", btrfs.uuid), &format!("devices/{}", block.path), into);
        }
    });
}
