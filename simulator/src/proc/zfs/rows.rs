//! The rows of the tables: names and sources of values.

mod arc;
mod dbuf;

use std::ops::RangeInclusive;

pub(super) use arc::ARC;
pub(super) use dbuf::{DBUF, DNODE};

use crate::machine::ZfsVersion;

/// A row of a table.
#[derive(Debug)]
pub(super) struct KstatRow {
    pub(super) name: &'static str,
    pub(super) value: Value,
    /// The versions of ZFS with this row.
    pub(super) versions: RangeInclusive<ZfsVersion>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// A counter with a rate in thousandths per second.
    Count(u64),
    /// The sum of counters.
    Sum(&'static [u64]),
    /// A share of the cache size, in thousandths.
    Held(u64),
    /// A share of the maximum cache size, in thousandths.
    Limit(u64),
    Is(u64),
    /// Free memory.
    Free,
    /// All memory of the host.
    Memory,
}

const ALWAYS: (ZfsVersion, ZfsVersion) = (ZfsVersion::V0_8, ZfsVersion::V2_3);
const UNTIL_2_1: (ZfsVersion, ZfsVersion) = (ZfsVersion::V0_8, ZfsVersion::V2_1);
const SINCE_2_1: (ZfsVersion, ZfsVersion) = (ZfsVersion::V2_1, ZfsVersion::V2_3);
const SINCE_2_3: (ZfsVersion, ZfsVersion) = (ZfsVersion::V2_3, ZfsVersion::V2_3);

const fn row(name: &'static str, value: Value, (first, last): (ZfsVersion, ZfsVersion)) -> KstatRow {
    KstatRow { name, value, versions: first..=last }
}

/// ABD: buffers of scattered pages.
pub(super) const ABD: &[KstatRow] = &[
    row("struct_size", Value::Is(3_214_080), ALWAYS),
    row("linear_cnt", Value::Is(1_144), ALWAYS),
    row("linear_data_size", Value::Is(24_117_248), ALWAYS),
    row("scatter_cnt", Value::Is(41_806), ALWAYS),
    row("scatter_data_size", Value::Held(941), ALWAYS),
    row("scatter_chunk_waste", Value::Held(2), ALWAYS),
    row("scatter_order_0", Value::Is(18_204), ALWAYS),
    row("scatter_order_1", Value::Is(3_311), ALWAYS),
    row("scatter_order_2", Value::Is(6_020), ALWAYS),
    row("scatter_order_3", Value::Is(2_902), ALWAYS),
    row("scatter_order_4", Value::Is(1_118), ALWAYS),
    row("scatter_order_5", Value::Is(9_770), ALWAYS),
    row("scatter_order_6", Value::Is(204), ALWAYS),
    row("scatter_order_7", Value::Is(61), ALWAYS),
    row("scatter_order_8", Value::Is(18), ALWAYS),
    row("scatter_order_9", Value::Is(4), ALWAYS),
    row("scatter_order_10", Value::Is(2), ALWAYS),
    row("scatter_page_multi_chunk", Value::Count(1_600), ALWAYS),
    row("scatter_page_multi_zone", Value::Count(210), ALWAYS),
    row("scatter_page_alloc_retry", Value::Is(0), ALWAYS),
    row("scatter_sg_table_retry", Value::Is(0), ALWAYS),
];

/// Transactions.
pub(super) const DMU_TX: &[KstatRow] = &[
    row("dmu_tx_assigned", Value::Count(62_000), ALWAYS),
    row("dmu_tx_delay", Value::Count(0), ALWAYS),
    row("dmu_tx_error", Value::Is(0), ALWAYS),
    row("dmu_tx_suspended", Value::Is(0), ALWAYS),
    row("dmu_tx_group", Value::Count(2), ALWAYS),
    row("dmu_tx_memory_reserve", Value::Is(0), ALWAYS),
    row("dmu_tx_memory_reclaim", Value::Is(0), ALWAYS),
    row("dmu_tx_dirty_throttle", Value::Is(0), ALWAYS),
    row("dmu_tx_dirty_delay", Value::Count(31), ALWAYS),
    row("dmu_tx_dirty_over_max", Value::Count(1), ALWAYS),
    row("dmu_tx_quota", Value::Is(0), ALWAYS),
];

/// Fault management.
pub(super) const FM: &[KstatRow] = &[
    row("erpt-dropped", Value::Is(0), ALWAYS),
    row("erpt-set-failed", Value::Is(0), ALWAYS),
    row("fmri-set-failed", Value::Is(0), ALWAYS),
    row("payload-set-failed", Value::Is(0), ALWAYS),
    row("erpt-duplicates", Value::Is(0), SINCE_2_1),
];

/// Reads of mirrors, by the choice of the side.
pub(super) const VDEV_MIRROR: &[KstatRow] = &[
    row("rotating_linear", Value::Count(310), ALWAYS),
    row("rotating_offset", Value::Count(1_200), ALWAYS),
    row("rotating_seek", Value::Count(6_900), ALWAYS),
    row("non_rotating_linear", Value::Is(0), ALWAYS),
    row("non_rotating_seek", Value::Is(0), ALWAYS),
    row("preferred_found", Value::Count(5_100), ALWAYS),
    row("preferred_not_found", Value::Count(3_300), ALWAYS),
];

/// Prefetch.
pub(super) const ZFETCH: &[KstatRow] = &[
    row("hits", Value::Count(46_000), ALWAYS),
    row("future", Value::Count(410), SINCE_2_3),
    row("stride", Value::Count(90), SINCE_2_3),
    row("past", Value::Count(1_100), SINCE_2_3),
    row("misses", Value::Count(8_100), ALWAYS),
    row("max_streams", Value::Count(6_800), ALWAYS),
    row("io_issued", Value::Count(6_400), SINCE_2_1),
    row("io_active", Value::Is(0), SINCE_2_3),
];

/// The intent log.
pub(super) const ZIL: &[KstatRow] = &[
    row("zil_commit_count", Value::Count(1_900), ALWAYS),
    row("zil_commit_writer_count", Value::Count(1_850), ALWAYS),
    row("zil_commit_error_count", Value::Count(0), SINCE_2_3),
    row("zil_commit_stall_count", Value::Is(0), SINCE_2_3),
    row("zil_commit_suspend_count", Value::Is(0), SINCE_2_3),
    row("zil_itx_count", Value::Count(21_000), ALWAYS),
    row("zil_itx_indirect_count", Value::Count(310), ALWAYS),
    row("zil_itx_indirect_bytes", Value::Count(39_000_000), ALWAYS),
    row("zil_itx_copied_count", Value::Count(0), ALWAYS),
    row("zil_itx_copied_bytes", Value::Count(0), ALWAYS),
    row("zil_itx_needcopy_count", Value::Count(1_700), ALWAYS),
    row("zil_itx_needcopy_bytes", Value::Count(28_000_000), ALWAYS),
    row("zil_itx_metaslab_normal_count", Value::Count(2_400), ALWAYS),
    row("zil_itx_metaslab_normal_bytes", Value::Count(34_000_000), ALWAYS),
    row("zil_itx_metaslab_normal_write", Value::Count(36_000_000), SINCE_2_3),
    row("zil_itx_metaslab_normal_alloc", Value::Count(41_000_000), SINCE_2_3),
    row("zil_itx_metaslab_slog_count", Value::Is(0), ALWAYS),
    row("zil_itx_metaslab_slog_bytes", Value::Is(0), ALWAYS),
    row("zil_itx_metaslab_slog_write", Value::Is(0), SINCE_2_3),
    row("zil_itx_metaslab_slog_alloc", Value::Is(0), SINCE_2_3),
];

/// Loaned buffers.
pub(super) const XUIO: &[KstatRow] = &[
    row("onloan_read_buf", Value::Is(0), ALWAYS),
    row("onloan_write_buf", Value::Is(0), ALWAYS),
    row("read_buf_copied", Value::Is(0), ALWAYS),
    row("read_buf_nocopy", Value::Is(0), ALWAYS),
    row("write_buf_copied", Value::Is(0), ALWAYS),
    row("write_buf_nocopy", Value::Is(0), ALWAYS),
];

/// The device cache.
pub(super) const VDEV_CACHE: &[KstatRow] = &[
    row("delegations", Value::Count(120), ALWAYS),
    row("hits", Value::Count(3_800), ALWAYS),
    row("misses", Value::Count(1_400), ALWAYS),
];
