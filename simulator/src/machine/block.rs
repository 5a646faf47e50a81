//! Disks, partitions and mapped devices.

use crate::wave::Wave;

#[derive(Clone, Debug)]
pub(crate) struct BlockDevice {
    pub(crate) name: String,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// Where it stands below /sys/devices: `virtual/block/dm-0`.
    pub(crate) path: String,
    pub(crate) sectors: u64,
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    /// What goes to it directly, rather than through a device above it.
    pub(crate) io: Option<Io>,
    /// What stands on it: its traffic comes down to this one.
    pub(crate) above: Vec<Above>,
    /// What the SCSI layer knows of it.
    pub(crate) scsi: Option<ScsiDevice>,
    /// Lines of the udev database after `E:`.
    pub(crate) properties: Vec<String>,
    /// When udev saw it first, in microseconds after the start.
    pub(crate) initialised_micros: u64,
}

/// What the folder `queue` tells.
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
    /// Made by the kernel out of other devices, files or memory: arrays, loops, caches.
    Virtual {
        sequence: u32,
    },
}

impl Device {
    pub(crate) fn is_partition(&self) -> bool {
        matches!(self, Self::Partition { .. })
    }

    /// Whether it is a disk that one could hold in the hand.
    pub(crate) fn is_disk(&self) -> bool {
        matches!(self, Self::Disk { .. })
    }
}

/// A device above another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Above {
    pub(crate) device: usize,
    /// One in so many requests from above is merged into another on the way; 0 for none.
    pub(crate) merged_one_in: u64,
    /// How much of what is read and written above comes down here, in thousandths: a member of an array has a part, a
    /// mirror all that is written.
    pub(crate) reads_permille: u64,
    pub(crate) writes_permille: u64,
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
    /// As it names itself: `naa.5000c500a1b2c3d4`.
    pub(crate) wwid: String,
    pub(crate) queue_depth: u32,
}

/// What users do to a device.
#[derive(Clone, Debug)]
pub(crate) struct Io {
    pub(crate) wave: Wave,
    pub(crate) reads: Flow,
    pub(crate) writes: Flow,
    pub(crate) discards: Flow,
    pub(crate) flushes_milli: u64,
}

/// One direction, in thousandths a second.
#[expect(clippy::struct_field_names, reason = "the unit stands last in every name")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) requests_milli: u64,
    pub(crate) merges_milli: u64,
    /// Blocks of 4 KiB.
    pub(crate) blocks_milli: u64,
    /// Time that requests take, in milliseconds.
    pub(crate) milliseconds_milli: u64,
}

/// How full a file system is, in blocks of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) base: u64,
    /// Blocks that come in a day; when `span` is full they are cleared away.
    pub(crate) daily: u64,
    pub(crate) span: u64,
}

impl BlockDevice {
    /// The path of its node, as mounts name it.
    pub(crate) fn node(&self) -> String {
        match &self.device {
            Device::Mapped { name, .. } => format!("/dev/mapper/{name}"),
            Device::Disk { .. } | Device::Partition { .. } | Device::Virtual { .. } => format!("/dev/{}", self.name),
        }
    }
}
