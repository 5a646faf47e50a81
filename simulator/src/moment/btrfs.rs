//! What btrfs holds and how often it committed.

use super::Moment;
use crate::machine::{Btrfs, BtrfsGroup};
use crate::wave::MICROS;

/// The kernel commits at least so often.
const COMMIT_MILLI: u64 = 33_000;

/// What commits came to, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Commits {
    pub(crate) count: u64,
    pub(crate) last: u64,
    pub(crate) longest: u64,
    pub(crate) total: u64,
}

impl Moment<'_> {
    pub(crate) fn btrfs_commits(&self, btrfs: &Btrfs) -> Commits {
        let count = self.counter(&btrfs.wave, COMMIT_MILLI);
        let hours = self.uptime_micros() / (3_600 * MICROS);
        Commits {
            count,
            last: if count == 0 { 0 } else { 3 + self.flicker(&btrfs.uuid, 9) },
            // The longest of many is longer.
            longest: if count == 0 { 0 } else { 60 + hours.min(2_000) / 4 },
            total: count * 14,
        }
    }

    /// Bytes in use of block groups that hold data as files do, or a fixed part of them.
    pub(crate) fn btrfs_used_bytes(&self, btrfs: &Btrfs, group: BtrfsGroup, is_data: bool) -> u64 {
        let mount = self.machine.mounts.get(btrfs.mount).filter(|_| is_data);
        let held = mount.map(|mount| self.used_blocks(mount.space).min(mount.space.blocks) * mount.space.block_size);
        held.unwrap_or(group.total_bytes / 1_000 * group.used_permille).min(group.total_bytes)
    }
}
