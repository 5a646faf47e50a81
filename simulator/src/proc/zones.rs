//! /proc/zoneinfo and buddyinfo

use crate::layout::{Content, Group, Table};
use crate::machine::{KernelVersion, Machine, NumaNode};
use crate::moment::Moment;
use crate::moment::zones::Zone;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table =
    &[&Group::of_host("", &[("buddyinfo", Content::File(buddyinfo)), ("zoneinfo", Content::File(zoneinfo))])];

fn buddyinfo(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    for zone in moment.zones() {
        put!(into, "Node {}, zone {:>8} ", zone.node, zone.name);
        for blocks in moment.free_blocks(&zone) {
            put!(into, "{blocks:>6} ");
        }
        put_line!(into, "");
    }
}

fn zoneinfo(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let zones = moment.zones();
    let mut node = None;
    for zone in &zones {
        put_line!(into, "Node {}, zone {:>8}", zone.node, zone.name);
        if node != Some(zone.node) {
            node = Some(zone.node);
            of_node(moment, zone.node, into);
        }
        of_zone(moment, &zones, zone, into);
    }
}

fn of_node(moment: &Moment<'_>, node: NumaNode, into: &mut Vec<u8>) {
    let parts = moment.memory_of_node(node);
    let (_, written) = moment.sectors_of_disks();
    let written = moment.part_of_node(written / 2 / moment.page_kilobytes(), node);
    let rows = [
        ("nr_inactive_anon", parts.inactive_anonymous),
        ("nr_active_anon", parts.active_anonymous),
        ("nr_inactive_file", parts.inactive_file),
        ("nr_active_file", parts.active_file),
        ("nr_unevictable", parts.unevictable),
        ("nr_slab_reclaimable", parts.slab_reclaimable),
        ("nr_slab_unreclaimable", parts.slab_unreclaimable),
        ("nr_isolated_anon", 0),
        ("nr_isolated_file", 0),
        ("workingset_nodes", parts.cached / 36),
        ("workingset_refault_anon", 0),
        ("workingset_refault_file", 0),
        ("nr_anon_pages", parts.anonymous),
        ("nr_mapped", parts.mapped),
        ("nr_file_pages", parts.cached + parts.buffers + parts.swap_cached),
        ("nr_dirty", parts.dirty),
        ("nr_writeback", 0),
        ("nr_writeback_temp", 0),
        ("nr_shmem", parts.shared),
        ("nr_shmem_hugepages", 0),
        ("nr_shmem_pmdmapped", 0),
        ("nr_anon_transparent_hugepages", parts.huge_anonymous / moment.huge_pages()),
        ("nr_vmscan_write", 0),
        ("nr_vmscan_immediate_reclaim", 0),
        ("nr_dirtied", written + written / 16),
        ("nr_written", written),
        ("nr_kernel_misc_reclaimable", 0),
        ("nr_kernel_stack", parts.kernel_stack * moment.page_kilobytes()),
    ];
    put_line!(into, "  per-node stats");
    for (name, value) in rows {
        put_line!(into, "      {name:<12} {value}");
    }
}

fn of_zone(moment: &Moment<'_>, zones: &[Zone], zone: &Zone, into: &mut Vec<u8>) {
    let free = moment.free_of_zone(zone);
    let [least, low, high] = moment.watermarks(zone);
    put_line!(into, "  pages free     {free}");
    if moment.kernel() >= KernelVersion::new(5, 14) {
        put_line!(into, "        boost    0");
    }
    let spanned = zone.managed + zone.managed / 80 + 64;
    put_line!(into, "        min      {least}\n        low      {low}\n        high     {high}");
    put_line!(into, "        spanned  {spanned}\n        present  {}", zone.managed + zone.managed / 160);
    put_line!(into, "        managed  {}", zone.managed);
    if moment.kernel() >= KernelVersion::new(5, 14) {
        put_line!(into, "        cma      0");
    }
    // Pages reserved against allocations that the later zones could satisfy.
    let of_node = || zones.iter().filter(|other| other.node == zone.node);
    let place = of_node().position(|other| other == zone).unwrap_or_default();
    let after = |last: usize| of_node().skip(place + 1).take(last.saturating_sub(place)).map(|other| other.managed);
    let protection: Vec<String> =
        (0..of_node().count()).map(|last| (after(last).sum::<u64>() / 256).to_string()).collect();
    put_line!(into, "        protection: ({})", protection.join(", "));
    let parts = moment.memory_of_node(zone.node);
    let [hits, away] = moment.allocations_of_node(zone.node).map(|count| zone.part(count));
    let rows = [
        ("nr_free_pages", free),
        ("nr_zone_inactive_anon", zone.part(parts.inactive_anonymous)),
        ("nr_zone_active_anon", zone.part(parts.active_anonymous)),
        ("nr_zone_inactive_file", zone.part(parts.inactive_file)),
        ("nr_zone_active_file", zone.part(parts.active_file)),
        ("nr_zone_unevictable", zone.part(parts.unevictable)),
        ("nr_zone_write_pending", zone.part(parts.dirty)),
        ("nr_mlock", zone.part(parts.unevictable)),
        ("nr_bounce", 0),
        ("nr_zspages", 0),
        ("nr_free_cma", 0),
        ("numa_hit", hits),
        ("numa_miss", away),
        ("numa_foreign", away),
        ("numa_interleave", 0),
        ("numa_local", hits.saturating_sub(away)),
        ("numa_other", 2 * away),
    ];
    for (name, value) in rows {
        put_line!(into, "      {name:<12} {value}");
    }
    put_line!(into, "  pagesets");
    for cpu in moment.machine.processor.online() {
        put_line!(into, "    cpu: {cpu}\n              count: {}", moment.scaled(310) / 4);
        put_line!(into, "              high:  {}\n              batch: 63", moment.scaled(1_488) / 4);
        put_line!(into, "  vm stats threshold: 60");
    }
    put_line!(
        into,
        "  node_unreclaimable:  0\n  start_pfn:           {}",
        if zone.name == "DMA" { 1 } else { 1 << 20 }
    );
}
