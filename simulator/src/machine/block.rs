//! Disks, partitions and mapped devices.

use crate::list::Id;
use crate::wave::Wave;

#[derive(Clone, Debug)]
pub(crate) struct BlockDevice {
    pub(crate) name: String,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// Its folder below /sys/devices: `virtual/block/dm-0`.
    pub(crate) path: String,
    pub(crate) sectors: u64,
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    /// Requests of users, without those that come from devices above.
    pub(crate) io: Option<Io>,
    /// The devices that are made of this one and pass requests to it.
    pub(crate) above: Vec<Above>,
    /// Its SCSI device.
    pub(crate) scsi: Option<ScsiDevice>,
    /// Lines of the udev database after `E:`.
    pub(crate) properties: Vec<String>,
    /// The time of its detection by udev, in microseconds after the boot.
    pub(crate) initialised_micros: u64,
}

/// The parameters of the request queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    pub(crate) is_rotational: bool,
    pub(crate) scheduler: &'static str,
    pub(crate) requests: u32,
    pub(crate) physical_block_bytes: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Device {
    Disk {
        sequence: u32,
    },
    Partition {
        number: u32,
        start: u64,
    },
    Mapped {
        name: String,
        uuid: String,
        sequence: u32,
    },
    /// Provided by the kernel: arrays, loops, caches.
    Virtual {
        sequence: u32,
    },
}

impl Device {
    pub(crate) fn is_partition(&self) -> bool {
        matches!(self, Self::Partition { .. })
    }

    /// Whether it is a physical disk.
    pub(crate) fn is_disk(&self) -> bool {
        matches!(self, Self::Disk { .. })
    }
}

/// A device that is made of another, and the requests that it passes down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Above {
    pub(crate) device: Id<BlockDevice>,
    pub(crate) share: Share,
}

/// The part of a device's requests that reaches a device below.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// The number of requests per merged request; 0 if none are merged.
    pub(crate) merged_one_in: u64,
    /// The share of reads and writes that reaches this device, in thousandths: a member of an array has a part of them, a
    /// mirror all writes.
    pub(crate) reads_permille: u64,
    pub(crate) writes_permille: u64,
}

impl Share {
    /// All requests, unmerged.
    pub(crate) const ALL: Self = Self { merged_one_in: 0, reads_permille: 1_000, writes_permille: 1_000 };
}

/// A logical unit of SCSI.
#[derive(Clone, Debug)]
pub(crate) struct ScsiDevice {
    /// Its folder below /sys/devices.
    pub(crate) path: String,
    pub(crate) vendor: &'static str,
    pub(crate) model: &'static str,
    pub(crate) revision: &'static str,
    /// 0 for disks, 1 for tapes.
    pub(crate) kind: u8,
    /// Its World Wide Identifier: `naa.5000c500a1b2c3d4`.
    pub(crate) wwid: String,
    pub(crate) queue_depth: u32,
}

/// The requests of users to a device.
#[derive(Clone, Debug)]
pub(crate) struct Io {
    pub(crate) wave: Wave,
    pub(crate) reads: Flow,
    pub(crate) writes: Flow,
    pub(crate) discards: Flow,
    pub(crate) flushes_milli: u64,
}

/// Rates of one direction, in thousandths per second.
#[expect(clippy::struct_field_names, reason = "the unit stands last in every name")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) requests_milli: u64,
    pub(crate) merges_milli: u64,
    /// Blocks of 4 KiB.
    pub(crate) blocks_milli: u64,
    /// Duration of all requests, in milliseconds.
    pub(crate) milliseconds_milli: u64,
}

/// The usage of a file system, in its blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) base: u64,
    /// Blocks added per day. After `span` blocks, they are removed again.
    pub(crate) daily: u64,
    pub(crate) span: u64,
}

impl BlockDevice {
    /// The path of its device node, as in the mount table.
    pub(crate) fn node(&self) -> String {
        match &self.device {
            Device::Mapped { name, .. } => format!("/dev/mapper/{name}"),
            Device::Disk { .. } | Device::Partition { .. } | Device::Virtual { .. } => format!("/dev/{}", self.name),
        }
    }
}
