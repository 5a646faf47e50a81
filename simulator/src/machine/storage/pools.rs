//! File systems that take care of their devices themselves, and caches in front of devices.

use super::super::block::Flow;
use crate::wave::Wave;

/// ZFS of Linux. Its versions tell of different things.
#[derive(Clone, Debug)]
pub(crate) struct Zfs {
    pub(crate) version: ZfsVersion,
    pub(crate) pools: Vec<Zpool>,
    /// How much memory the cache may take.
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
    /// Of its set of objects.
    pub(crate) number: u64,
    /// What is done to it, in thousandths of what a busy one sees.
    pub(crate) permille: u64,
}

impl DataSet {
    /// What a busy one sees in a thousand seconds: requests, and blocks of 4 KiB.
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
    /// Where it is mounted first.
    pub(crate) mount: usize,
    pub(crate) devices: Vec<usize>,
    pub(crate) data: BtrfsGroup,
    pub(crate) metadata: BtrfsGroup,
    pub(crate) system: BtrfsGroup,
    pub(crate) wave: Wave,
}

/// Block groups of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BtrfsGroup {
    pub(crate) layout: &'static str,
    /// How often a byte is stored.
    pub(crate) copies: u64,
    pub(crate) total_bytes: u64,
    /// How full they are at the start, in thousandths.
    pub(crate) used_permille: u64,
}

/// A set of bcache: one device that caches another.
#[derive(Clone, Debug)]
pub(crate) struct Bcache {
    pub(crate) uuid: String,
    pub(crate) cache: usize,
    pub(crate) backing: usize,
    /// What the two are together.
    pub(crate) device: usize,
    /// How many of the reads it answers, in thousandths.
    pub(crate) hits_permille: u64,
}

/// A bcachefs of one device.
#[derive(Clone, Debug)]
pub(crate) struct Bcachefs {
    pub(crate) uuid: String,
    pub(crate) device: usize,
    pub(crate) label: &'static str,
    pub(crate) bucket_bytes: u64,
    /// When it was made, in seconds before the start of the host: its counters are older than the host.
    pub(crate) age_seconds: u64,
}
