//! Usage and counters of file systems, ZFS and bcache.

use collectors::host::kernel::StatFs;

use super::Moment;
use super::block::DiskCounts;
use crate::machine::{Bcache, Bcachefs, BlockDevice, Btrfs, BtrfsGroup, DataSet, Space, Zfs, Zpool};
use crate::wave::MICROS;

const DAY_SECONDS: u64 = 86_400;

impl Moment<'_> {
    /// The answer of `statfs`.
    pub(crate) fn statfs(&self, space: Space) -> StatFs {
        let used = self.used_blocks(space).min(space.blocks);
        let free = space.blocks - used;
        let files_used = (used / space.blocks_per_file.max(1)).min(space.files);
        StatFs {
            block_size: space.block_size,
            blocks: space.blocks,
            blocks_free: free,
            blocks_available: free.saturating_sub(space.reserved),
            files: space.files,
            files_free: space.files - files_used,
        }
    }

    /// Used blocks grow daily and fall back when the span is full.
    pub(crate) fn used_blocks(&self, space: Space) -> u64 {
        let usage = space.usage;
        let grown = u128::from(self.age_micros()) * u128::from(usage.daily) / u128::from(DAY_SECONDS * MICROS);
        let grown = grown % u128::from(usage.span.max(1));
        usage.base + u64::try_from(grown).unwrap_or_default()
    }
}

/// The rows in the order of the kernel, with counts per thousand writes to the disk.
const ROWS: [(&str, &[u64]); 24] = [
    ("extent_alloc", &[61, 4_300, 52, 3_900]),
    ("abt", &[0, 0, 0, 0]),
    ("blk_map", &[2_410, 1_090, 71, 66, 55, 3_560, 0]),
    ("bmbt", &[0, 0, 0, 0]),
    ("dir", &[148, 43, 39, 310]),
    ("trans", &[4, 611, 9]),
    ("ig", &[171, 9, 0, 162, 0, 131, 118]),
    ("log", &[224, 9_120, 0, 270, 18]),
    ("push_ail", &[1_940, 0, 3_870, 1_260, 0, 88, 4, 210, 0, 16]),
    ("xstrat", &[58, 0]),
    ("rw", &[1_780, 2_960]),
    ("attr", &[640, 0, 0, 0]),
    ("icluster", &[110, 24, 260]),
    ("vnodes", &[31, 0, 0, 0, 131, 131, 131, 0]),
    ("buf", &[4_120, 33, 4_090, 12, 2, 33, 0, 36, 41]),
    ("abtb2", &[190, 1_480, 27, 25, 0, 0, 6, 4, 1, 2, 0, 0, 1, 0, 310]),
    ("abtc2", &[370, 2_610, 148, 146, 0, 0, 9, 7, 1, 2, 0, 0, 1, 0, 1_690]),
    ("bmbt2", &[21, 90, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]),
    ("ibt2", &[410, 2_330, 6, 6, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0, 40]),
    ("fibt2", &[360, 1_980, 14, 13, 0, 0, 5, 3, 0, 0, 0, 0, 0, 0, 90]),
    ("rmapbt", &[0; 15]),
    ("refcntbt", &[0; 15]),
    ("qm", &[0; 8]),
    ("debug", &[0]),
];

/// Inodes in memory at the boot.
const ACTIVE_AT_START: u64 = 2_100;

/// Counters wrap at 32 bits, except those of bytes.
const COUNTS: u64 = 1 << 32;

/// The row of bytes, which precedes the last one.
pub(crate) const BYTES: &str = "xpc";

impl Moment<'_> {
    /// The rows of a file system: a name and counters.
    pub(crate) fn xfs_rows(&self, block: &BlockDevice, mut visit: impl FnMut(&str, &[u64])) {
        let Some(io) = &block.io else { return };
        for (name, rates) in ROWS {
            let count = |rate: u64| self.counter_part(&io.wave, rate, io.writes.requests_milli);
            let mut counts: Vec<u64> = rates.iter().map(|&rate| count(rate)).collect();
            if let ("vnodes", Some(active)) = (name, counts.first_mut()) {
                *active += ACTIVE_AT_START;
            }
            if name == "debug" {
                let bytes = |blocks_milli: u64| self.counter(&io.wave, blocks_milli) * 4_096;
                let (written, read) = (bytes(io.writes.blocks_milli), bytes(io.reads.blocks_milli));
                // Half of the writes are delayed allocations.
                visit(BYTES, &[written / 2, written, read]);
            }
            for count in &mut counts {
                *count %= COUNTS;
            }
            visit(name, &counts);
        }
    }
}

/// The rate of commits at the default interval.
const COMMIT_MILLI: u64 = 33_000;

/// The number of commits and their durations in milliseconds.
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
            // The maximum grows with the number of commits.
            longest: if count == 0 { 0 } else { 60 + hours.min(2_000) / 4 },
            total: count * 14,
        }
    }

    /// Used bytes of block groups: those of files for data, a fixed share for others.
    pub(crate) fn btrfs_used_bytes(&self, btrfs: &Btrfs, group: BtrfsGroup, is_data: bool) -> u64 {
        let mount = self.machine.mounts.get(btrfs.mount).filter(|_| is_data);
        let held = mount.map(|mount| self.used_blocks(mount.space).min(mount.space.blocks) * mount.space.block_size);
        held.unwrap_or(group.total_bytes / 1_000 * group.used_permille).min(group.total_bytes)
    }
}

const BLOCK_BYTES: u64 = 4_096;
const HOUR_SECONDS: u64 = 3_600;

/// The counters of a data set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct DataSetCounts {
    pub(crate) writes: u64,
    pub(crate) written_bytes: u64,
    pub(crate) reads: u64,
    pub(crate) read_bytes: u64,
    pub(crate) unlinks: u64,
    pub(crate) unlinked: u64,
}

/// The counters of a pool, with durations in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PoolCounts {
    pub(crate) sum: DataSetCounts,
    pub(crate) wait_nanos: u64,
    pub(crate) run_nanos: u64,
}

impl Moment<'_> {
    pub(crate) fn data_set_counts(&self, pool: &Zpool, set: &DataSet) -> DataSetCounts {
        let count = |milli| self.counter_part(&pool.wave, set.permille, milli);
        DataSetCounts {
            writes: count(DataSet::WRITES.requests_milli),
            written_bytes: count(DataSet::WRITES.blocks_milli) * BLOCK_BYTES,
            reads: count(DataSet::READS.requests_milli),
            read_bytes: count(DataSet::READS.blocks_milli) * BLOCK_BYTES,
            unlinks: count(DataSet::REMOVED_MILLI),
            unlinked: count(DataSet::REMOVED_MILLI),
        }
    }

    pub(crate) fn pool_counts(&self, pool: &Zpool) -> PoolCounts {
        let sets = pool.data_sets.iter().map(|set| self.data_set_counts(pool, set));
        let sum = sets.fold(DataSetCounts::default(), |sum, set| DataSetCounts {
            writes: sum.writes + set.writes,
            written_bytes: sum.written_bytes + set.written_bytes,
            reads: sum.reads + set.reads,
            read_bytes: sum.read_bytes + set.read_bytes,
            unlinks: sum.unlinks + set.unlinks,
            unlinked: sum.unlinked + set.unlinked,
        });
        PoolCounts { sum, wait_nanos: sum.writes * 118_000, run_nanos: (sum.writes + sum.reads) * 402_000 }
    }

    /// The size of the cache: it fills within a day, and shrinks a little under load.
    pub(crate) fn zfs_cache_bytes(&self, zfs: &Zfs) -> u64 {
        let hours = self.uptime_micros() / (HOUR_SECONDS * MICROS);
        let filled = (120 + hours * 36).min(985);
        let given_back = self.recent(&zfs.wave, 600) / 90;
        zfs.cache_bytes / 1_000 * filled.saturating_sub(given_back)
    }

    /// A counter of ZFS, for a mean rate in thousandths per second.
    pub(crate) fn zfs_count(&self, zfs: &Zfs, milli: u64) -> u64 {
        self.counter(&zfs.wave, milli)
    }
}

const SECTOR_BYTES: u64 = 512;

/// The counters of a set.
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
    /// Data that is not written back yet.
    pub(crate) dirty_bytes: u64,
    pub(crate) target_bytes: u64,
    pub(crate) writeback_bytes_per_second: u64,
}

impl Moment<'_> {
    pub(crate) fn bcache_counts(&self, set: &Bcache) -> CacheCounts {
        let device = self.machine.block_devices.get(set.device);
        let DiskCounts { reads, writes, .. } = device.map(|device| self.disk_counts(device)).unwrap_or_default();
        let hits = reads.requests / 1_000 * set.hits_permille;
        let size = self.machine.block_devices.get(set.cache).map_or(0, |cache| cache.sectors * SECTOR_BYTES);
        let wave = device.and_then(|device| device.io.as_ref()).map(|io| &io.wave);
        let busy = wave.map_or(1_000, |wave| self.recent(wave, 300));
        CacheCounts {
            hits,
            misses: reads.requests / 1_000 * (1_000 - set.hits_permille),
            bypass_hits: reads.requests / 4_100,
            bypass_misses: reads.requests / 91,
            collisions: reads.requests / 20_300,
            // Sequential reads bypass the cache.
            bypassed_bytes: reads.sectors / 23 * SECTOR_BYTES,
            written_bytes: writes.sectors * SECTOR_BYTES,
            metadata_bytes: writes.requests / 61 * 4_096,
            read_races: reads.requests / 1_204_000,
            dirty_bytes: size / 1_000 * (61 + busy / 60),
            target_bytes: size / 10,
            writeback_bytes_per_second: 4_096 * (busy * 11 + 900),
        }
    }

    /// Bytes read and written by a bcachefs since its creation, and since the boot.
    pub(crate) fn bcachefs_bytes(&self, fs: &Bcachefs) -> [[u64; 2]; 2] {
        let device = self.machine.block_devices.get(fs.device);
        let DiskCounts { reads, writes, .. } = device.map(|device| self.disk_counts(device)).unwrap_or_default();
        let now = [reads.sectors * SECTOR_BYTES, writes.sectors * SECTOR_BYTES];
        // The mean rate before the boot.
        [now.map(|bytes| bytes + fs.age_seconds * 21_000), now]
    }

    /// Bytes of used buckets.
    pub(crate) fn bcachefs_used_bytes(&self, fs: &Bcachefs) -> u64 {
        let block = self.machine.block_devices.get(fs.device);
        let mounted = |source: String| self.machine.mounts.iter().find(|mount| mount.source == source);
        let mount = block.and_then(|block| mounted(block.node()));
        mount.map_or(0, |mount| self.used_blocks(mount.space).min(mount.space.blocks) * mount.space.block_size)
    }
}
