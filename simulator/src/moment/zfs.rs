//! What ZFS counts, and what it holds in memory.

use super::Moment;
use crate::machine::{DataSet, Zfs, Zpool};
use crate::wave::MICROS;

const BLOCK_BYTES: u64 = 4_096;
const HOUR_SECONDS: u64 = 3_600;

/// What was done to a data set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct DataSetCounts {
    pub(crate) writes: u64,
    pub(crate) written_bytes: u64,
    pub(crate) reads: u64,
    pub(crate) read_bytes: u64,
    pub(crate) unlinks: u64,
    pub(crate) unlinked: u64,
}

/// What was done to a pool as a whole, and how long that took in nanoseconds.
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

    /// How much of its memory the cache holds: it fills in a day, and gives some back when much is going on.
    pub(crate) fn zfs_cache_bytes(&self, zfs: &Zfs) -> u64 {
        let hours = self.uptime_micros() / (HOUR_SECONDS * MICROS);
        let filled = (120 + hours * 36).min(985);
        let given_back = self.recent(&zfs.wave, 600) / 90;
        zfs.cache_bytes / 1_000 * filled.saturating_sub(given_back)
    }

    /// How often a thing happened that happens so often in a thousand seconds.
    pub(crate) fn zfs_count(&self, zfs: &Zfs, milli: u64) -> u64 {
        self.counter(&zfs.wave, milli)
    }
}
