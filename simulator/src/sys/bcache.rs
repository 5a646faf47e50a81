//! /sys/fs/bcache: sets of caches and what they cache

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{Bcache, BlockDevice};
use crate::moment::Moment;
use crate::moment::bcache::CacheCounts;
use crate::text::{Human, put_line};

/// A number out of the counts, as it stands.
macro_rules! count {
    ($field:ident) => {
        What::File(|m, i, into| counts(m, i, |c| put_line!(into, "{}", c.$field)))
    };
}

/// Bytes out of the counts, as people read them.
macro_rules! bytes {
    ($field:ident) => {
        What::File(|m, i, into| counts(m, i, |c| put_line!(into, "{}", Human(c.$field))))
    };
}

macro_rules! fixed {
    ($text:literal) => {
        What::File(|_, _, into| put_line!(into, $text))
    };
}

pub(super) static GROUPS: [Group; 5] = [
    Group {
        under: "fs/bcache",
        each: |moment, visit| each(moment, visit, |set| set.uuid.clone()),
        entries: &[
            ("average_key_size", fixed!("218")),
            ("btree_cache_size", fixed!("61.5M")),
            ("cache_available_percent", fixed!("91")),
            ("congested", fixed!("0")),
            ("internal/active_journal_entries", fixed!("1")),
            ("internal/btree_nodes", fixed!("1204")),
            ("internal/btree_read_average_duration_us", fixed!("641")),
            ("internal/cache_read_races", count!(read_races)),
            ("root_usage_percent", fixed!("34")),
            ("tree_depth", fixed!("1")),
        ],
    },
    Group {
        under: "fs/bcache",
        each: |moment, visit| each(moment, visit, |set| format!("{}/bdev0", set.uuid)),
        entries: &[("", What::Link(|m, i, into| link(m, i, |set| set.backing, into)))],
    },
    Group {
        under: "fs/bcache",
        each: |moment, visit| each(moment, visit, |set| format!("{}/cache0", set.uuid)),
        entries: &[("", What::Link(|m, i, into| link(m, i, |set| set.cache, into)))],
    },
    Group {
        under: "devices",
        each: |moment, visit| each_of(moment, visit, |set| set.backing),
        entries: &[
            ("bcache/cache_mode", fixed!("writethrough [writeback] writearound none")),
            ("bcache/dirty_data", bytes!(dirty_bytes)),
            ("bcache/state", fixed!("dirty")),
            ("bcache/stats_total/bypassed", bytes!(bypassed_bytes)),
            ("bcache/stats_total/cache_bypass_hits", count!(bypass_hits)),
            ("bcache/stats_total/cache_bypass_misses", count!(bypass_misses)),
            ("bcache/stats_total/cache_hits", count!(hits)),
            ("bcache/stats_total/cache_miss_collisions", count!(collisions)),
            ("bcache/stats_total/cache_misses", count!(misses)),
            ("bcache/stats_total/cache_readaheads", fixed!("0")),
            ("bcache/writeback_rate_debug", What::File(writeback)),
        ],
    },
    Group {
        under: "devices",
        each: |moment, visit| each_of(moment, visit, |set| set.cache),
        entries: &[
            ("bcache/io_errors", fixed!("0")),
            ("bcache/metadata_written", bytes!(metadata_bytes)),
            (
                "bcache/priority_stats",
                fixed!(
                    "Unused:\t\t8%\nClean:\t\t84%\nDirty:\t\t7%\nMetadata:\t0%\nAverage:\t517\nSectors per Q:\t31204352\nQuantiles:\t[9 21 44 71 118 190 266 331 402 468 531 590 644 699 750]"
                ),
            ),
            ("bcache/written", bytes!(written_bytes)),
        ],
    },
];

fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), path: impl Fn(&Bcache) -> String) {
    for (index, set) in moment.machine.storage.bcaches.iter().enumerate() {
        visit(index, path(set).as_bytes());
    }
}

fn each_of(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), device: impl Fn(&Bcache) -> usize) {
    for (index, set) in moment.machine.storage.bcaches.iter().enumerate() {
        if let Some(block) = moment.machine.block_devices.get(device(set)) {
            visit(index, block.path.as_bytes());
        }
    }
}

fn counts(moment: &Moment<'_>, index: usize, write: impl FnOnce(CacheCounts)) {
    if let Some(set) = moment.machine.storage.bcaches.get(index) {
        write(moment.bcache_counts(set));
    }
}

fn link(moment: &Moment<'_>, index: usize, device: impl Fn(&Bcache) -> usize, into: &mut Vec<u8>) {
    let Some(set) = moment.machine.storage.bcaches.get(index) else { return };
    let block: Option<&BlockDevice> = moment.machine.block_devices.get(device(set));
    if let Some(block) = block {
        relative(&format!("fs/bcache/{}", set.uuid), &format!("devices/{}/bcache", block.path), into);
    }
}

fn writeback(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    counts(moment, index, |counts| {
        let rate = counts.writeback_bytes_per_second;
        put_line!(into, "rate:\t\t{}/sec", Human(rate));
        put_line!(into, "dirty:\t\t{}\ntarget:\t\t{}", Human(counts.dirty_bytes), Human(counts.target_bytes));
        put_line!(into, "proportional:\t{}\nintegral:\t{}", Human(rate / 4), Human(rate / 4 * 3));
        put_line!(into, "change:\t\t0/sec\nnext io:\t11ms");
    });
}
