//! /sys/fs/bcachefs: each mounted bcachefs

use super::relative;
use crate::layout::{Content, Group, Table, each};
use crate::machine::Bcachefs;
use crate::moment::Moment;
use crate::text::{Human, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Bcachefs> {
        under: "fs/bcachefs",
        parts: |machine| each(&machine.storage.bcachefs),
        path: |fs, _| fs.uuid.as_str().into(),
        entries: &[
            ("btree_cache_size", Content::File(|_, _, into| put_line!(into, "182M"))),
            ("btree_write_stats", Content::File(tree_writes)),
            ("compression_stats", Content::File(compression)),
            (
                "counters/btree_node_read",
                Content::File(|fs, moment, into| counter(fs, moment, |[read, _]| read / 262_144, into)),
            ),
            (
                "counters/btree_node_write",
                Content::File(|fs, moment, into| counter(fs, moment, |[_, written]| written / 131_072, into)),
            ),
            (
                "counters/bucket_alloc",
                Content::File(|fs, moment, into| counter(fs, moment, |[_, written]| written / 524_288, into)),
            ),
            ("counters/io_read", Content::File(|fs, moment, into| counter(fs, moment, |[read, _]| read / 512, into))),
            (
                "counters/io_write",
                Content::File(|fs, moment, into| counter(fs, moment, |[_, written]| written / 512, into)),
            ),
            (
                "counters/transaction_commit",
                Content::File(|fs, moment, into| counter(fs, moment, |[_, written]| written / 9_100, into)),
            ),
            ("errors", Content::File(|_, _, _| {})),
        ],
    },
    &Group::<Bcachefs> {
        under: "fs/bcachefs",
        parts: |machine| each(&machine.storage.bcachefs),
        path: |fs, _| format!("{}/dev-0", fs.uuid).into(),
        entries: &[
            ("bucket_size", Content::File(|f, _, into| put_line!(into, "{}", Human(f.bucket_bytes)))),
            ("durability", Content::File(|_, _, into| put_line!(into, "1"))),
            ("io_done", Content::File(transfers)),
            ("io_errors", Content::File(errors)),
            ("label", Content::File(|f, _, into| put_line!(into, "{}", f.label))),
            ("nbuckets", Content::File(buckets)),
            ("state", Content::File(|_, _, into| put_line!(into, "[rw] ro evacuating spare"))),
        ],
    },
    &Group::<Bcachefs> {
        under: "fs/bcachefs",
        parts: |machine| each(&machine.storage.bcachefs),
        path: |fs, _| format!("{}/dev-0/block", fs.uuid).into(),
        entries: &[("", Content::Link(block))],
    },
];

fn counter(fs: &Bcachefs, moment: &Moment<'_>, count: impl Fn([u64; 2]) -> u64, into: &mut Vec<u8>) {
    let [since_creation, since_mount] = moment.bcachefs_bytes(fs).map(&count);
    put_line!(into, "since mount:                     {since_mount}");
    put_line!(into, "since filesystem creation:       {since_creation}");
}

fn tree_writes(fs: &Bcachefs, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let [_, [_, written]] = moment.bcachefs_bytes(fs);
    let nodes = written / 131_072;
    put_line!(into, "                     nr             size");
    for (name, count, size) in [
        ("initial:", nodes / 40, "108k"),
        ("init_next_bset:", nodes / 130, "24.5k"),
        ("cache_reclaim:", nodes / 900, "541"),
        ("journal_reclaim:", nodes - nodes / 20, "405"),
        ("interior:", nodes / 70, "354"),
    ] {
        put_line!(into, "{name:<20} {count:<14} {size}");
    }
}

/// Writes the sizes of compressed and incompressible data.
fn compression(fs: &Bcachefs, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let used = moment.bcachefs_used_bytes(fs);
    put_line!(into, "type              compressed    uncompressed     average extent size");
    put_line!(into, "{:<17} {:<13} {:<16} 48.1k", "zstd", Human(used / 10 * 4), Human(used / 10 * 7));
    put_line!(into, "{:<17} {:<13} {:<16} 81.0k", "incompressible", Human(used / 10 * 6), Human(used / 10 * 6));
}

fn transfers(fs: &Bcachefs, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let [[read, written], _] = moment.bcachefs_bytes(fs);
    for (operation, bytes) in [("read", read), ("write", written)] {
        put_line!(into, "{operation}:");
        let journal = if operation == "write" { bytes / 30 } else { 0 };
        let tree = bytes / 14;
        let [sb, rest] = [4_096 * 12, bytes.saturating_sub(journal + tree)];
        for (kind, bytes) in [("sb", sb), ("journal", journal), ("btree", tree), ("user", rest), ("cached", 0)] {
            put_line!(into, "{kind:<12}:{bytes:>20}");
        }
    }
}

fn errors(_: &Bcachefs, _: &Moment<'_>, into: &mut Vec<u8>) {
    for heading in ["IO errors since filesystem creation", "IO errors since 14 d ago"] {
        put_line!(into, "{}", heading);
        for kind in ["read:", "write:", "checksum:"] {
            put_line!(into, "  {kind:<10}0");
        }
    }
}

fn buckets(fs: &Bcachefs, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let bytes = moment.machine.block_devices.get(fs.device).map_or(0, |block| block.sectors * 512);
    put_line!(into, "{}", bytes / fs.bucket_bytes.max(1));
}

fn block(fs: &Bcachefs, moment: &Moment<'_>, into: &mut Vec<u8>) {
    if let Some(block) = moment.machine.block_devices.get(fs.device) {
        relative(&format!("fs/bcachefs/{}/dev-0", fs.uuid), &format!("devices/{}", block.path), into);
    }
}
