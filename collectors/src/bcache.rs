//! Caches in front of block devices, from /sys/fs/bcache.

mod human;

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::family::{Counter, Family, Gauge};
use crate::kit::label::Joined;
use crate::kit::number::Number;
use crate::kit::prelude::*;
use crate::kit::rows::{Row, Rows};
use human::{Human, SignedHuman};

/// What the caches of the host hold and how often they helped.
#[derive(Debug)]
pub struct Bcache {
    with_priorities: bool,
    sets: Names,
    devices: Names,
}

declare! {
    Bcache: "bcache", on, "What each bcache holds, how often it helped, and how fast it writes back.";
    reads {
        SETS: Directory Sys "fs/bcache";
        SET: Directory Sys "fs/bcache/*";
        SET_VALUE: File Sys "fs/bcache/*/*";
        INTERNAL: File Sys "fs/bcache/*/internal/*";
        DIRTY: File Sys "fs/bcache/*/bdev*/dirty_data";
        WRITEBACK: File Sys "fs/bcache/*/bdev*/writeback_rate_debug";
        TOTAL: File Sys "fs/bcache/*/bdev*/stats_total/*";
        CACHE_VALUE: File Sys "fs/bcache/*/cache*/*";
        PRIORITIES: File Sys "fs/bcache/*/cache*/priority_stats";
    }
    flags {
        PRIORITY_STATS: Switch "collector.bcache.priorityStats" = "false", "Tells how much of the caches is unused, which the kernel has to count at each scrape.";
    }
    families {
        KEY_SIZE: Gauge "node_bcache_average_key_size_sectors" ["uuid"] "Data that a key of the B-tree stands for, on average.";
        TREE_CACHE: Gauge "node_bcache_btree_cache_size_bytes" ["uuid"] "Memory that the B-tree's nodes take.";
        AVAILABLE: kept Gauge "node_bcache_cache_available_percent" ["uuid"] "Part of the cache that holds nothing that has yet to be written back.";
        CONGESTED: Gauge "node_bcache_congested" ["uuid"] "How congested the cache is.";
        ROOT_USAGE: kept Gauge "node_bcache_root_usage_percent" ["uuid"] "Part of the B-tree's root that is used; the tree grows when it is full.";
        DEPTH: Gauge "node_bcache_tree_depth" ["uuid"] "Levels of the B-tree.";
        JOURNAL: Gauge "node_bcache_active_journal_entries" ["uuid"] "Entries of the journal that the B-tree does not have yet.";
        NODES: Gauge "node_bcache_btree_nodes" ["uuid"] "Nodes of the B-tree.";
        READ_DURATION: Gauge "node_bcache_btree_read_average_duration_seconds" ["uuid"] "How long it takes to read a node of the B-tree, on average.";
        RACES: Counter "node_bcache_cache_read_races_total" ["uuid"] "Reads whose data was replaced in the cache in the meantime.";
        DIRTY_DATA: Gauge "node_bcache_dirty_data_bytes" ["backing_device", "uuid"] "Data of the device in the cache that has yet to be written back.";
        TARGET: Gauge "node_bcache_dirty_target_bytes" ["backing_device", "uuid"] "So much data of the device may wait to be written back.";
        RATE: Gauge "node_bcache_writeback_rate" ["backing_device", "uuid"] "Bytes a second that are written back at the moment.";
        PROPORTIONAL: Gauge "node_bcache_writeback_rate_proportional_term" ["backing_device", "uuid"] "What the present distance from the target adds to the rate.";
        INTEGRAL: Gauge "node_bcache_writeback_rate_integral_term" ["backing_device", "uuid"] "What the past distance from the target adds to the rate.";
        CHANGE: Gauge "node_bcache_writeback_change" ["backing_device", "uuid"] "By how much the rate was changed the last time.";
        BYPASSED: Counter "node_bcache_bypassed_bytes_total" ["backing_device", "uuid"] "What was read and written past the cache.";
        HITS: Counter "node_bcache_cache_hits_total" ["backing_device", "uuid"] "Requests that the cache answered.";
        MISSES: Counter "node_bcache_cache_misses_total" ["backing_device", "uuid"] "Requests that the cache could not answer.";
        BYPASS_HITS: Counter "node_bcache_cache_bypass_hits_total" ["backing_device", "uuid"] "Requests that were to pass by the cache, which had their data.";
        BYPASS_MISSES: Counter "node_bcache_cache_bypass_misses_total" ["backing_device", "uuid"] "Requests that were to pass by the cache, which did not have their data.";
        COLLISIONS: Counter "node_bcache_cache_miss_collisions_total" ["backing_device", "uuid"] "Times that data was to be put into the cache when a write had already done so.";
        READAHEADS: Counter "node_bcache_cache_readaheads_total" ["backing_device", "uuid"] "Times that more was read than was asked for.";
        ERRORS: Gauge "node_bcache_io_errors" ["cache_device", "uuid"] "Errors of the cache's device; old ones count less.";
        METADATA_WRITTEN: Counter "node_bcache_metadata_written_bytes_total" ["cache_device", "uuid"] "What was written to the cache other than data.";
        WRITTEN: Counter "node_bcache_written_bytes_total" ["cache_device", "uuid"] "Data that was written to the cache.";
        UNUSED: kept Gauge "node_bcache_priority_stats_unused_percent" ["cache_device", "uuid"] "Part of the cache that holds nothing.";
        METADATA: kept Gauge "node_bcache_priority_stats_metadata_percent" ["cache_device", "uuid"] "Part of the cache that holds what bcache keeps for itself.";
    }
}

type Level = Family<Bcache, Gauge, crate::kit::family::Unnamed<1>>;
type TotalOf2 = Family<Bcache, Counter, crate::kit::family::Unnamed<2>>;
type LevelOf2 = Family<Bcache, Gauge, crate::kit::family::Unnamed<2>>;

const SET_GAUGES: [(&[u8], Level); 6] = [
    (b"average_key_size", KEY_SIZE),
    (b"btree_cache_size", TREE_CACHE),
    (b"cache_available_percent", AVAILABLE),
    (b"congested", CONGESTED),
    (b"root_usage_percent", ROOT_USAGE),
    (b"tree_depth", DEPTH),
];

const INTERNAL_GAUGES: [(&[u8], Level); 2] = [(b"active_journal_entries", JOURNAL), (b"btree_nodes", NODES)];

/// What is counted of a backing device since it was attached.
const TOTALS: [(&[u8], TotalOf2); 7] = [
    (b"bypassed", BYPASSED),
    (b"cache_bypass_hits", BYPASS_HITS),
    (b"cache_bypass_misses", BYPASS_MISSES),
    (b"cache_hits", HITS),
    (b"cache_miss_collisions", COLLISIONS),
    (b"cache_misses", MISSES),
    // Shown once there are any: kernels since 5.15 do not count them.
    (READAHEAD_FILE, READAHEADS),
];
const READAHEAD_FILE: &[u8] = b"cache_readaheads";

/// The file's name speaks of microseconds; node_exporter takes it for nanoseconds, and dashboards know it like that.
const READ_DURATION_FILE: &[u8] = b"btree_read_average_duration_us";
const SECONDS_PER_UNIT: f64 = 1e-9;

/// The lines of writeback_rate_debug that are shown, without and with a sign.
const WRITEBACK_NAMES: [&str; 5] = ["target:", "rate:", "proportional:", "integral:", "change:"];
const WRITEBACK_FAMILIES: [LevelOf2; 5] = [TARGET, RATE, PROPORTIONAL, INTEGRAL, CHANGE];
const UNSIGNED_COUNT: usize = 2;

const PRIORITY_NAMES: [&str; 2] = ["Unused:", "Metadata:"];
const PRIORITY_FAMILIES: [LevelOf2; 2] = [UNUSED, METADATA];

impl Collect for Bcache {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { with_priorities: options.get(PRIORITY_STATS), sets: Names::new(), devices: Names::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { with_priorities, sets, devices } = self;
        match cx.files.list(SETS, [], sets) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for uuid in sets.iter().filter(|name| name.contains(&b'-')) {
            emit_set(cx, uuid);
            let listed = cx.files.list(SET, [uuid], devices).map_err(Failure::from);
            let Some(()) = cx.problems.value(listed) else { continue };
            for number in attribute::numbered(devices, b"bdev") {
                emit_backing(cx, [uuid, number]);
            }
            for number in attribute::numbered(devices, b"cache") {
                emit_cache(cx, [uuid, number]);
                if *with_priorities {
                    emit_priorities(cx, [uuid, number]);
                }
            }
        }
        Ok(())
    }
}

fn emit_set(cx: &mut Cx<'_, Bcache>, uuid: &[u8]) {
    for (file, family) in SET_GAUGES {
        if let Some(Human(value)) = attribute::number_or(cx, SET_VALUE, [uuid, file], Human(0)) {
            cx.page.gauge(family, [&uuid], value);
        }
    }
    for (file, family) in INTERNAL_GAUGES {
        if let Some(Human(value)) = attribute::number_or(cx, INTERNAL, [uuid, file], Human(0)) {
            cx.page.gauge(family, [&uuid], value);
        }
    }
    if let Some(Human(value)) = attribute::number_or(cx, INTERNAL, [uuid, READ_DURATION_FILE], Human(0)) {
        cx.page.gauge(READ_DURATION, [&uuid], value as f64 * SECONDS_PER_UNIT);
    }
    if let Some(Human(value)) = attribute::number_or(cx, INTERNAL, [uuid, b"cache_read_races"], Human(0)) {
        cx.page.counter(RACES, [&uuid], value);
    }
}

fn emit_backing(cx: &mut Cx<'_, Bcache>, [uuid, number]: [&[u8]; 2]) {
    let device = Joined(&[b"bdev", number]);
    if let Some(Human(value)) = attribute::number_or(cx, DIRTY, [uuid, number], Human(0)) {
        cx.page.gauge(DIRTY_DATA, [&device, &uuid], value);
    }
    match cx.files.read(WRITEBACK, [uuid, number]) {
        Ok(text) => {
            for (at, value) in named_lines(text, WRITEBACK_NAMES, cx.problems, writeback) {
                if let Some(&family) = WRITEBACK_FAMILIES.get(at) {
                    cx.page.gauge(family, [&device, &uuid], value);
                }
            }
        }
        Err(error) => cx.problems.report(error),
    }
    for (file, family) in TOTALS {
        let Some(Human(value)) = attribute::number_or(cx, TOTAL, [uuid, number, file], Human(0)) else { continue };
        if file != READAHEAD_FILE || value > 0 {
            cx.page.counter(family, [&device, &uuid], value);
        }
    }
}

fn emit_cache(cx: &mut Cx<'_, Bcache>, [uuid, number]: [&[u8]; 2]) {
    let device = Joined(&[b"cache", number]);
    if let Some(Human(value)) = attribute::number_or(cx, CACHE_VALUE, [uuid, number, b"io_errors"], Human(0)) {
        cx.page.gauge(ERRORS, [&device, &uuid], value);
    }
    let counters: [(&[u8], TotalOf2); 2] = [(b"metadata_written", METADATA_WRITTEN), (b"written", WRITTEN)];
    for (file, family) in counters {
        if let Some(Human(value)) = attribute::number_or(cx, CACHE_VALUE, [uuid, number, file], Human(0)) {
            cx.page.counter(family, [&device, &uuid], value);
        }
    }
}

fn emit_priorities(cx: &mut Cx<'_, Bcache>, [uuid, number]: [&[u8]; 2]) {
    match cx.files.read(PRIORITIES, [uuid, number]) {
        Ok(text) => {
            for (at, value) in named_lines(text, PRIORITY_NAMES, cx.problems, percentage) {
                if let Some(&family) = PRIORITY_FAMILIES.get(at) {
                    cx.page.gauge(family, [&Joined(&[b"cache", number]), &uuid], value);
                }
            }
        }
        Err(error) => cx.problems.report(error),
    }
}

/// What `read` makes of the lines of these names, by their place among the names. One that a kernel does not write is
/// 0; one that may be a line that nobody could read is left out.
fn named_lines<'a, const N: usize>(
    text: Text<'a>,
    names: [&str; N],
    problems: &mut Problems,
    read: impl Fn(usize, Row<'a>) -> Result<Number, ParseError<'a>>,
) -> impl Iterator<Item = (usize, Number)> {
    let rows = Rows::of(text, names, problems, |line| {
        let is_fine = memchr::memchr(b':', line.bytes).is_some();
        if is_fine { Ok(()) } else { Err(line.error("the line", "a name, a colon and a value", line.bytes)) }
    });
    let mut values = [None; N];
    for (at, value) in problems.value(rows).into_iter().flat_map(|rows| rows.each(&read)) {
        if let (Some(place), Some(value)) = (values.get_mut(at), problems.value(value)) {
            *place = Some(value.unwrap_or(Number::Unsigned(0)));
        }
    }
    values.into_iter().enumerate().filter_map(|(at, value)| Some((at, value?)))
}

/// `446.4k/sec` after the name: the last field, with or without its unit of time.
fn writeback(at: usize, row: Row<'_>) -> Result<Number, ParseError<'_>> {
    let found = row.line.fields().last().unwrap_or_default();
    let amount = found.strip_suffix(b"/sec").unwrap_or(found);
    if at < UNSIGNED_COUNT {
        row.line.number("the amount", amount).map(|Human(value)| value.into())
    } else {
        row.line.number("the amount", amount).map(|SignedHuman(value)| value.into())
    }
}

fn percentage(_: usize, row: Row<'_>) -> Result<Number, ParseError<'_>> {
    let found = row.line.fields().last().unwrap_or_default();
    let value: u64 = row.line.number("the percentage", found.strip_suffix(b"%").unwrap_or(found))?;
    Ok(value.into())
}

#[cfg(test)]
mod tests;
