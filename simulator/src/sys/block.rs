//! /sys/block, /sys/class/block, /sys/dev/block and the devices that they lead to

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{BlockDevice, Device, ScsiDevice};
use crate::moment::Moment;
use crate::text::{put_line, put_right};

pub(super) static GROUPS: [Group; 11] = [
    Group {
        under: "block",
        each: each_whole_name,
        entries: &[("", What::Link(|m, i, into| link("block", m, i, into)))],
    },
    Group {
        under: "class/block",
        each: each_name,
        entries: &[("", What::Link(|m, i, into| link("class/block", m, i, into)))],
    },
    Group {
        under: "dev/block",
        each: each_number,
        entries: &[("", What::Link(|m, i, into| link("dev/block", m, i, into)))],
    },
    Group {
        under: "devices",
        each: each_path,
        entries: &[
            ("dev", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}:{}", b.major, b.minor)))),
            ("inflight", What::File(inflight)),
            ("ro", What::File(|_, _, into| put_line!(into, "0"))),
            ("size", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", b.sectors)))),
            ("stat", What::File(stat)),
            ("subsystem", What::Link(subsystem)),
            ("uevent", What::File(uevent)),
        ],
    },
    Group {
        under: "devices",
        each: each_whole,
        entries: &[
            ("diskseq", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", sequence(b))))),
            ("hidden", What::File(|_, _, into| put_line!(into, "0"))),
            ("holders", What::Directory),
            ("queue/hw_sector_size", What::File(|_, _, into| put_line!(into, "512"))),
            ("queue/logical_block_size", What::File(|_, _, into| put_line!(into, "512"))),
            ("queue/nr_requests", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", b.queue.requests)))),
            (
                "queue/physical_block_size",
                What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", b.queue.physical_block_bytes))),
            ),
            ("queue/read_ahead_kb", What::File(|_, _, into| put_line!(into, "128"))),
            (
                "queue/rotational",
                What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", u8::from(b.queue.is_rotational)))),
            ),
            ("queue/scheduler", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", b.queue.scheduler)))),
            ("removable", What::File(|_, _, into| put_line!(into, "0"))),
            ("slaves", What::Directory),
        ],
    },
    Group {
        under: "devices",
        each: each_partition,
        entries: &[
            ("partition", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", partition(b).0)))),
            ("start", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", partition(b).1)))),
        ],
    },
    Group {
        under: "devices",
        each: each_mapped,
        entries: &[
            ("dm/name", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", mapped(b).0)))),
            ("dm/suspended", What::File(|_, _, into| put_line!(into, "0"))),
            ("dm/uuid", What::File(|m, i, into| block(m, i, |b| put_line!(into, "{}", mapped(b).1)))),
        ],
    },
    Group {
        under: "devices",
        each: each_scsi,
        entries: &[
            ("model", What::File(|m, i, into| scsi(m, i, |s| put_line!(into, "{:<16}", s.model)))),
            ("queue_depth", What::File(|m, i, into| scsi(m, i, |s| put_line!(into, "{}", s.queue_depth)))),
            ("rev", What::File(|m, i, into| scsi(m, i, |s| put_line!(into, "{:<4}", s.revision)))),
            ("state", What::File(|_, _, into| put_line!(into, "running"))),
            ("type", What::File(|m, i, into| scsi(m, i, |s| put_line!(into, "{}", s.kind)))),
            ("vendor", What::File(|m, i, into| scsi(m, i, |s| put_line!(into, "{:<8}", s.vendor)))),
            ("wwid", What::File(|m, i, into| scsi(m, i, |s| put_line!(into, "{}", s.wwid)))),
        ],
    },
    Group { under: "devices", each: each_device_link, entries: &[("device", What::Link(device_link))] },
    Group { under: "devices", each: each_holder, entries: &[("", What::Link(holder))] },
    Group { under: "devices", each: each_slave, entries: &[("", What::Link(slave))] },
];

fn block(moment: &Moment<'_>, index: usize, write: impl FnOnce(&BlockDevice)) {
    if let Some(block) = moment.machine.block_devices.get(index) {
        write(block);
    }
}

fn each<'a>(
    moment: &Moment<'a>,
    visit: &mut dyn FnMut(usize, &[u8]),
    path: impl Fn(&'a BlockDevice) -> &'a str,
    is_meant: impl Fn(&Device) -> bool,
) {
    for (index, block) in moment.machine.block_devices.iter().enumerate() {
        if is_meant(&block.device) {
            visit(index, path(block).as_bytes());
        }
    }
}

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, visit, |block| &block.name, |_| true);
}

fn each_whole_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, visit, |block| &block.name, |device| !device.is_partition());
}

fn each_number(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, block) in moment.machine.block_devices.iter().enumerate() {
        visit(index, format!("{}:{}", block.major, block.minor).as_bytes());
    }
}

fn each_path(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, visit, |block| &block.path, |_| true);
}

fn each_whole(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, visit, |block| &block.path, |device| !device.is_partition());
}

fn each_partition(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, visit, |block| &block.path, Device::is_partition);
}

fn each_mapped(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, visit, |block| &block.path, Device::is_mapped);
}

/// Every device that is made out of others and what it stands on: the numbers of both in one.
fn each_mapping(moment: &Moment<'_>, mut visit: impl FnMut(usize, &BlockDevice, &BlockDevice)) {
    let blocks = &moment.machine.block_devices;
    for (number, below) in blocks.iter().enumerate() {
        for above in &below.above {
            let mapped = blocks.get(above.device).filter(|device| !device.device.is_partition());
            if let Some(mapped) = mapped {
                visit(number * blocks.len() + above.device, below, mapped);
            }
        }
    }
}

fn each_holder(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_mapping(moment, |index, below, mapped| {
        visit(index, format!("{}/holders/{}", below.path, mapped.name).as_bytes());
    });
}

fn each_slave(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_mapping(moment, |index, below, mapped| {
        visit(index, format!("{}/slaves/{}", mapped.path, below.name).as_bytes());
    });
}

fn mapping<'a>(moment: &Moment<'a>, index: usize) -> Option<(&'a BlockDevice, &'a BlockDevice)> {
    let blocks = &moment.machine.block_devices;
    Some((blocks.get(index.checked_div(blocks.len())?)?, blocks.get(index.checked_rem(blocks.len())?)?))
}

fn holder(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some((below, mapped)) = mapping(moment, index) {
        relative(&format!("{}/holders", below.path), &mapped.path, into);
    }
}

fn slave(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some((below, mapped)) = mapping(moment, index) {
        relative(&format!("{}/slaves", mapped.path), &below.path, into);
    }
}

fn link(from: &str, moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    block(moment, index, |block| relative(from, &format!("devices/{}", block.path), into));
}

fn subsystem(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    block(moment, index, |block| relative(&format!("devices/{}", block.path), "class/block", into));
}

fn inflight(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    put_line!(into, "{:>8} {:>8}", 0, moment.disk_counts(index).in_flight);
}

fn stat(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let columns = moment.disk_counts(index).columns().into_iter().take(moment.disk_columns());
    for (position, count) in columns.enumerate() {
        if position > 0 {
            into.push(b' ');
        }
        put_right(count, 8, into);
    }
    into.push(b'\n');
}

fn uevent(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    block(moment, index, |block| {
        let kind = if block.device.is_partition() { "partition" } else { "disk" };
        put_line!(into, "MAJOR={}\nMINOR={}\nDEVNAME={}\nDEVTYPE={kind}", block.major, block.minor, block.name);
        match block.device {
            Device::Disk { sequence } | Device::Mapped { sequence, .. } | Device::Virtual { sequence } => {
                put_line!(into, "DISKSEQ={sequence}");
            }
            Device::Partition { number, .. } => put_line!(into, "PARTN={number}"),
        }
    });
}

/// Those whose folder tells which device of a bus they are.
fn each_device_link(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, visit, |block| &block.path, Device::is_disk);
}

/// The folder of the device that a disk is: SCSI, virtio and MMC have a folder `block` in between, NVMe has none.
fn device_link(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    block(moment, index, |block| {
        let above = block.path.rsplit_once('/').map_or("", |(above, _)| above);
        relative(&block.path, above.strip_suffix("/block").unwrap_or(above), into);
    });
}

fn each_scsi(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let tapes = moment.machine.storage.tapes.iter().map(|tape| &tape.scsi);
    let units = moment.machine.block_devices.iter().filter_map(|block| block.scsi.as_ref()).chain(tapes);
    units.enumerate().for_each(|(index, unit)| visit(index, unit.path.as_bytes()));
}

fn scsi(moment: &Moment<'_>, index: usize, write: impl FnOnce(&ScsiDevice)) {
    let tapes = moment.machine.storage.tapes.iter().map(|tape| &tape.scsi);
    let mut units = moment.machine.block_devices.iter().filter_map(|block| block.scsi.as_ref()).chain(tapes);
    if let Some(unit) = units.nth(index) {
        write(unit);
    }
}

fn sequence(block: &BlockDevice) -> u32 {
    match block.device {
        Device::Disk { sequence } | Device::Mapped { sequence, .. } | Device::Virtual { sequence } => sequence,
        Device::Partition { .. } => 0,
    }
}

fn partition(block: &BlockDevice) -> (u32, u64) {
    if let Device::Partition { number, start } = block.device { (number, start) } else { (0, 0) }
}

fn mapped(block: &BlockDevice) -> (&str, &str) {
    if let Device::Mapped { name, uuid, .. } = &block.device { (name, uuid) } else { ("", "") }
}
