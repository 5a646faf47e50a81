//! /sys/block, /sys/class/block, /sys/dev/block and the devices that they link to

use super::relative;
use crate::layout::{Content, Group, Part, Table, each, each_with};
use crate::machine::{BlockDevice, Device, Machine, ScsiDevice};
use crate::moment::Moment;
use crate::text::{put_line, put_right};

pub(super) const GROUPS: Table = &[
    &Group::<BlockDevice> {
        under: "block",
        parts: |machine| each_with(&machine.block_devices, |block| !block.device.is_partition()),
        path: |block, _| block.name.as_str().into(),
        entries: &[("", Content::Link(|block, _, into| link("block", block, into)))],
    },
    &Group::<BlockDevice> {
        under: "class/block",
        parts: |machine| each(&machine.block_devices),
        path: |block, _| block.name.as_str().into(),
        entries: &[("", Content::Link(|block, _, into| link("class/block", block, into)))],
    },
    &Group::<BlockDevice> {
        under: "dev/block",
        parts: |machine| each(&machine.block_devices),
        path: |block, _| format!("{}:{}", block.major, block.minor).into(),
        entries: &[("", Content::Link(|block, _, into| link("dev/block", block, into)))],
    },
    &Group::<BlockDevice> {
        under: "devices",
        parts: |machine| each(&machine.block_devices),
        path: |block, _| block.path.as_str().into(),
        entries: &[
            ("dev", Content::File(|b, _, into| put_line!(into, "{}:{}", b.major, b.minor))),
            ("inflight", Content::File(inflight)),
            ("ro", Content::File(|_, _, into| put_line!(into, "0"))),
            ("size", Content::File(|b, _, into| put_line!(into, "{}", b.sectors))),
            ("stat", Content::File(stat)),
            ("subsystem", Content::Link(subsystem)),
            ("uevent", Content::File(uevent)),
        ],
    },
    &Group::<BlockDevice> {
        under: "devices",
        parts: |machine| each_with(&machine.block_devices, |block| !block.device.is_partition()),
        path: |block, _| block.path.as_str().into(),
        entries: &[
            ("diskseq", Content::File(|b, _, into| put_line!(into, "{}", sequence(b)))),
            ("hidden", Content::File(|_, _, into| put_line!(into, "0"))),
            ("holders", Content::Directory),
            ("queue/hw_sector_size", Content::File(|_, _, into| put_line!(into, "512"))),
            ("queue/logical_block_size", Content::File(|_, _, into| put_line!(into, "512"))),
            ("queue/nr_requests", Content::File(|b, _, into| put_line!(into, "{}", b.queue.requests))),
            (
                "queue/physical_block_size",
                Content::File(|b, _, into| put_line!(into, "{}", b.queue.physical_block_bytes)),
            ),
            ("queue/read_ahead_kb", Content::File(|_, _, into| put_line!(into, "128"))),
            ("queue/rotational", Content::File(|b, _, into| put_line!(into, "{}", u8::from(b.queue.is_rotational)))),
            ("queue/scheduler", Content::File(|b, _, into| put_line!(into, "{}", b.queue.scheduler))),
            ("removable", Content::File(|_, _, into| put_line!(into, "0"))),
            ("slaves", Content::Directory),
        ],
    },
    &Group::<Partition<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.block_devices.iter().filter_map(Partition::of)),
        path: |partition, _| partition.block.path.as_str().into(),
        entries: &[
            ("partition", Content::File(|partition, _, into| put_line!(into, "{}", partition.number))),
            ("start", Content::File(|partition, _, into| put_line!(into, "{}", partition.start))),
        ],
    },
    &Group::<MappedDevice<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.block_devices.iter().filter_map(MappedDevice::of)),
        path: |mapped, _| mapped.block.path.as_str().into(),
        entries: &[
            ("dm/name", Content::File(|mapped, _, into| put_line!(into, "{}", mapped.name))),
            ("dm/suspended", Content::File(|_, _, into| put_line!(into, "0"))),
            ("dm/uuid", Content::File(|mapped, _, into| put_line!(into, "{}", mapped.uuid))),
        ],
    },
    &Group::<ScsiDevice> {
        under: "devices",
        parts: |machine| Box::new(machine.scsi_devices()),
        path: |device, _| device.path.as_str().into(),
        entries: &[
            ("model", Content::File(|s, _, into| put_line!(into, "{:<16}", s.model))),
            ("queue_depth", Content::File(|s, _, into| put_line!(into, "{}", s.queue_depth))),
            ("rev", Content::File(|s, _, into| put_line!(into, "{:<4}", s.revision))),
            ("state", Content::File(|_, _, into| put_line!(into, "running"))),
            ("type", Content::File(|s, _, into| put_line!(into, "{}", s.kind))),
            ("vendor", Content::File(|s, _, into| put_line!(into, "{:<8}", s.vendor))),
            ("wwid", Content::File(|s, _, into| put_line!(into, "{}", s.wwid))),
        ],
    },
    &Group::<BlockDevice> {
        under: "devices",
        parts: |machine| each_with(&machine.block_devices, |block| block.device.is_disk()),
        path: |block, _| block.path.as_str().into(),
        entries: &[("device", Content::Link(device_link))],
    },
    &Group::<Stacking<'static>> {
        under: "devices",
        parts: |machine| Box::new(Stacking::each(machine)),
        path: |Stacking { below, above }, _| format!("{}/holders/{}", below.path, above.name).into(),
        entries: &[(
            "",
            Content::Link(|Stacking { below, above }, _, into| {
                relative(&format!("{}/holders", below.path), &above.path, into);
            }),
        )],
    },
    &Group::<Stacking<'static>> {
        under: "devices",
        parts: |machine| Box::new(Stacking::each(machine)),
        path: |Stacking { below, above }, _| format!("{}/slaves/{}", above.path, below.name).into(),
        entries: &[(
            "",
            Content::Link(|Stacking { below, above }, _, into| {
                relative(&format!("{}/slaves", above.path), &below.path, into);
            }),
        )],
    },
];

/// A partition of a disk.
#[derive(Clone, Copy)]
struct Partition<'a> {
    block: &'a BlockDevice,
    number: u32,
    start: u64,
}

impl Part for Partition<'static> {
    type Of<'a> = Partition<'a>;
}

impl<'a> Partition<'a> {
    fn of(block: &'a BlockDevice) -> Option<Self> {
        match block.device {
            Device::Partition { number, start } => Some(Self { block, number, start }),
            _ => None,
        }
    }
}

/// A device of the device mapper.
#[derive(Clone, Copy)]
struct MappedDevice<'a> {
    block: &'a BlockDevice,
    name: &'a str,
    uuid: &'a str,
}

impl Part for MappedDevice<'static> {
    type Of<'a> = MappedDevice<'a>;
}

impl<'a> MappedDevice<'a> {
    fn of(block: &'a BlockDevice) -> Option<Self> {
        match &block.device {
            Device::Mapped { name, uuid, .. } => Some(Self { block, name, uuid }),
            _ => None,
        }
    }
}

/// A device and one that is made of it.
#[derive(Clone, Copy)]
struct Stacking<'a> {
    below: &'a BlockDevice,
    above: &'a BlockDevice,
}

impl Part for Stacking<'static> {
    type Of<'a> = Stacking<'a>;
}

impl<'a> Stacking<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.block_devices.iter().flat_map(move |below| {
            let above = below.above.iter().filter_map(|above| machine.block_devices.get(above.device));
            above.filter(|above| !above.device.is_partition()).map(move |above| Self { below, above })
        })
    }
}

fn link(from: &str, block: &BlockDevice, into: &mut Vec<u8>) {
    relative(from, &format!("devices/{}", block.path), into);
}

fn subsystem(block: &BlockDevice, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative(&format!("devices/{}", block.path), "class/block", into);
}

/// The device on its bus: two folders above a disk of SCSI, virtio or MMC, and one above a disk of NVMe.
fn device_link(block: &BlockDevice, _: &Moment<'_>, into: &mut Vec<u8>) {
    let above = block.path.rsplit_once('/').map_or("", |(above, _)| above);
    relative(&block.path, above.strip_suffix("/block").unwrap_or(above), into);
}

fn inflight(block: &BlockDevice, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{:>8} {:>8}", 0, moment.disk_counts(block).in_flight);
}

fn stat(block: &BlockDevice, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let columns = moment.disk_counts(block).columns().into_iter().take(moment.disk_columns());
    for (position, count) in columns.enumerate() {
        if position > 0 {
            into.push(b' ');
        }
        put_right(count, 8, into);
    }
    into.push(b'\n');
}

fn uevent(block: &BlockDevice, _: &Moment<'_>, into: &mut Vec<u8>) {
    let kind = if block.device.is_partition() { "partition" } else { "disk" };
    put_line!(into, "MAJOR={}\nMINOR={}\nDEVNAME={}\nDEVTYPE={kind}", block.major, block.minor, block.name);
    match block.device {
        Device::Disk { sequence } | Device::Mapped { sequence, .. } | Device::Virtual { sequence } => {
            put_line!(into, "DISKSEQ={sequence}");
        }
        Device::Partition { number, .. } => put_line!(into, "PARTN={number}"),
    }
}

fn sequence(block: &BlockDevice) -> u32 {
    match block.device {
        Device::Disk { sequence } | Device::Mapped { sequence, .. } | Device::Virtual { sequence } => sequence,
        Device::Partition { .. } => 0,
    }
}
