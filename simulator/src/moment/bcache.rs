//! What caches in front of devices count, and what bcachefs counts.

use super::Moment;
use super::block::DiskCounts;
use crate::machine::{Bcache, Bcachefs};

const SECTOR_BYTES: u64 = 512;

/// What a set counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CacheCounts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) bypass_hits: u64,
    pub(crate) bypass_misses: u64,
    pub(crate) collisions: u64,
    pub(crate) bypassed_bytes: u64,
    pub(crate) written_bytes: u64,
    pub(crate) metadata_bytes: u64,
    pub(crate) read_races: u64,
    /// What has yet to be written back.
    pub(crate) dirty_bytes: u64,
    pub(crate) target_bytes: u64,
    pub(crate) writeback_bytes_per_second: u64,
}

impl Moment<'_> {
    pub(crate) fn bcache_counts(&self, set: &Bcache) -> CacheCounts {
        let device = self.machine.block(set.device);
        let DiskCounts { reads, writes, .. } = device.map(|device| self.disk_counts(device)).unwrap_or_default();
        let hits = reads.requests / 1_000 * set.hits_permille;
        let size = self.machine.block(set.cache).map_or(0, |cache| cache.sectors * SECTOR_BYTES);
        let wave = device.and_then(|device| device.io.as_ref()).map(|io| &io.wave);
        let busy = wave.map_or(1_000, |wave| self.recent(wave, 300));
        CacheCounts {
            hits,
            misses: reads.requests / 1_000 * (1_000 - set.hits_permille),
            bypass_hits: reads.requests / 4_100,
            bypass_misses: reads.requests / 91,
            collisions: reads.requests / 20_300,
            // What is read in one go passes by.
            bypassed_bytes: reads.sectors / 23 * SECTOR_BYTES,
            written_bytes: writes.sectors * SECTOR_BYTES,
            metadata_bytes: writes.requests / 61 * 4_096,
            read_races: reads.requests / 1_204_000,
            dirty_bytes: size / 1_000 * (61 + busy / 60),
            target_bytes: size / 10,
            writeback_bytes_per_second: 4_096 * (busy * 11 + 900),
        }
    }

    /// What bcachefs read and wrote since it was made, and since the host was started.
    pub(crate) fn bcachefs_bytes(&self, fs: &Bcachefs) -> [[u64; 2]; 2] {
        let device = self.machine.block(fs.device);
        let DiskCounts { reads, writes, .. } = device.map(|device| self.disk_counts(device)).unwrap_or_default();
        let now = [reads.sectors * SECTOR_BYTES, writes.sectors * SECTOR_BYTES];
        // Before, it was used a little less.
        [now.map(|bytes| bytes + fs.age_seconds * 21_000), now]
    }

    /// Buckets that are in use.
    pub(crate) fn bcachefs_used_bytes(&self, fs: &Bcachefs) -> u64 {
        let block = self.machine.block_devices.get(fs.device);
        let mounted = |source: String| self.machine.mounts.iter().find(|mount| mount.source == source);
        let mount = block.and_then(|block| mounted(block.node()));
        mount.map_or(0, |mount| self.used_blocks(mount.space).min(mount.space.blocks) * mount.space.block_size)
    }
}
