//! /proc/vmstat

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::put_row;

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("vmstat", Content::File(vmstat))])];

fn vmstat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let mut row = |name: &str, value: u64| put_row(name, value, into);
    zones(moment, &mut row);
    nodes(moment, &mut row);
    events(moment, &mut row);
    zeros(&COMPACTION, &mut row);
    unevictable(moment, &mut row);
    zeros(&HUGE_PAGES, &mut row);
    row("swap_ra", 214);
    row("swap_ra_hit", 121);
    zeros(&AFTER_SWAP, &mut row);
    row("direct_map_level2_splits", 31);
    row("direct_map_level3_splits", 2);
    zeros(&["direct_map_level2_collapses", "direct_map_level3_collapses", "nr_unstable"], &mut row);
}

fn zeros(names: &[&str], row: &mut impl FnMut(&str, u64)) {
    for name in names {
        row(name, 0);
    }
}

fn zones(moment: &Moment<'_>, row: &mut impl FnMut(&str, u64)) {
    let parts = moment.memory();
    row("nr_free_pages", parts.free);
    row("nr_zone_inactive_anon", parts.inactive_anonymous);
    row("nr_zone_active_anon", parts.active_anonymous);
    row("nr_zone_inactive_file", parts.inactive_file);
    row("nr_zone_active_file", parts.active_file);
    row("nr_zone_unevictable", parts.unevictable);
    row("nr_zone_write_pending", parts.dirty);
    row("nr_mlock", parts.unevictable);
    zeros(&["nr_bounce", "nr_zspages", "nr_free_cma", "nr_unaccepted"], row);
    let nodes = moment.machine.processor.nodes;
    let of_nodes = moment.machine.processor.nodes().map(|node| moment.allocations_of_node(node));
    let [hits, away] = of_nodes.fold([0, 0], |[hits, away], [more, others]| [hits + more, away + others]);
    row("numa_hit", hits);
    row("numa_miss", away);
    row("numa_foreign", away);
    row("numa_interleave", 3_318 * nodes as u64);
    row("numa_local", hits - away);
    row("numa_other", 2 * away);
}

fn nodes(moment: &Moment<'_>, row: &mut impl FnMut(&str, u64)) {
    let parts = moment.memory();
    let load = &moment.machine.load;
    row("nr_inactive_anon", parts.inactive_anonymous);
    row("nr_active_anon", parts.active_anonymous);
    row("nr_inactive_file", parts.inactive_file);
    row("nr_active_file", parts.active_file);
    row("nr_unevictable", parts.unevictable);
    row("nr_slab_reclaimable", parts.slab_reclaimable);
    row("nr_slab_unreclaimable", parts.slab_unreclaimable);
    zeros(&["nr_isolated_anon", "nr_isolated_file"], row);
    row("workingset_nodes", parts.cached / 36);
    row("workingset_refault_anon", 214);
    row("workingset_refault_file", moment.counter(load, 1_900));
    row("workingset_activate_anon", 96);
    row("workingset_activate_file", moment.counter(load, 740));
    row("workingset_restore_anon", 31);
    row("workingset_restore_file", moment.counter(load, 310));
    row("workingset_nodereclaim", 0);
    row("nr_anon_pages", parts.anonymous);
    row("nr_mapped", parts.mapped);
    // Includes buffers, shared memory and the swap cache.
    row("nr_file_pages", parts.cached + parts.buffers + parts.swap_cached);
    row("nr_dirty", parts.dirty);
    zeros(&["nr_writeback", "nr_writeback_temp"], row);
    row("nr_shmem", parts.shared);
    zeros(&["nr_shmem_hugepages", "nr_shmem_pmdmapped", "nr_file_hugepages", "nr_file_pmdmapped"], row);
    row("nr_anon_transparent_hugepages", parts.huge_anonymous / moment.huge_pages());
    zeros(&["nr_vmscan_write", "nr_vmscan_immediate_reclaim"], row);
    let (_, written) = moment.sectors_of_disks();
    let written = written / 2 / moment.page_kilobytes();
    row("nr_dirtied", moment.counter(load, 3_000) + written);
    row("nr_written", written);
    zeros(&["nr_throttled_written", "nr_kernel_misc_reclaimable", "nr_foll_pin_acquired", "nr_foll_pin_released"], row);
    // In kilobytes, unlike the other rows.
    row("nr_kernel_stack", parts.kernel_stack * moment.page_kilobytes());
    row("nr_page_table_pages", parts.page_tables);
    zeros(&["nr_sec_page_table_pages", "nr_iommu_pages"], row);
    row("nr_swapcached", parts.swap_cached);
    zeros(&["pgpromote_success", "pgpromote_candidate"], row);
    zeros(&["pgdemote_kswapd", "pgdemote_direct", "pgdemote_khugepaged"], row);
    row("nr_hugetlb", moment.machine.memory.reserved_pages);
    row("nr_dirty_threshold", parts.available / 5);
    row("nr_dirty_background_threshold", parts.available / 10);
    row("nr_memmap_pages", 0);
    row("nr_memmap_boot_pages", moment.machine.memory.pages / 64);
}

fn events(moment: &Moment<'_>, row: &mut impl FnMut(&str, u64)) {
    let count = |milli| moment.counter(&moment.machine.load, milli);
    let (read, written) = moment.sectors_of_disks();
    let (swapped_in, swapped_out) = moment.swap_pages_moved();
    // In kilobytes.
    row("pgpgin", read / 2);
    row("pgpgout", written / 2);
    row("pswpin", swapped_in);
    row("pswpout", swapped_out);
    row("pgalloc_dma", 1_024);
    row("pgalloc_dma32", count(2_180_000));
    row("pgalloc_normal", count(3_460_000));
    zeros(&["pgalloc_movable", "pgalloc_device"], row);
    zeros(&["allocstall_dma", "allocstall_dma32", "allocstall_normal", "allocstall_movable", "allocstall_device"], row);
    zeros(&["pgskip_dma", "pgskip_dma32", "pgskip_normal", "pgskip_movable", "pgskip_device"], row);
    row("pgfree", count(5_652_000));
    row("pgactivate", count(41_000));
    row("pgdeactivate", count(2_600));
    row("pglazyfree", count(5_200));
    row("pgfault", moment.minor_faults() + moment.major_faults());
    row("pgmajfault", moment.major_faults());
    row("pglazyfreed", 0);
    row("pgrefill", count(2_700));
    row("pgreuse", count(310_000));
    row("pgsteal_kswapd", count(15_400));
    zeros(&["pgsteal_direct", "pgsteal_khugepaged"], row);
    row("pgscan_kswapd", count(15_900));
    zeros(&["pgscan_direct", "pgscan_khugepaged", "pgscan_direct_throttle"], row);
    row("pgscan_anon", 4_212);
    row("pgscan_file", count(15_900));
    row("pgsteal_anon", swapped_out);
    row("pgsteal_file", count(15_400));
    zeros(&["zone_reclaim_success", "zone_reclaim_failed"], row);
    row("pginodesteal", 0);
    row("slabs_scanned", count(8_100));
    row("kswapd_inodesteal", count(190));
    row("kswapd_low_wmark_hit_quickly", count(9));
    row("kswapd_high_wmark_hit_quickly", count(4));
    row("pageoutrun", count(14));
    row("pgrotated", count(130));
    zeros(&["drop_pagecache", "drop_slab"], row);
    row("oom_kill", moment.past.kills);
    zeros(&["numa_pte_updates", "numa_huge_pte_updates", "numa_hint_faults", "numa_hint_faults_local"], row);
    row("numa_pages_migrated", 0);
    row("pgmigrate_success", count(1_700));
    row("pgmigrate_fail", count(2));
    zeros(&["thp_migration_success", "thp_migration_fail", "thp_migration_split"], row);
}

const COMPACTION: [&str; 11] = [
    "compact_migrate_scanned",
    "compact_free_scanned",
    "compact_isolated",
    "compact_stall",
    "compact_fail",
    "compact_success",
    "compact_daemon_wake",
    "compact_daemon_migrate_scanned",
    "compact_daemon_free_scanned",
    "htlb_buddy_alloc_success",
    "htlb_buddy_alloc_fail",
];

fn unevictable(moment: &Moment<'_>, row: &mut impl FnMut(&str, u64)) {
    let locked = moment.memory().unevictable;
    row("unevictable_pgs_culled", locked + 24_118);
    row("unevictable_pgs_scanned", 0);
    row("unevictable_pgs_rescued", 24_118);
    row("unevictable_pgs_mlocked", locked + 24_140);
    row("unevictable_pgs_munlocked", 24_140);
    zeros(&["unevictable_pgs_cleared", "unevictable_pgs_stranded"], row);
}

const HUGE_PAGES: [&str; 24] = [
    "thp_fault_alloc",
    "thp_fault_fallback",
    "thp_fault_fallback_charge",
    "thp_collapse_alloc",
    "thp_collapse_alloc_failed",
    "thp_file_alloc",
    "thp_file_fallback",
    "thp_file_fallback_charge",
    "thp_file_mapped",
    "thp_split_page",
    "thp_split_page_failed",
    "thp_deferred_split_page",
    "thp_split_pmd",
    "thp_scan_exceed_none_pte",
    "thp_scan_exceed_swap_pte",
    "thp_scan_exceed_share_pte",
    "thp_split_pud",
    "thp_zero_page_alloc",
    "thp_zero_page_alloc_failed",
    "thp_swpout",
    "thp_swpout_fallback",
    "balloon_inflate",
    "balloon_deflate",
    "balloon_migrate",
];

const AFTER_SWAP: [&str; 7] = ["swpin_zero", "swpout_zero", "ksm_swpin_copy", "cow_ksm", "zswpin", "zswpout", "zswpwb"];
