//! Mounted btrfs file systems, from /sys/fs/btrfs and ioctl.

mod devices;

use crate::declare;
use crate::host::errno::Errno;
use crate::host::kernel::btrfs::{BTRFS_ERROR_KINDS, Uuid};
use crate::host::root::{Kind, Names, RootError};
use crate::kit::attribute;
use crate::kit::page::PageOf;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::rows::Rows;
use devices::{Device, Devices};

/// The btrfs collector.
#[derive(Default, Debug)]
pub struct Btrfs {
    file_systems: Names,
    members: Names,
    layouts: Names,
    uuid: Vec<u8>,
    label: Vec<u8>,
    devices: Devices,
}

impl FromText for Uuid {
    const EXPECTED: &'static str = "a UUID of 32 hexadecimal digits, with dashes or without";

    fn from_text(text: &[u8]) -> Option<Self> {
        Self::parse(text)
    }
}

declare! {
    Btrfs: "btrfs", on, "Space, commits and devices of mounted btrfs file systems.";
    labels {
        FileSystemInfo { label, uuid }
        PerFileSystem { uuid }
        PerGroup { block_group_type, uuid }
        PerLayout { block_group_type, mode, uuid }
        PerDevice { btrfs_dev_uuid, device, uuid }
        PerDeviceError { btrfs_dev_uuid, device, r#type, uuid }
    }
    reads {
        FILE_SYSTEMS: Directory Sys "fs/btrfs";
        LABEL: File Sys "fs/btrfs/*/label";
        METADATA_UUID: File Sys "fs/btrfs/*/metadata_uuid";
        MEMBERS: Directory Sys "fs/btrfs/*/devices";
        MEMBER_SIZE: File Sys "fs/btrfs/*/devices/*/size";
        RESERVE: File Sys "fs/btrfs/*/allocation/global_rsv_size";
        ALLOCATION: Directory Sys "fs/btrfs/*/allocation/*";
        RESERVED: File Sys "fs/btrfs/*/allocation/*/bytes_reserved";
        LAYOUT_TOTAL: File Sys "fs/btrfs/*/allocation/*/*/total_bytes";
        LAYOUT_USED: File Sys "fs/btrfs/*/allocation/*/*/used_bytes";
        COMMITS: File Sys "fs/btrfs/*/commit_stats";
        MOUNTS: File Proc "1/mountinfo";
        OWN_MOUNTS: File Proc "self/mountinfo";
    }
    families {
        INFO: Gauge "node_btrfs_info" FileSystemInfo "Label of a btrfs file system, always 1.";
        RESERVE_SIZE: Gauge "node_btrfs_global_rsv_size_bytes" PerFileSystem "Size of the global reserve, in bytes.";
        COMMIT_COUNT: Counter "node_btrfs_commits_total" PerFileSystem "Transactions committed.";
        LAST_COMMIT: Gauge "node_btrfs_last_commit_seconds" PerFileSystem "Duration of the last commit, in seconds.";
        LONGEST_COMMIT: Gauge "node_btrfs_max_commit_seconds" PerFileSystem "Duration of the longest commit, in seconds.";
        COMMIT_TIME: Counter "node_btrfs_commit_seconds_total" PerFileSystem "Total duration of all commits, in seconds.";
        RESERVED_SIZE: Gauge "node_btrfs_reserved_bytes" PerGroup "Space reserved for pending writes, in bytes.";
        USED_SIZE: Gauge "node_btrfs_used_bytes" PerLayout "Used space by block group type and layout, in bytes.";
        TOTAL_SIZE: Gauge "node_btrfs_size_bytes" PerLayout "Allocated space by block group type and layout, in bytes.";
        RATIO: Gauge "node_btrfs_allocation_ratio" PerLayout "Bytes allocated on devices per byte of a layout.";
        DEVICE_SIZE: Gauge "node_btrfs_device_size_bytes" PerDevice "Size of a member device, in bytes.";
        DEVICE_UNUSED: Gauge "node_btrfs_device_unused_bytes" PerDevice "Space of a member device without block groups, in bytes.";
        DEVICE_ERRORS: Counter "node_btrfs_device_errors_total" PerDeviceError "Errors of a member device since the last counter reset.";
    }
}

/// The label of a device without a UUID, as in node_exporter.
const ZERO_UUID: &[u8] = b"<zero>";

/// Size of a sector, the unit of block device sizes.
const SECTOR_BYTES: u64 = 512;

/// The exported block group types. As in node_exporter, `mixed` groups of small file systems are not exported.
const GROUPS: [&str; 3] = ["data", "metadata", "system"];
const ALWAYS_THERE: &str = "system";

/// The rows of commit_stats, which kernels since 6.0 have.
const COMMIT_NAMES: [&str; 4] = ["commits", "last_commit_ms", "max_commit_ms", "total_commit_ms"];
const MILLISECONDS_PER_SECOND: f64 = 1000.0;

impl Collect for Btrfs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        match cx.files.list(FILE_SYSTEMS, [], &mut self.file_systems) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        // The directory also has `features`.
        if self.file_systems.iter().any(is_file_system) {
            self.devices.ask(cx);
        }
        let Self { file_systems, members, layouts, uuid, label, devices } = self;
        for name in file_systems.iter().filter(|name| is_file_system(name)) {
            uuid.clear();
            // The directory is named after the UUID of the first mount.
            match attribute::number_or(cx, METADATA_UUID, [name], Uuid::default()) {
                Some(found) if found != Uuid::default() => uuid.extend_from_slice(&found.text()),
                _ => uuid.extend_from_slice(name),
            }
            let before = cx.problems.count();
            attribute::word(cx, LABEL, [name], is_absent, label);
            if cx.problems.count() == before {
                cx.page.gauge(INFO, FileSystemInfo { label, uuid }, 1_u64);
            }
            if let Some(size) = attribute::number_or(cx, RESERVE, [name], 0_u64) {
                cx.page.gauge(RESERVE_SIZE, PerFileSystem { uuid }, size);
            }
            emit_commits(cx, name, uuid);
            let listed = cx.files.list(MEMBERS, [name], members).map_err(Failure::from);
            let count = cx.problems.value(listed).map(|()| members.len());
            for group in GROUPS {
                emit_group(cx, [name, group.as_bytes()], uuid, count, layouts);
            }
            if !emit_reported(&mut cx.page, uuid, devices) && count.is_some() {
                emit_members(cx, name, uuid, members);
            }
        }
        Ok(())
    }
}

fn is_file_system(name: &[u8]) -> bool {
    name.contains(&b'-')
}

fn is_absent(error: RootError) -> bool {
    error == RootError::Errno(Errno::ENOENT)
}

fn emit_commits(cx: &mut Cx<'_, Btrfs>, name: &[u8], uuid: &[u8]) {
    let text = match cx.files.read(COMMITS, [name]) {
        Ok(text) => text,
        // Kernels before 6.0 do not count commits, which is exported as 0.
        Err(error) if is_absent(error.error) => {
            return (0..COMMIT_NAMES.len()).for_each(|at| emit_commit(&mut cx.page, uuid, at, 0));
        }
        Err(error) => return cx.problems.report(error),
    };
    let rows = Rows::of(text, COMMIT_NAMES, cx.problems, |line| {
        let is_fine = line.fields().count() == 2 && line.fields().last().and_then(u64::from_text).is_some();
        if is_fine { Ok(()) } else { Err(line.error("row", "a name and a number", line.bytes)) }
    });
    let Some(rows) = cx.problems.value(rows) else { return };
    for (at, value) in rows.each(|_, row| row.exactly("a name and a number")) {
        if let Some(value) = cx.problems.value(value) {
            let [value] = value.unwrap_or([0]);
            emit_commit(&mut cx.page, uuid, at, value);
        }
    }
}

fn emit_commit(page: &mut PageOf<'_, Btrfs>, uuid: &[u8], at: usize, value: u64) {
    let seconds = value as f64 / MILLISECONDS_PER_SECOND;
    match at {
        0 => page.counter(COMMIT_COUNT, PerFileSystem { uuid: &uuid }, value),
        1 => page.gauge(LAST_COMMIT, PerFileSystem { uuid: &uuid }, seconds),
        2 => page.gauge(LONGEST_COMMIT, PerFileSystem { uuid: &uuid }, seconds),
        _ => page.counter(COMMIT_TIME, PerFileSystem { uuid: &uuid }, seconds),
    }
}

/// Emits a block group type and its layouts over `count` devices, if known.
fn emit_group(
    cx: &mut Cx<'_, Btrfs>,
    [name, group]: [&[u8]; 2],
    uuid: &[u8],
    count: Option<usize>,
    layouts: &mut Names,
) {
    if let Some(size) = attribute::number_or(cx, RESERVED, [name, group], 0_u64) {
        cx.page.gauge(RESERVED_SIZE, PerGroup { block_group_type: &group, uuid: &uuid }, size);
    }
    match cx.files.list(ALLOCATION, [name, group], layouts) {
        Ok(()) => {}
        Err(error) if is_absent(error.error) && group != ALWAYS_THERE.as_bytes() => return,
        Err(error) => return cx.problems.report(error),
    }
    for (layout, _) in layouts.iter_kinds().filter(|(_, kind)| *kind == Kind::Directory) {
        if let Some(size) = attribute::number_or(cx, LAYOUT_USED, [name, group, layout], 0_u64) {
            cx.page.gauge(USED_SIZE, PerLayout { block_group_type: &group, mode: &layout, uuid: &uuid }, size);
        }
        if let Some(size) = attribute::number_or(cx, LAYOUT_TOTAL, [name, group, layout], 0_u64) {
            cx.page.gauge(TOTAL_SIZE, PerLayout { block_group_type: &group, mode: &layout, uuid: &uuid }, size);
        }
        if let Some(ratio) = ratio(layout, count) {
            cx.page.gauge(RATIO, PerLayout { block_group_type: &group, mode: &layout, uuid: &uuid }, ratio);
        }
    }
}

/// Bytes on devices per byte of a layout; 0 for an unknown layout. Parity depends on the number of devices.
fn ratio(layout: &[u8], count: Option<usize>) -> Option<f64> {
    let with_parity = |parity: f64| count.map(|count| count as f64 / (count as f64 - parity));
    match layout {
        b"single" | b"raid0" => Some(1.0),
        b"dup" | b"raid1" | b"raid10" => Some(2.0),
        b"raid1c3" => Some(3.0),
        b"raid1c4" => Some(4.0),
        b"raid5" => with_parity(1.0),
        b"raid6" => with_parity(2.0),
        _ => Some(0.0),
    }
}

/// Emits the devices reported by ioctl; `false` if there are none.
fn emit_reported(page: &mut PageOf<'_, Btrfs>, uuid: &[u8], devices: &Devices) -> bool {
    let mut has_any = false;
    for Device { name, numbers } in Uuid::parse(uuid).into_iter().flat_map(|uuid| devices.of(uuid)) {
        has_any = true;
        let text = numbers.uuid.text();
        let id: &[u8] = if numbers.uuid == Uuid::default() { ZERO_UUID } else { &text };
        page.gauge(
            DEVICE_SIZE,
            PerDevice { btrfs_dev_uuid: &Some(id), device: &name, uuid: &uuid },
            numbers.size_bytes,
        );
        // The allocated size never exceeds the total.
        page.gauge(
            DEVICE_UNUSED,
            PerDevice { btrfs_dev_uuid: &id, device: &name, uuid: &uuid },
            numbers.size_bytes.saturating_sub(numbers.used_bytes),
        );
        for (kind, count) in BTRFS_ERROR_KINDS.iter().zip(numbers.errors) {
            page.counter(
                DEVICE_ERRORS,
                PerDeviceError { btrfs_dev_uuid: &id, device: &name, r#type: kind, uuid: &uuid },
                count,
            );
        }
    }
    has_any
}

/// Emits the devices listed in sysfs.
fn emit_members(cx: &mut Cx<'_, Btrfs>, name: &[u8], uuid: &[u8], members: &Names) {
    for member in members.iter() {
        if let Some(Sectors(size)) = attribute::number_or(cx, MEMBER_SIZE, [name, member], Sectors(0)) {
            cx.page.gauge(DEVICE_SIZE, PerDevice { btrfs_dev_uuid: &None::<&str>, device: &member, uuid: &uuid }, size);
        }
    }
}

/// A number of sectors, converted to bytes.
struct Sectors(u64);

impl FromText for Sectors {
    const EXPECTED: &'static str = "a number of sectors below 2^55";

    fn from_text(text: &[u8]) -> Option<Self> {
        u64::from_text(text)?.checked_mul(SECTOR_BYTES).map(Self)
    }
}

#[cfg(test)]
mod tests;
