//! /sys/fs/bcachefs: each mounted bcachefs

use super::relative;
use crate::layout::{Group, What};
use crate::machine::Bcachefs;
use crate::moment::Moment;
use crate::text::{Human, put_line};

pub(super) static GROUPS: [Group; 3] = [
    Group {
        under: "fs/bcachefs",
        each: |moment, visit| each(moment, visit, ""),
        entries: &[
            ("btree_cache_size", What::File(|_, _, into| put_line!(into, "182M"))),
            ("btree_write_stats", What::File(tree_writes)),
            ("compression_stats", What::File(compression)),
            ("counters/btree_node_read", What::File(|m, i, into| counter(m, i, |[read, _]| read / 262_144, into))),
            (
                "counters/btree_node_write",
                What::File(|m, i, into| counter(m, i, |[_, written]| written / 131_072, into)),
            ),
            ("counters/bucket_alloc", What::File(|m, i, into| counter(m, i, |[_, written]| written / 524_288, into))),
            ("counters/io_read", What::File(|m, i, into| counter(m, i, |[read, _]| read / 512, into))),
            ("counters/io_write", What::File(|m, i, into| counter(m, i, |[_, written]| written / 512, into))),
            (
                "counters/transaction_commit",
                What::File(|m, i, into| counter(m, i, |[_, written]| written / 9_100, into)),
            ),
            ("errors", What::File(|_, _, _| {})),
        ],
    },
    Group {
        under: "fs/bcachefs",
        each: |moment, visit| each(moment, visit, "/dev-0"),
        entries: &[
            ("bucket_size", What::File(|m, i, into| of(m, i, |f| put_line!(into, "{}", Human(f.bucket_bytes))))),
            ("durability", What::File(|_, _, into| put_line!(into, "1"))),
            ("io_done", What::File(transfers)),
            ("io_errors", What::File(errors)),
            ("label", What::File(|m, i, into| of(m, i, |f| put_line!(into, "{}", f.label)))),
            ("nbuckets", What::File(buckets)),
            ("state", What::File(|_, _, into| put_line!(into, "[rw] ro evacuating spare"))),
        ],
    },
    Group {
        under: "fs/bcachefs",
        each: |moment, visit| each(moment, visit, "/dev-0/block"),
        entries: &[("", What::Link(block))],
    },
];

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Bcachefs)) {
    if let Some(fs) = moment.machine.storage.bcachefs.get(index) {
        write(fs);
    }
}

fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), below: &str) {
    for (index, fs) in moment.machine.storage.bcachefs.iter().enumerate() {
        visit(index, format!("{}{below}", fs.uuid).as_bytes());
    }
}

fn counter(moment: &Moment<'_>, index: usize, count: impl Fn([u64; 2]) -> u64, into: &mut Vec<u8>) {
    of(moment, index, |fs| {
        let [since_creation, since_mount] = moment.bcachefs_bytes(fs).map(&count);
        put_line!(into, "since mount:                     {since_mount}");
        put_line!(into, "since filesystem creation:       {since_creation}");
    });
}

fn tree_writes(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |fs| {
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
    });
}

/// What is stored as it is, and what is packed.
fn compression(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |fs| {
        let used = moment.bcachefs_used_bytes(fs);
        put_line!(into, "type              compressed    uncompressed     average extent size");
        put_line!(into, "{:<17} {:<13} {:<16} 48.1k", "zstd", Human(used / 10 * 4), Human(used / 10 * 7));
        put_line!(into, "{:<17} {:<13} {:<16} 81.0k", "incompressible", Human(used / 10 * 6), Human(used / 10 * 6));
    });
}

fn transfers(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |fs| {
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
    });
}

fn errors(_: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for heading in ["IO errors since filesystem creation", "IO errors since 14 d ago"] {
        put_line!(into, "{}", heading);
        for kind in ["read:", "write:", "checksum:"] {
            put_line!(into, "  {kind:<10}0");
        }
    }
}

fn buckets(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |fs| {
        let bytes = moment.machine.block_devices.get(fs.device).map_or(0, |block| block.sectors * 512);
        put_line!(into, "{}", bytes / fs.bucket_bytes.max(1));
    });
}

fn block(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |fs| {
        if let Some(block) = moment.machine.block_devices.get(fs.device) {
            relative(&format!("fs/bcachefs/{}/dev-0", fs.uuid), &format!("devices/{}", block.path), into);
        }
    });
}
