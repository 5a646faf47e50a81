//! What stands on disks and beside them: arrays, pools, caches, swap, tapes, file servers.
//!
//! All of it is empty on a host that has none. A device is told by its place in `Machine::block_devices`.

mod fabric;
mod pools;
mod raid;
mod remote;

pub(crate) use fabric::{FibreChannel, NvmeController, Tape};
pub(crate) use pools::{Bcache, Bcachefs, Btrfs, BtrfsGroup, DataSet, Zfs, ZfsVersion, Zpool};
pub(crate) use raid::{Array, Check, Level, Member, Role};
pub(crate) use remote::{Drbd, NfsMount, NfsServer, NfsVersion};

/// See above.
#[derive(Clone, Default, Debug)]
pub(crate) struct Storage {
    /// The one of the highest priority first.
    pub(crate) swaps: Vec<Swap>,
    pub(crate) arrays: Vec<Array>,
    pub(crate) zfs: Option<Zfs>,
    pub(crate) btrfs: Vec<Btrfs>,
    pub(crate) bcaches: Vec<Bcache>,
    pub(crate) bcachefs: Vec<Bcachefs>,
    pub(crate) nvme: Vec<NvmeController>,
    pub(crate) fibre_channel: Vec<FibreChannel>,
    pub(crate) tapes: Vec<Tape>,
    pub(crate) drbd: Vec<Drbd>,
    pub(crate) nfs_mounts: Vec<NfsMount>,
    pub(crate) nfs_server: Option<NfsServer>,
}

/// Where pages are swapped to. What all of these hold is `Memory::swap_pages`.
#[derive(Clone, Debug)]
pub(crate) struct Swap {
    pub(crate) path: String,
    pub(crate) is_partition: bool,
    pub(crate) pages: u64,
    pub(crate) priority: i32,
}
