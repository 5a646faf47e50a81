//! Mounted bcachefs file systems, from /sys/fs/bcachefs.

mod device;
mod text;

use crate::declare;
use crate::host::root::{Kind, Names, RootError};
use crate::kit::attribute;
use crate::kit::prelude::*;
use crate::kit::table;
use text::Amount;

/// What each mounted bcachefs did, holds and lost.
#[derive(Default, Debug)]
pub struct Bcachefs {
    file_systems: Names,
    entries: Names,
    name: Vec<u8>,
    label: Vec<u8>,
    state: Vec<u8>,
}

declare! {
    Bcachefs: "bcachefs", on, "What each mounted bcachefs file system did, holds and lost, and its devices.";
    reads {
        FILE_SYSTEMS: Directory Sys "fs/bcachefs";
        FILE_SYSTEM: Directory Sys "fs/bcachefs/*";
        TREE_CACHE_FILE: File Sys "fs/bcachefs/*/btree_cache_size";
        COMPRESSION: File Sys "fs/bcachefs/*/compression_stats";
        ERRORS: File Sys "fs/bcachefs/*/errors";
        TREE_WRITES: File Sys "fs/bcachefs/*/btree_write_stats";
        COUNTERS: Directory Sys "fs/bcachefs/*/counters";
        COUNTER: File Sys "fs/bcachefs/*/counters/*";
        LABEL: File Sys "fs/bcachefs/*/dev-*/label";
        STATE: File Sys "fs/bcachefs/*/dev-*/state";
        BUCKET_SIZE: File Sys "fs/bcachefs/*/dev-*/bucket_size";
        BUCKETS: File Sys "fs/bcachefs/*/dev-*/nbuckets";
        DURABILITY: File Sys "fs/bcachefs/*/dev-*/durability";
        TRANSFERS: File Sys "fs/bcachefs/*/dev-*/io_done";
        DEVICE_ERRORS: File Sys "fs/bcachefs/*/dev-*/io_errors";
    }
    families {
        INFO: Gauge "node_bcachefs_info" ["uuid"] "A file system that is mounted; always 1.";
        TREE_CACHE: Gauge "node_bcachefs_btree_cache_size_bytes" ["uuid"] "Memory that the nodes of B-trees take.";
        COMPRESSED: Gauge "node_bcachefs_compression_compressed_bytes" ["algorithm", "uuid"] "Data on disk, by how it is compressed.";
        UNCOMPRESSED: Gauge "node_bcachefs_compression_uncompressed_bytes" ["algorithm", "uuid"] "What that data was before it was compressed.";
        ERROR_COUNT: Counter "node_bcachefs_errors_total" ["error_type", "uuid"] "Faults that were found in the file system, by kind.";
        WRITES: Counter "node_bcachefs_btree_writes_total" ["type", "uuid"] "Nodes of B-trees that were written, by reason.";
        WRITE_SIZE: Gauge "node_bcachefs_btree_write_average_size_bytes" ["type", "uuid"] "Bytes of such a write, on average.";
        DEVICE_INFO: Gauge "node_bcachefs_device_info" ["device", "label", "state", "uuid"] "Label and state of a device; always 1.";
        DEVICE_BUCKET_SIZE: Gauge "node_bcachefs_device_bucket_size_bytes" ["device", "uuid"] "Size of the buckets of a device.";
        DEVICE_BUCKETS: Gauge "node_bcachefs_device_buckets" ["device", "uuid"] "Buckets of a device.";
        DEVICE_DURABILITY: Gauge "node_bcachefs_device_durability" ["device", "uuid"] "As how many replicas a copy on the device counts.";
        DEVICE_TRANSFERRED: Counter "node_bcachefs_device_io_done_bytes_total" ["data_type", "device", "operation", "uuid"] "Bytes that were read from a device and written to it, by what they are.";
        DEVICE_ERROR_COUNT: Counter "node_bcachefs_device_io_errors_total" ["device", "type", "uuid"] "Errors of a device since the file system was made, by kind.";
    }
    prefixes {
        COUNTS: Counter "node_bcachefs_" ["uuid"] "Counter {} since the file system was made.";
    }
}

impl Collect for Bcachefs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { file_systems, entries, name, label, state } = self;
        cx.files.list(FILE_SYSTEMS, [], file_systems).map_err(|error| error.or_no_data(RootError::is_missing))?;
        let mut has_any = false;
        for (uuid, _) in file_systems.iter_kinds().filter(|(_, kind)| *kind == Kind::Directory) {
            has_any = true;
            cx.page.gauge(INFO, [&uuid], 1_u64);
            if let Some(Amount(size)) = attribute::number_or(cx, TREE_CACHE_FILE, [uuid], Amount(0)) {
                cx.page.gauge(TREE_CACHE, [&uuid], size);
            }
            emit_compression(cx, uuid);
            emit_errors(cx, uuid);
            emit_writes(cx, uuid);
            emit_counters(cx, uuid, entries, name);
            let listed = cx.files.list(FILE_SYSTEM, [uuid], entries).map_err(Failure::from);
            let Some(()) = cx.problems.value(listed) else { continue };
            for (entry, _) in entries.iter_kinds().filter(|(_, kind)| *kind == Kind::Directory) {
                if let Some(number) = entry.strip_prefix(b"dev-").filter(|number| !number.is_empty()) {
                    device::emit(cx, [uuid, number], label, state);
                }
            }
        }
        if has_any { Ok(()) } else { Err(Failure::no_data("sys/fs/bcachefs: no file system is mounted")) }
    }
}

/// `zstd   2.04G   4.12G   41.2k`, below a line of headings.
fn emit_compression(cx: &mut Cx<'_, Bcachefs>, uuid: &[u8]) {
    let Some(text) = optional(cx.files.read_if_present(COMPRESSION, [uuid]), cx.problems) else { return };
    for line in table::rows(text, cx.problems).skip(1) {
        if let Some((algorithm, [Amount(compressed), Amount(uncompressed)])) = cx.problems.value(text::row(line)) {
            cx.page.gauge(COMPRESSED, [&algorithm, &uuid], compressed);
            cx.page.gauge(UNCOMPRESSED, [&algorithm, &uuid], uncompressed);
        }
    }
}

/// `bset_bad_csum  2  1752580088`: how often and when last. The file is empty where nothing was found.
fn emit_errors(cx: &mut Cx<'_, Bcachefs>, uuid: &[u8]) {
    let Some(text) = optional(cx.files.read_if_present(ERRORS, [uuid]), cx.problems) else { return };
    for line in text.lines() {
        if let Some((kind, [count])) = cx.problems.value(text::row::<u64, 1>(line)) {
            cx.page.counter(ERROR_COUNT, [&kind, &uuid], count);
        }
    }
}

/// `initial:  4118  96.4k`, below a line of headings.
fn emit_writes(cx: &mut Cx<'_, Bcachefs>, uuid: &[u8]) {
    let Some(text) = optional(cx.files.read_if_present(TREE_WRITES, [uuid]), cx.problems) else { return };
    for line in table::rows(text, cx.problems).skip(1) {
        if let Some((reason, [Amount(count), Amount(size)])) = cx.problems.value(text::row(line)) {
            cx.page.counter(WRITES, [&reason, &uuid], count);
            cx.page.gauge(WRITE_SIZE, [&reason, &uuid], size);
        }
    }
}

/// A file for each counter.
fn emit_counters(cx: &mut Cx<'_, Bcachefs>, uuid: &[u8], files: &mut Names, name: &mut Vec<u8>) {
    match cx.files.list(COUNTERS, [uuid], files) {
        Ok(()) => {}
        Err(error) if error.is_missing() => return,
        Err(error) => return cx.problems.report(error),
    }
    for (file, _) in files.iter_kinds().filter(|(_, kind)| *kind != Kind::Directory) {
        let Some(text) = optional(cx.files.read_if_present(COUNTER, [uuid, file]), cx.problems) else { continue };
        let Some(Amount(count)) = cx.problems.value(text::counter(text)) else { continue };
        text::fill_name(file, name);
        cx.page.named(COUNTS, &[name, b"_total"], [&uuid], count);
    }
}

/// A file that is there; what else went wrong is noted.
fn optional<'a>(read: Result<Option<Text<'a>>, FileError<'_>>, problems: &mut Problems) -> Option<Text<'a>> {
    problems.value(read).flatten()
}

#[cfg(test)]
mod tests;
