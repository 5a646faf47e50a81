//! Arrays, pools, caches, swap, tapes, file servers and mounts.
//!
//! Block devices are referenced by their position in `Machine::block_devices`, mounts and tapes by that in their lists.

use super::block::{BlockDevice, Flow, ScsiDevice, Usage};
use crate::list::{Id, List};
use crate::wave::Wave;

/// Empty on a host without any of these.
#[derive(Clone, Default, Debug)]
pub(crate) struct Storage {
    /// In descending order of priority.
    pub(crate) swaps: Vec<Swap>,
    pub(crate) arrays: Vec<Array>,
    pub(crate) zfs: Option<Zfs>,
    pub(crate) btrfs: Vec<Btrfs>,
    pub(crate) bcaches: Vec<Bcache>,
    pub(crate) bcachefs: Vec<Bcachefs>,
    pub(crate) nvme: Vec<NvmeController>,
    pub(crate) fibre_channel: Vec<FibreChannel>,
    pub(crate) tapes: List<Tape>,
    pub(crate) drbd: Vec<Drbd>,
    pub(crate) nfs_mounts: Vec<NfsMount>,
    pub(crate) nfs_server: Option<NfsServer>,
}

/// A swap area. All areas together have `Memory::swap_pages`.
#[derive(Clone, Debug)]
pub(crate) struct Swap {
    pub(crate) path: String,
    pub(crate) is_partition: bool,
    pub(crate) pages: u64,
    pub(crate) priority: i32,
}

#[derive(Clone, Debug)]
pub(crate) struct MountPoint {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    /// The mounted directory of the file system.
    pub(crate) root: String,
    pub(crate) point: String,
    pub(crate) options: &'static str,
    /// Optional fields before the separator, each followed by a blank: `shared:1 `.
    pub(crate) propagation: String,
    pub(crate) fs_type: &'static str,
    pub(crate) source: String,
    pub(crate) super_options: String,
    pub(crate) space: Space,
}

/// Sizes of a file system. Those of a pseudo file system are 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub(crate) block_size: u64,
    pub(crate) blocks: u64,
    /// Blocks reserved for root.
    pub(crate) reserved: u64,
    pub(crate) files: u64,
    pub(crate) usage: Usage,
    /// The mean number of blocks of a file.
    pub(crate) blocks_per_file: u64,
}

impl Space {
    /// The sizes of pseudo file systems.
    pub(crate) const NONE: Self = Self {
        block_size: 4096,
        blocks: 0,
        reserved: 0,
        files: 0,
        usage: Usage { base: 0, daily: 0, span: 1 },
        blocks_per_file: 1,
    };
}

/// An array.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    /// The block device that it provides.
    pub(crate) device: Id<BlockDevice>,
    pub(crate) level: Level,
    pub(crate) members: Vec<Member>,
    /// The sectors that each member contributes.
    pub(crate) member_sectors: u64,
    pub(crate) uuid: String,
    /// Whether it has a write-intent bitmap.
    pub(crate) has_bitmap: bool,
    /// The periodic check.
    pub(crate) check: Check,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    Raid0,
    Raid1,
    Raid5,
    Raid6,
    Raid10,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) device: Id<BlockDevice>,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Active,
    Spare,
    Failed,
    /// Being rebuilt.
    Recovering,
}

/// A periodic check of the whole array; none if its duration is 0.
#[expect(clippy::struct_field_names, reason = "the unit stands last in every name")]
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Check {
    pub(crate) every_seconds: u64,
    pub(crate) lasts_seconds: u64,
    /// The time from the last check before the boot to the boot.
    pub(crate) offset_seconds: u64,
}

impl Level {
    /// The name in the kernel.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raid0 => "raid0",
            Self::Raid1 => "raid1",
            Self::Raid5 => "raid5",
            Self::Raid6 => "raid6",
            Self::Raid10 => "raid10",
        }
    }

    /// The number of members that hold data rather than parity or copies.
    pub(crate) fn data_members(self, members: u64) -> u64 {
        match self {
            Self::Raid0 => members,
            Self::Raid1 => members.min(1),
            Self::Raid5 => members.saturating_sub(1),
            Self::Raid6 => members.saturating_sub(2),
            Self::Raid10 => members / 2,
        }
    }

    /// Bytes written to all members per byte written to the array, in thousandths.
    pub(crate) fn written_permille(self, members: u64) -> u64 {
        match self {
            Self::Raid1 => members * 1_000,
            _ => (members * 1_000).checked_div(self.data_members(members)).unwrap_or(1_000),
        }
    }
}

impl Array {
    /// The number of members that the complete array has.
    pub(crate) fn width(&self) -> u64 {
        self.members.iter().filter(|member| member.role != Role::Spare).count() as u64
    }

    pub(crate) fn active(&self) -> u64 {
        self.members.iter().filter(|member| member.role == Role::Active).count() as u64
    }
}

/// ZFS. Its statistics depend on the version.
#[derive(Clone, Debug)]
pub(crate) struct Zfs {
    pub(crate) version: ZfsVersion,
    pub(crate) pools: Vec<Zpool>,
    /// The maximum size of the cache.
    pub(crate) cache_bytes: u64,
    pub(crate) wave: Wave,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum ZfsVersion {
    V0_8,
    V2_1,
    V2_3,
}

/// A pool.
#[derive(Clone, Debug)]
pub(crate) struct Zpool {
    pub(crate) name: String,
    pub(crate) guid: u64,
    pub(crate) data_sets: Vec<DataSet>,
    pub(crate) wave: Wave,
}

/// A data set that is mounted.
#[derive(Clone, Debug)]
pub(crate) struct DataSet {
    pub(crate) name: String,
    /// The number of its object set.
    pub(crate) number: u64,
    /// Its rate of requests, in thousandths of a busy data set.
    pub(crate) permille: u64,
}

impl DataSet {
    /// The rates of a busy data set.
    pub(crate) const READS: Flow =
        Flow { requests_milli: 141_000, merges_milli: 0, blocks_milli: 2_890_000, milliseconds_milli: 74_000 };
    pub(crate) const WRITES: Flow =
        Flow { requests_milli: 58_000, merges_milli: 0, blocks_milli: 1_460_000, milliseconds_milli: 61_000 };
    pub(crate) const REMOVED_MILLI: u64 = 410;
}

/// A btrfs.
#[derive(Clone, Debug)]
pub(crate) struct Btrfs {
    pub(crate) uuid: String,
    pub(crate) label: &'static str,
    /// Its first mount.
    pub(crate) mount: Id<MountPoint>,
    pub(crate) devices: Vec<Id<BlockDevice>>,
    pub(crate) data: BtrfsGroup,
    pub(crate) metadata: BtrfsGroup,
    pub(crate) system: BtrfsGroup,
    pub(crate) wave: Wave,
}

/// Block groups of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BtrfsGroup {
    pub(crate) layout: &'static str,
    /// The number of copies of each byte.
    pub(crate) copies: u64,
    pub(crate) total_bytes: u64,
    /// Their usage at boot, in thousandths.
    pub(crate) used_permille: u64,
}

/// A set of bcache: a cache and the device that it caches.
#[derive(Clone, Debug)]
pub(crate) struct Bcache {
    pub(crate) uuid: String,
    pub(crate) cache: Id<BlockDevice>,
    pub(crate) backing: Id<BlockDevice>,
    /// The device that the set provides.
    pub(crate) device: Id<BlockDevice>,
    /// Reads that hit the cache, in thousandths.
    pub(crate) hits_permille: u64,
}

/// A bcachefs on one device.
#[derive(Clone, Debug)]
pub(crate) struct Bcachefs {
    pub(crate) uuid: String,
    pub(crate) device: Id<BlockDevice>,
    pub(crate) label: &'static str,
    pub(crate) bucket_bytes: u64,
    /// Its age at boot in seconds: counters since its creation include that time.
    pub(crate) age_seconds: u64,
}

/// An NVMe controller, the only one of its subsystem.
#[derive(Clone, Debug)]
pub(crate) struct NvmeController {
    pub(crate) number: u32,
    /// Its folder below /sys/devices.
    pub(crate) path: String,
    pub(crate) namespace: Id<BlockDevice>,
    pub(crate) model: &'static str,
    pub(crate) firmware: &'static str,
    pub(crate) serial: String,
    pub(crate) controller_id: u32,
    /// Its PCI address: `0000:01:00.0`.
    pub(crate) address: String,
    /// Its used blocks, in thousandths.
    pub(crate) used_permille: u64,
    /// The state of the path to the namespace; `None` on a drive with a single path.
    pub(crate) access_state: Option<&'static str>,
}

/// A port of a Fibre Channel adapter.
#[derive(Clone, Debug)]
pub(crate) struct FibreChannel {
    /// The number of its SCSI host.
    pub(crate) host: u32,
    /// The folder of the adapter below /sys/devices.
    pub(crate) path: String,
    pub(crate) node_name: u64,
    pub(crate) port_name: u64,
    pub(crate) fabric_name: u64,
    pub(crate) port_id: u32,
    pub(crate) model: &'static str,
    /// Disks behind the port.
    pub(crate) disks: Vec<Id<BlockDevice>>,
    /// Tapes behind the port.
    pub(crate) tapes: Vec<Id<Tape>>,
}

/// A tape drive.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    pub(crate) number: u32,
    pub(crate) scsi: ScsiDevice,
    pub(crate) wave: Wave,
    /// In blocks of 4 KiB, of which a request has many.
    pub(crate) reads: Flow,
    pub(crate) writes: Flow,
    /// Requests to wind, to rewind and to write marks.
    pub(crate) others_milli: u64,
}

/// A mount of NFS.
#[derive(Clone, Debug)]
pub(crate) struct NfsMount {
    /// Its mount.
    pub(crate) mount: Id<MountPoint>,
    pub(crate) version: NfsVersion,
    pub(crate) port: u16,
    pub(crate) wave: Wave,
    /// The rate of requests, in thousandths of a busy client.
    pub(crate) permille: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NfsVersion {
    V3,
    V4,
}

/// The NFS server.
#[derive(Clone, Debug)]
pub(crate) struct NfsServer {
    pub(crate) threads: u32,
    pub(crate) wave: Wave,
    /// The rate of requests, in thousandths of one busy client.
    pub(crate) permille: u64,
}

/// A device that is mirrored to another host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drbd {
    pub(crate) minor: u32,
    /// The block device that it provides.
    pub(crate) device: Id<BlockDevice>,
}
