//! Traffic of block devices from /proc/diskstats, and what udev knows of them.

mod row;
mod udev;

use crate::declare;
use crate::host::root::Mount;
use crate::kit::family::{Counter, Family, Gauge};
use crate::kit::filter::Filter;
use crate::kit::prelude::*;
use row::{FIELDS_MAX, Row};
use udev::Properties;

/// What was read from and written to each block device.
#[derive(Debug)]
pub struct Diskstats {
    filter: Filter,
    /// The content of /proc/diskstats, which stays while other files are read.
    rows: Vec<u8>,
}

declare! {
    Diskstats: "diskstats", on, "What was read from and written to each block device, and what the device is.";
    reads {
        DISKSTATS: File Proc "diskstats";
        ROTATIONAL: File Sys "block/*/queue/rotational";
        UDEV: Directory Udev "";
        UDEV_DEVICE: File Udev "b*:*";
    }
    flags {
        EXCLUDE: Text "collector.diskstats.device-exclude" = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$",
            "Regexp of devices to leave out; not together with device-include.", or(&["collector.diskstats.ignored-devices"]);
        INCLUDE: Text "collector.diskstats.device-include" = "",
            "Regexp of devices to keep; not together with device-exclude.";
    }
    families {
        INFO: Gauge "node_disk_info"
            ["device", "major", "minor", "model", "path", "revision", "rotational", "serial", "wwn"]
            "What the device is, as the kernel and udev tell it; always 1.";
        READS: Counter "node_disk_reads_completed_total" ["device"] "Reads that came to a good end.";
        READS_MERGED: Counter "node_disk_reads_merged_total" ["device"] "Reads that were joined with a neighbouring one.";
        READ_BYTES: Counter "node_disk_read_bytes_total" ["device"] "Bytes that were read.";
        READ_TIME: Counter "node_disk_read_time_seconds_total" ["device"] "Time that all reads together took.";
        WRITES: Counter "node_disk_writes_completed_total" ["device"] "Writes that came to a good end.";
        WRITES_MERGED: Counter "node_disk_writes_merged_total" ["device"] "Writes that were joined with a neighbouring one.";
        WRITTEN_BYTES: Counter "node_disk_written_bytes_total" ["device"] "Bytes that were written.";
        WRITE_TIME: Counter "node_disk_write_time_seconds_total" ["device"] "Time that all writes together took.";
        IO_NOW: Gauge "node_disk_io_now" ["device"] "Requests that are under way.";
        IO_TIME: Counter "node_disk_io_time_seconds_total" ["device"] "Time in which at least one request was under way.";
        IO_TIME_WEIGHTED: Counter "node_disk_io_time_weighted_seconds_total" ["device"]
            "Time in which requests were under way, times their number.";
        DISCARDS: Counter "node_disk_discards_completed_total" ["device"] "Discards that came to a good end.";
        DISCARDS_MERGED: Counter "node_disk_discards_merged_total" ["device"] "Discards that were joined with a neighbouring one.";
        DISCARDED_SECTORS: Counter "node_disk_discarded_sectors_total" ["device"] "Sectors of 512 bytes that were discarded.";
        DISCARD_TIME: Counter "node_disk_discard_time_seconds_total" ["device"] "Time that all discards together took.";
        FLUSHES: Counter "node_disk_flush_requests_total" ["device"] "Flushes that came to a good end.";
        FLUSH_TIME: Counter "node_disk_flush_requests_time_seconds_total" ["device"] "Time that all flushes together took.";
        FILESYSTEM_INFO: Gauge "node_disk_filesystem_info" ["device", "type", "usage", "uuid", "version"]
            "The file system, or other signature, that udev found on the device; always 1.";
        DEVICE_MAPPER_INFO: Gauge "node_disk_device_mapper_info"
            ["device", "lv_layer", "lv_name", "name", "uuid", "vg_name"]
            "What the device mapper says the device is; always 1.";
        ATA_WRITE_CACHE: Gauge "node_disk_ata_write_cache" ["device"] "1 where an ATA disk can cache what is written.";
        ATA_WRITE_CACHE_ENABLED: Gauge "node_disk_ata_write_cache_enabled" ["device"]
            "1 where an ATA disk does cache what is written.";
        ATA_ROTATION_RATE: Gauge "node_disk_ata_rotation_rate_rpm" ["device"]
            "Turns of the ATA disk in a minute; 0 where nothing turns.";
    }
}

/// A field of a row as a family: how it is emitted, and what of the base unit one count is.
enum Series {
    Counter(Family<Diskstats, Counter, crate::kit::family::Unnamed<1>>, f64),
    Gauge(Family<Diskstats, Gauge, crate::kit::family::Unnamed<1>>),
}

const SECTOR_BYTES: f64 = 512.0;
const MILLISECOND: f64 = 0.001;

/// The fields of a row in the kernel's order.
const SERIES: [Series; FIELDS_MAX] = [
    Series::Counter(READS, 1.0),
    Series::Counter(READS_MERGED, 1.0),
    Series::Counter(READ_BYTES, SECTOR_BYTES),
    Series::Counter(READ_TIME, MILLISECOND),
    Series::Counter(WRITES, 1.0),
    Series::Counter(WRITES_MERGED, 1.0),
    Series::Counter(WRITTEN_BYTES, SECTOR_BYTES),
    Series::Counter(WRITE_TIME, MILLISECOND),
    Series::Gauge(IO_NOW),
    Series::Counter(IO_TIME, MILLISECOND),
    Series::Counter(IO_TIME_WEIGHTED, MILLISECOND),
    Series::Counter(DISCARDS, 1.0),
    Series::Counter(DISCARDS_MERGED, 1.0),
    Series::Counter(DISCARDED_SECTORS, 1.0),
    Series::Counter(DISCARD_TIME, MILLISECOND),
    Series::Counter(FLUSHES, 1.0),
    Series::Counter(FLUSH_TIME, MILLISECOND),
];

impl Collect for Diskstats {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { filter: Filter::from_flags(options, INCLUDE, EXCLUDE)?, rows: Vec::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        cx.files.read_into(DISKSTATS, [], &mut self.rows)?;
        // Where udev keeps nothing, as in a container, its files need not be looked for one by one.
        let has_udev = cx.files.metadata(UDEV, []).is_ok();
        // A host without disks has an empty file.
        let text = Text::new(Mount::Proc, b"diskstats", &self.rows);
        let mut has_rows = text.bytes.is_empty();
        for line in text.lines() {
            let row = row::parse(line);
            // Rows of partitions before 2.6.25 have too few columns and are passed over.
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

fn count(cx: &mut Cx<'_, Diskstats>, row: &Row<'_>) {
    for (series, &value) in SERIES.iter().zip(row.values()) {
        match *series {
            Series::Counter(family, 1.0) => cx.page.counter(family, [&row.device], value),
            Series::Counter(family, unit) => cx.page.counter(family, [&row.device], value as f64 * unit),
            Series::Gauge(family) => cx.page.gauge(family, [&row.device], value),
        }
    }
}

/// What the device is. node_exporter does without whatever cannot be read here, and so do we.
fn describe(cx: &mut Cx<'_, Diskstats>, row: &Row<'_>, has_udev: bool) {
    let device = &row.device;
    let is_rotational = cx.files.read(ROTATIONAL, [device]).is_ok_and(|text| text.number("rotational") == Ok(1_u64));
    let (mut major, mut minor) = (itoa::Buffer::new(), itoa::Buffer::new());
    let numbers = [major.format(row.major).as_bytes(), minor.format(row.minor).as_bytes()];
    let text = if has_udev { cx.files.read(UDEV_DEVICE, numbers).ok() } else { None };
    let udev = text.map(Properties::of).unwrap_or_default();
    let rotational = if is_rotational { "1" } else { "0" };
    let labels: [&dyn crate::kit::label::Label; 9] = [
        device,
        &row.major,
        &row.minor,
        &udev.model,
        &udev.path,
        &udev.revision,
        &rotational,
        &udev.serial_number(),
        &udev.wwn,
    ];
    cx.page.gauge(INFO, labels, 1_u64);
    if !udev.fs_type.is_empty() {
        let labels: [&dyn crate::kit::label::Label; 5] =
            [device, &udev.fs_type, &udev.fs_usage, &udev.fs_uuid, &udev.fs_version];
        cx.page.gauge(FILESYSTEM_INFO, labels, 1_u64);
    }
    if !udev.dm_name.is_empty() {
        let labels: [&dyn crate::kit::label::Label; 6] =
            [device, &udev.dm_lv_layer, &udev.dm_lv_name, &udev.dm_name, &udev.dm_uuid, &udev.dm_vg_name];
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
                cx.page.gauge(family, [device], value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
