//! /sys/fs/bcache: sets of a cache and the device that it caches

use super::relative;
use crate::layout::{Content, Group, Part, Parts, Table, each};
use crate::list::Id;
use crate::machine::{Bcache, BlockDevice, Machine};
use crate::moment::Moment;
use crate::text::{Human, put_line};

/// A file of one of the counts.
macro_rules! count {
    ($field:ident) => {
        Content::File(|part, moment, into| put_line!(into, "{}", moment.bcache_counts(part.as_ref()).$field))
    };
}

/// A file of one of the counts, in bytes with a unit.
macro_rules! bytes {
    ($field:ident) => {
        Content::File(|part, moment, into| put_line!(into, "{}", Human(moment.bcache_counts(part.as_ref()).$field)))
    };
}

macro_rules! fixed {
    ($text:literal) => {
        Content::File(|_, _, into| put_line!(into, $text))
    };
}

pub(super) const GROUPS: Table = &[
    &Group::<Bcache> {
        under: "fs/bcache",
        parts: |machine| each(&machine.storage.bcaches),
        path: |set, _| set.uuid.as_str().into(),
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
    &Group::<SetDevice<'static>> {
        under: "fs/bcache",
        parts: |machine| SetDevice::each(machine, |set| set.backing),
        path: |SetDevice { set, .. }, _| format!("{}/bdev0", set.uuid).into(),
        entries: &[("", Content::Link(link))],
    },
    &Group::<SetDevice<'static>> {
        under: "fs/bcache",
        parts: |machine| SetDevice::each(machine, |set| set.cache),
        path: |SetDevice { set, .. }, _| format!("{}/cache0", set.uuid).into(),
        entries: &[("", Content::Link(link))],
    },
    &Group::<SetDevice<'static>> {
        under: "devices",
        parts: |machine| SetDevice::each(machine, |set| set.backing),
        path: |SetDevice { block, .. }, _| block.path.as_str().into(),
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
            ("bcache/writeback_rate_debug", Content::File(writeback)),
        ],
    },
    &Group::<SetDevice<'static>> {
        under: "devices",
        parts: |machine| SetDevice::each(machine, |set| set.cache),
        path: |SetDevice { block, .. }, _| block.path.as_str().into(),
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

/// A device of a set: the cache or the cached device.
#[derive(Clone, Copy)]
struct SetDevice<'a> {
    set: &'a Bcache,
    block: &'a BlockDevice,
}

impl Part for SetDevice<'static> {
    type Of<'a> = SetDevice<'a>;
}

impl<'a> SetDevice<'a> {
    fn each(machine: &'a Machine, device: fn(&Bcache) -> Id<BlockDevice>) -> Parts<'a, SetDevice<'static>> {
        let sets = machine.storage.bcaches.iter();
        Box::new(sets.filter_map(move |set| Some(SetDevice { set, block: machine.block_devices.get(device(set))? })))
    }
}

/// The set of a part, so that files of sets and of their devices are declared alike.
impl AsRef<Bcache> for SetDevice<'_> {
    fn as_ref(&self) -> &Bcache {
        self.set
    }
}

impl AsRef<Self> for Bcache {
    fn as_ref(&self) -> &Self {
        self
    }
}

fn link(SetDevice { set, block }: SetDevice<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative(&format!("fs/bcache/{}", set.uuid), &format!("devices/{}/bcache", block.path), into);
}

fn writeback(SetDevice { set, .. }: SetDevice<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let counts = moment.bcache_counts(set);
    let rate = counts.writeback_bytes_per_second;
    put_line!(into, "rate:\t\t{}/sec", Human(rate));
    put_line!(into, "dirty:\t\t{}\ntarget:\t\t{}", Human(counts.dirty_bytes), Human(counts.target_bytes));
    put_line!(into, "proportional:\t{}\nintegral:\t{}", Human(rate / 4), Human(rate / 4 * 3));
    put_line!(into, "change:\t\t0/sec\nnext io:\t11ms");
}
