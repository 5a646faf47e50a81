//! Block device statistics from /proc/diskstats, and identifiers from udev.

mod row;
mod udev;

use crate::declare;
use crate::host::root::Mount;
use crate::kit::filter::Filter;
use crate::kit::prelude::*;
use row::DiskRow;
use udev::Properties;

/// The diskstats collector.
#[derive(Debug)]
pub struct Diskstats {
    filter: Filter,
    /// A copy of /proc/diskstats, kept while other files are read.
    rows: Vec<u8>,
}

declare! {
    Diskstats: "diskstats", on, "Block device I/O statistics and identifiers.";
    labels {
        DiskInfo { device, major, minor, model, path, revision, rotational, serial, wwn }
        PerDisk { device }
        FileSystemInfo { device, r#type, usage, uuid, version }
        DeviceMapperInfo { device, lv_layer, lv_name, name, uuid, vg_name }
    }
    reads {
        DISKSTATS: File Proc "diskstats";
        ROTATIONAL: File Sys "block/*/queue/rotational";
        UDEV: Directory Udev "";
        UDEV_DEVICE: File Udev "b*:*";
    }
    flags {
        EXCLUDE: Text "collector.diskstats.device-exclude" = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$",
            "Regexp of devices to exclude; not together with device-include.", or(&["collector.diskstats.ignored-devices"]);
        INCLUDE: Text "collector.diskstats.device-include" = "",
            "Regexp of devices to include; not together with device-exclude.";
    }
    families {
        INFO: Gauge "node_disk_info" DiskInfo "Model and identifiers of a block device, always 1.";
        FILESYSTEM_INFO: Gauge "node_disk_filesystem_info" FileSystemInfo "File system or other signature found by udev, always 1.";
        DEVICE_MAPPER_INFO: Gauge "node_disk_device_mapper_info" DeviceMapperInfo "Name and volume of a device-mapper device, always 1.";
        ATA_WRITE_CACHE: Gauge "node_disk_ata_write_cache" PerDisk "1 for an ATA disk that supports a write cache.";
        ATA_WRITE_CACHE_ENABLED: Gauge "node_disk_ata_write_cache_enabled" PerDisk "1 for an ATA disk whose write cache is enabled.";
        ATA_ROTATION_RATE: Gauge "node_disk_ata_rotation_rate_rpm" PerDisk "Rotation rate of an ATA disk, in revolutions per minute.";
    }
    /// Fields after the device's name in file order, with their unit.
    table FIELDS: (&'static str, f64) => PerDisk {
        ("reads", 1.0) => Counter "node_disk_reads_completed_total" "Reads completed.";
        ("reads merged", 1.0) => Counter "node_disk_reads_merged_total" "Reads merged with an adjacent request.";
        ("sectors read", SECTOR_BYTES) => Counter "node_disk_read_bytes_total" "Bytes read.";
        ("time reading", MILLISECOND) => Counter "node_disk_read_time_seconds_total" "Total duration of all reads, in seconds.";
        ("writes", 1.0) => Counter "node_disk_writes_completed_total" "Writes completed.";
        ("writes merged", 1.0) => Counter "node_disk_writes_merged_total" "Writes merged with an adjacent request.";
        ("sectors written", SECTOR_BYTES) => Counter "node_disk_written_bytes_total" "Bytes written.";
        ("time writing", MILLISECOND) => Counter "node_disk_write_time_seconds_total" "Total duration of all writes, in seconds.";
        ("requests in flight", 1.0) => Gauge "node_disk_io_now" "I/O requests in flight.";
        ("time with requests", MILLISECOND) => Counter "node_disk_io_time_seconds_total" "Time with I/O requests in flight, in seconds.";
        ("weighted time with requests", MILLISECOND) => Counter "node_disk_io_time_weighted_seconds_total" "Time weighted by the number of requests in flight, in seconds.";
        ("discards", 1.0) => Counter "node_disk_discards_completed_total" "Discards completed.";
        ("discards merged", 1.0) => Counter "node_disk_discards_merged_total" "Discards merged with an adjacent request.";
        ("sectors discarded", 1.0) => Counter "node_disk_discarded_sectors_total" "Sectors of 512 bytes discarded.";
        ("time discarding", MILLISECOND) => Counter "node_disk_discard_time_seconds_total" "Total duration of all discards, in seconds.";
        ("flushes", 1.0) => Counter "node_disk_flush_requests_total" "Flush requests completed.";
        ("time flushing", MILLISECOND) => Counter "node_disk_flush_requests_time_seconds_total" "Total duration of all flush requests, in seconds.";
    }
}

const SECTOR_BYTES: f64 = 512.0;
const MILLISECOND: f64 = 0.001;

impl Collect for Diskstats {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { filter: Filter::from_flags(options, INCLUDE, EXCLUDE)?, rows: Vec::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        cx.files.read_into(DISKSTATS, [], &mut self.rows)?;
        // Without a udev database, as in a container, skip the lookup per device.
        let has_udev = cx.files.metadata(UDEV, []).is_ok();
        // A host without disks has an empty file.
        let text = Text::new(Mount::Proc, b"diskstats", &self.rows);
        let mut has_rows = text.bytes.is_empty();
        for line in text.lines() {
            let row = row::parse(line);
            // Rows of partitions before 2.6.25 have too few columns and are skipped.
            has_rows |= !matches!(row, Ok(None));
            let Some(Some(row)) = cx.problems.value(row) else { continue };
            if self.filter.ignores(row.device) {
                continue;
            }
            describe(cx, &row, has_udev);
            count(cx, &row);
        }
        if !has_rows {
            cx.problems.report(text.error("the file", "rows of 14 columns or more", text.first_line()));
        }
        Ok(())
    }
}

fn count(cx: &mut Cx<'_, Diskstats>, row: &DiskRow<'_>) {
    let labels = PerDisk { device: &row.device };
    for (((_, unit), family), &value) in FIELDS.into_iter().zip(row.values()) {
        match unit {
            1.0 => cx.page.tabled(family, labels, value),
            unit => cx.page.tabled(family, labels, value as f64 * unit),
        }
    }
}

/// Emits the identifiers of a device. Unreadable files are ignored, as in node_exporter.
fn describe(cx: &mut Cx<'_, Diskstats>, row: &DiskRow<'_>, has_udev: bool) {
    let device = &row.device;
    let is_rotational = cx.files.read(ROTATIONAL, [device]).is_ok_and(|text| text.number("rotational") == Ok(1_u64));
    let (mut major, mut minor) = (itoa::Buffer::new(), itoa::Buffer::new());
    let numbers = [major.format(row.major).as_bytes(), minor.format(row.minor).as_bytes()];
    let text = if has_udev { cx.files.read(UDEV_DEVICE, numbers).ok() } else { None };
    let udev = text.map(Properties::of).unwrap_or_default();
    let rotational = if is_rotational { "1" } else { "0" };
    let labels = DiskInfo {
        device,
        major: &row.major,
        minor: &row.minor,
        model: &udev.model,
        path: &udev.path,
        revision: &udev.revision,
        rotational: &rotational,
        serial: &udev.serial_number(),
        wwn: &udev.wwn,
    };
    cx.page.gauge(INFO, labels, 1_u64);
    if !udev.fs_type.is_empty() {
        let labels = FileSystemInfo {
            device,
            r#type: &udev.fs_type,
            usage: &udev.fs_usage,
            uuid: &udev.fs_uuid,
            version: &udev.fs_version,
        };
        cx.page.gauge(FILESYSTEM_INFO, labels, 1_u64);
    }
    if !udev.dm_name.is_empty() {
        let labels = DeviceMapperInfo {
            device,
            lv_layer: &udev.dm_lv_layer,
            lv_name: &udev.dm_lv_name,
            name: &udev.dm_name,
            uuid: &udev.dm_uuid,
            vg_name: &udev.dm_vg_name,
        };
        cx.page.gauge(DEVICE_MAPPER_INFO, labels, 1_u64);
    }
    if !udev.ata.is_empty() {
        let series = [
            (ATA_WRITE_CACHE, udev.ata_write_cache),
            (ATA_WRITE_CACHE_ENABLED, udev.ata_write_cache_enabled),
            (ATA_ROTATION_RATE, udev.ata_rotation_rate),
        ];
        for (family, text) in series {
            if let Some(value) = <f64 as crate::kit::parse::FromText>::from_text(text) {
                cx.page.gauge(family, PerDisk { device }, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
