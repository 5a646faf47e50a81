//! Mounted bcachefs file systems from /sys/fs/bcachefs.

mod device;
mod text;

use crate::declare;
use crate::host::root::{Kind, Names, RootError};
use crate::kit::attribute;
use crate::kit::prelude::*;
use crate::kit::table;
use text::Amount;

/// The bcachefs collector.
#[derive(Default, Debug)]
pub struct Bcachefs {
    file_systems: Names,
    entries: Names,
    name: Vec<u8>,
    label: Vec<u8>,
    state: Vec<u8>,
}

declare! {
    Bcachefs: "bcachefs", on, "Counters, space and member devices of mounted bcachefs file systems.";
    labels {
        PerFileSystem { uuid }
        PerAlgorithm { algorithm, uuid }
        PerErrorType { error_type, uuid }
        PerWriteType { r#type, uuid }
        DeviceInfo { device, label, state, uuid }
        PerDevice { device, uuid }
        PerTransfer { data_type, device, operation, uuid }
        PerDeviceError { device, r#type, uuid }
    }
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
        INFO: Gauge "node_bcachefs_info" PerFileSystem "Mounted bcachefs file system, always 1.";
        TREE_CACHE: Gauge "node_bcachefs_btree_cache_size_bytes" PerFileSystem "Memory used to cache B-tree nodes, in bytes.";
        COMPRESSED: Gauge "node_bcachefs_compression_compressed_bytes" PerAlgorithm "Size on disk of data by compression algorithm, in bytes.";
        UNCOMPRESSED: Gauge "node_bcachefs_compression_uncompressed_bytes" PerAlgorithm "Uncompressed size of data by compression algorithm, in bytes.";
        ERROR_COUNT: Counter "node_bcachefs_errors_total" PerErrorType "File system errors detected, by type.";
        WRITES: Counter "node_bcachefs_btree_writes_total" PerWriteType "B-tree node writes by type.";
        WRITE_SIZE: Gauge "node_bcachefs_btree_write_average_size_bytes" PerWriteType "Average size of a B-tree node write, in bytes.";
        DEVICE_INFO: Gauge "node_bcachefs_device_info" DeviceInfo "Label and state of a member device, always 1.";
        DEVICE_BUCKET_SIZE: Gauge "node_bcachefs_device_bucket_size_bytes" PerDevice "Bucket size of a member device, in bytes.";
        DEVICE_BUCKETS: Gauge "node_bcachefs_device_buckets" PerDevice "Buckets of a member device.";
        DEVICE_DURABILITY: Gauge "node_bcachefs_device_durability" PerDevice "Replicas that one copy on the member device counts as.";
        DEVICE_TRANSFERRED: Counter "node_bcachefs_device_io_done_bytes_total" PerTransfer "Bytes transferred by a member device, by data type.";
        DEVICE_ERROR_COUNT: Counter "node_bcachefs_device_io_errors_total" PerDeviceError "I/O errors of a member device since file system creation.";
    }
    prefixes {
        COUNTS: Counter "node_bcachefs_" PerFileSystem "Value of bcachefs counter {} since file system creation.";
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
            cx.page.gauge(INFO, PerFileSystem { uuid: &uuid }, 1_u64);
            if let Some(Amount(size)) = attribute::number_or(cx, TREE_CACHE_FILE, [uuid], Amount(0)) {
                cx.page.gauge(TREE_CACHE, PerFileSystem { uuid: &uuid }, size);
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

/// Emits rows `zstd   2.04G   4.12G   41.2k` after a header.
fn emit_compression(cx: &mut Cx<'_, Bcachefs>, uuid: &[u8]) {
    let Some(text) = optional(cx.files.read_if_present(COMPRESSION, [uuid]), cx.problems) else { return };
    for line in table::rows(text, cx.problems).skip(1) {
        if let Some((algorithm, [Amount(compressed), Amount(uncompressed)])) = cx.problems.value(text::row(line)) {
            cx.page.gauge(COMPRESSED, PerAlgorithm { algorithm: &algorithm, uuid: &uuid }, compressed);
            cx.page.gauge(UNCOMPRESSED, PerAlgorithm { algorithm: &algorithm, uuid: &uuid }, uncompressed);
        }
    }
}

/// Emits rows `bset_bad_csum  2  1752580088`: count and last time. The file is empty without errors.
fn emit_errors(cx: &mut Cx<'_, Bcachefs>, uuid: &[u8]) {
    let Some(text) = optional(cx.files.read_if_present(ERRORS, [uuid]), cx.problems) else { return };
    for line in text.lines() {
        if let Some((kind, [count])) = cx.problems.value(text::row::<u64, 1>(line)) {
            cx.page.counter(ERROR_COUNT, PerErrorType { error_type: &kind, uuid: &uuid }, count);
        }
    }
}

/// Emits rows `initial:  4118  96.4k` after a header.
fn emit_writes(cx: &mut Cx<'_, Bcachefs>, uuid: &[u8]) {
    let Some(text) = optional(cx.files.read_if_present(TREE_WRITES, [uuid]), cx.problems) else { return };
    for line in table::rows(text, cx.problems).skip(1) {
        if let Some((reason, [Amount(count), Amount(size)])) = cx.problems.value(text::row(line)) {
            cx.page.counter(WRITES, PerWriteType { r#type: &reason, uuid: &uuid }, count);
            cx.page.gauge(WRITE_SIZE, PerWriteType { r#type: &reason, uuid: &uuid }, size);
        }
    }
}

/// Emits the counters, a file each.
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
        cx.page.named(COUNTS, &[name, b"_total"], PerFileSystem { uuid: &uuid }, count);
    }
}

/// Returns the text of an existing file; reports other errors.
fn optional<'a>(read: Result<Option<Text<'a>>, FileError<'_>>, problems: &mut Problems) -> Option<Text<'a>> {
    problems.value(read).flatten()
}

#[cfg(test)]
mod tests;
