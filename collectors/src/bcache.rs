//! Caches in front of block devices, from /sys/fs/bcache.

mod human;

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::label::Joined;
use crate::kit::number::Number;
use crate::kit::prelude::*;
use crate::kit::rows::{Row, Rows};
use human::{Human, SignedHuman};

/// The bcache collector.
#[derive(Debug)]
pub struct Bcache {
    with_priorities: bool,
    sets: Names,
    devices: Names,
}

declare! {
    Bcache: "bcache", on, "Contents, hit rates and writeback of bcache devices.";
    labels {
        PerSet { uuid }
        PerBackingDevice { backing_device, uuid }
        PerCacheDevice { cache_device, uuid }
    }
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
        PRIORITY_STATS: Switch "collector.bcache.priorityStats" = "false", "Export priority statistics, which cost a scan of all buckets per scrape.";
    }
    families {
        READ_DURATION: Gauge "node_bcache_btree_read_average_duration_seconds" PerSet "Average time to read a B-tree node, in seconds.";
        RACES: Counter "node_bcache_cache_read_races_total" PerSet "Cache reads whose bucket was reused during the read.";
        DIRTY_DATA: Gauge "node_bcache_dirty_data_bytes" PerBackingDevice "Dirty data of the backing device in the cache, in bytes.";
        ERRORS: Gauge "node_bcache_io_errors" PerCacheDevice "I/O errors of the cache device, decayed over time.";
    }
    /// Attributes of a cache set, by file.
    table SET_VALUES: &'static [u8] => PerSet {
        b"average_key_size" => Gauge "node_bcache_average_key_size_sectors" "Average size of the data behind a B-tree key, in sectors.";
        b"btree_cache_size" => Gauge "node_bcache_btree_cache_size_bytes" "Memory used to cache B-tree nodes, in bytes.";
        b"cache_available_percent" => kept Gauge "node_bcache_cache_available_percent" "Share of the cache without dirty data, in percent.";
        b"congested" => Gauge "node_bcache_congested" "Congestion of the cache set.";
        b"root_usage_percent" => kept Gauge "node_bcache_root_usage_percent" "Used share of the B-tree's root node, in percent.";
        b"tree_depth" => Gauge "node_bcache_tree_depth" "Depth of the B-tree.";
    }
    /// Internal attributes of a cache set, by file.
    table INTERNAL_VALUES: &'static [u8] => PerSet {
        b"active_journal_entries" => Gauge "node_bcache_active_journal_entries" "Journal entries newer than the B-tree index.";
        b"btree_nodes" => Gauge "node_bcache_btree_nodes" "Nodes of the B-tree.";
    }
    /// Counters of a backing device since it was attached, by file.
    table TOTALS: &'static [u8] => PerBackingDevice {
        b"bypassed" => Counter "node_bcache_bypassed_bytes_total" "Bytes read and written that bypassed the cache.";
        b"cache_bypass_hits" => Counter "node_bcache_cache_bypass_hits_total" "Cache hits of requests meant to bypass the cache.";
        b"cache_bypass_misses" => Counter "node_bcache_cache_bypass_misses_total" "Cache misses of requests meant to bypass the cache.";
        b"cache_hits" => Counter "node_bcache_cache_hits_total" "Requests served from the cache.";
        b"cache_miss_collisions" => Counter "node_bcache_cache_miss_collisions_total" "Cache fills abandoned because of a concurrent write.";
        b"cache_misses" => Counter "node_bcache_cache_misses_total" "Requests that missed the cache.";
        READAHEAD_FILE => Counter "node_bcache_cache_readaheads_total" "Readahead requests of the cache.";
    }
    /// Lines of writeback_rate_debug, by name.
    table WRITEBACK_VALUES: &'static str => PerBackingDevice {
        "target:" => Gauge "node_bcache_dirty_target_bytes" "Target amount of dirty data of the backing device, in bytes.";
        "rate:" => Gauge "node_bcache_writeback_rate" "Current writeback rate of the backing device, in bytes per second.";
        "proportional:" => Gauge "node_bcache_writeback_rate_proportional_term" "Proportional term of the writeback rate controller.";
        "integral:" => Gauge "node_bcache_writeback_rate_integral_term" "Integral term of the writeback rate controller.";
        "change:" => Gauge "node_bcache_writeback_change" "Last change of the writeback rate.";
    }
    /// Lines of priority_stats, by name.
    table PRIORITY_VALUES: &'static str => PerCacheDevice {
        "Unused:" => kept Gauge "node_bcache_priority_stats_unused_percent" "Share of the cache without data, in percent.";
        "Metadata:" => kept Gauge "node_bcache_priority_stats_metadata_percent" "Share of the cache used for metadata, in percent.";
    }
    /// Bytes written to a cache device, by file.
    table WRITTEN_VALUES: &'static [u8] => PerCacheDevice {
        b"metadata_written" => Counter "node_bcache_metadata_written_bytes_total" "Non-data bytes written to the cache device.";
        b"written" => Counter "node_bcache_written_bytes_total" "Data bytes written to the cache device.";
    }
}

const READAHEAD_FILE: &[u8] = b"cache_readaheads";

/// The name says microseconds; node_exporter reads the value as nanoseconds.
const READ_DURATION_FILE: &[u8] = b"btree_read_average_duration_us";
const SECONDS_PER_UNIT: f64 = 1e-9;

/// The first values of [`WRITEBACK_VALUES`], which have no sign.
const UNSIGNED_COUNT: usize = 2;

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
    for (file, family) in SET_VALUES {
        if let Some(Human(value)) = attribute::number_or(cx, SET_VALUE, [uuid, file], Human(0)) {
            cx.page.tabled(family, PerSet { uuid: &uuid }, value);
        }
    }
    for (file, family) in INTERNAL_VALUES {
        if let Some(Human(value)) = attribute::number_or(cx, INTERNAL, [uuid, file], Human(0)) {
            cx.page.tabled(family, PerSet { uuid: &uuid }, value);
        }
    }
    if let Some(Human(value)) = attribute::number_or(cx, INTERNAL, [uuid, READ_DURATION_FILE], Human(0)) {
        cx.page.gauge(READ_DURATION, PerSet { uuid: &uuid }, value as f64 * SECONDS_PER_UNIT);
    }
    if let Some(Human(value)) = attribute::number_or(cx, INTERNAL, [uuid, b"cache_read_races"], Human(0)) {
        cx.page.counter(RACES, PerSet { uuid: &uuid }, value);
    }
}

fn emit_backing(cx: &mut Cx<'_, Bcache>, [uuid, number]: [&[u8]; 2]) {
    let device = Joined(&[b"bdev", number]);
    if let Some(Human(value)) = attribute::number_or(cx, DIRTY, [uuid, number], Human(0)) {
        cx.page.gauge(DIRTY_DATA, PerBackingDevice { backing_device: &device, uuid: &uuid }, value);
    }
    match cx.files.read(WRITEBACK, [uuid, number]) {
        Ok(text) => {
            let names = WRITEBACK_VALUES.map(|(name, _)| name);
            for (at, value) in named_lines(text, names, cx.problems, writeback) {
                if let Some(&(_, family)) = WRITEBACK_VALUES.get(at) {
                    cx.page.tabled(family, PerBackingDevice { backing_device: &device, uuid: &uuid }, value);
                }
            }
        }
        Err(error) => cx.problems.report(error),
    }
    for (file, family) in TOTALS {
        let Some(Human(value)) = attribute::number_or(cx, TOTAL, [uuid, number, file], Human(0)) else { continue };
        if file != READAHEAD_FILE || value > 0 {
            cx.page.tabled(family, PerBackingDevice { backing_device: &device, uuid: &uuid }, value);
        }
    }
}

fn emit_cache(cx: &mut Cx<'_, Bcache>, [uuid, number]: [&[u8]; 2]) {
    let device = Joined(&[b"cache", number]);
    if let Some(Human(value)) = attribute::number_or(cx, CACHE_VALUE, [uuid, number, b"io_errors"], Human(0)) {
        cx.page.gauge(ERRORS, PerCacheDevice { cache_device: &device, uuid: &uuid }, value);
    }
    for (file, family) in WRITTEN_VALUES {
        if let Some(Human(value)) = attribute::number_or(cx, CACHE_VALUE, [uuid, number, file], Human(0)) {
            cx.page.tabled(family, PerCacheDevice { cache_device: &device, uuid: &uuid }, value);
        }
    }
}

fn emit_priorities(cx: &mut Cx<'_, Bcache>, [uuid, number]: [&[u8]; 2]) {
    match cx.files.read(PRIORITIES, [uuid, number]) {
        Ok(text) => {
            let names = PRIORITY_VALUES.map(|(name, _)| name);
            for (at, value) in named_lines(text, names, cx.problems, percentage) {
                if let Some(&(_, family)) = PRIORITY_VALUES.get(at) {
                    let device = Joined(&[b"cache", number]);
                    cx.page.tabled(family, PerCacheDevice { cache_device: &device, uuid: &uuid }, value);
                }
            }
        }
        Err(error) => cx.problems.report(error),
    }
}

/// Reads the lines of these names; returns values with the index of their name. A missing line is 0, unless another
/// line could not be parsed and may be the missing one.
fn named_lines<'a, const N: usize>(
    text: Text<'a>,
    names: [&str; N],
    problems: &mut Problems,
    read: impl Fn(usize, Row<'a>) -> Result<Number, ParseError<'a>>,
) -> impl Iterator<Item = (usize, Number)> {
    let rows = Rows::of(text, names, problems, |line| {
        let is_fine = memchr::memchr(b':', line.bytes).is_some();
        if is_fine { Ok(()) } else { Err(line.error("line", "a name, a colon and a value", line.bytes)) }
    });
    let mut values = [None; N];
    for (at, value) in problems.value(rows).into_iter().flat_map(|rows| rows.each(&read)) {
        if let (Some(place), Some(value)) = (values.get_mut(at), problems.value(value)) {
            *place = Some(value.unwrap_or(Number::Unsigned(0)));
        }
    }
    values.into_iter().enumerate().filter_map(|(at, value)| Some((at, value?)))
}

/// Parses the last field, `446.4k/sec` or without the unit of time.
fn writeback(at: usize, row: Row<'_>) -> Result<Number, ParseError<'_>> {
    let found = row.line.fields().last().unwrap_or_default();
    let amount = found.strip_suffix(b"/sec").unwrap_or(found);
    if at < UNSIGNED_COUNT {
        row.line.number("amount", amount).map(|Human(value)| value.into())
    } else {
        row.line.number("amount", amount).map(|SignedHuman(value)| value.into())
    }
}

fn percentage(_: usize, row: Row<'_>) -> Result<Number, ParseError<'_>> {
    let found = row.line.fields().last().unwrap_or_default();
    let value: u64 = row.line.number("percentage", found.strip_suffix(b"%").unwrap_or(found))?;
    Ok(value.into())
}

#[cfg(test)]
mod tests;
