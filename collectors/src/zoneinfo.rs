//! Memory zones, from /proc/zoneinfo.

use crate::declare;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;

/// The zoneinfo collector.
#[derive(Debug)]
pub struct Zoneinfo;

declare! {
    Zoneinfo: "zoneinfo", off, "Memory zones: use, watermarks and NUMA allocations.";
    labels {
        PerZone { node, zone }
    }
    reads {
        ZONEINFO: File Proc "zoneinfo";
    }
    /// The exported fields, sorted by name. Other fields of the file are ignored.
    table FIELDS: &'static str => PerZone {
        "high" => Gauge "node_zoneinfo_high_pages" "High watermark in pages: reclaim stops above it.";
        "low" => Gauge "node_zoneinfo_low_pages" "Low watermark in pages: background reclaim starts below it.";
        "managed" => Gauge "node_zoneinfo_managed_pages" "Pages managed by the page allocator.";
        "min" => Gauge "node_zoneinfo_min_pages" "Min watermark in pages: allocations reclaim directly below it.";
        "nr_active_anon" => Gauge "node_zoneinfo_nr_active_anon_pages" "Recently used anonymous pages.";
        "nr_active_file" => Gauge "node_zoneinfo_nr_active_file_pages" "Recently used file pages.";
        "nr_anon_pages" => Gauge "node_zoneinfo_nr_anon_pages" "Mapped anonymous pages.";
        "nr_anon_transparent_hugepages" => Gauge "node_zoneinfo_nr_anon_transparent_hugepages" "Anonymous transparent huge pages.";
        "nr_dirtied" => Counter "node_zoneinfo_nr_dirtied_total" "Pages dirtied since boot.";
        "nr_dirty" => Gauge "node_zoneinfo_nr_dirty_pages" "Pages waiting for writeback.";
        "nr_file_pages" => Gauge "node_zoneinfo_nr_file_pages" "Pages of the page cache.";
        "nr_free_pages" => Gauge "node_zoneinfo_nr_free_pages" "Free pages.";
        "nr_inactive_anon" => Gauge "node_zoneinfo_nr_inactive_anon_pages" "Anonymous pages not used recently.";
        "nr_inactive_file" => Gauge "node_zoneinfo_nr_inactive_file_pages" "File pages not used recently.";
        "nr_isolated_anon" => Gauge "node_zoneinfo_nr_isolated_anon_pages" "Anonymous pages isolated for reclaim or migration.";
        "nr_isolated_file" => Gauge "node_zoneinfo_nr_isolated_file_pages" "File pages isolated for reclaim or migration.";
        "nr_kernel_stack" => Gauge "node_zoneinfo_nr_kernel_stacks" "Kernel stacks; in kilobytes since Linux 4.10.";
        "nr_mapped" => Gauge "node_zoneinfo_nr_mapped_pages" "Mapped file pages.";
        "nr_mlock_stack" => Gauge "node_zoneinfo_nr_mlock_stack_pages" "Pages locked with mlock() and found by reclaim.";
        "nr_shmem" => Gauge "node_zoneinfo_nr_shmem_pages" "Pages of shared memory and tmpfs.";
        "nr_slab_reclaimable" => Gauge "node_zoneinfo_nr_slab_reclaimable_pages" "Reclaimable slab pages.";
        "nr_slab_unreclaimable" => Gauge "node_zoneinfo_nr_slab_unreclaimable_pages" "Unreclaimable slab pages.";
        "nr_unevictable" => Gauge "node_zoneinfo_nr_unevictable_pages" "Pages that cannot be reclaimed.";
        "nr_writeback" => Gauge "node_zoneinfo_nr_writeback_pages" "Pages under writeback.";
        "nr_written" => Counter "node_zoneinfo_nr_written_total" "Pages written since boot.";
        "numa_foreign" => Counter "node_zoneinfo_numa_foreign_total" "Allocations intended for this node but served by another.";
        "numa_hit" => Counter "node_zoneinfo_numa_hit_total" "Allocations served by the intended node.";
        "numa_interleave" => Counter "node_zoneinfo_numa_interleave_total" "Interleaved allocations served by the intended node.";
        "numa_local" => Counter "node_zoneinfo_numa_local_total" "Allocations by processes running on this node.";
        "numa_miss" => Counter "node_zoneinfo_numa_miss_total" "Allocations served by this node but intended for another.";
        "numa_other" => Counter "node_zoneinfo_numa_other_total" "Allocations by processes running on another node.";
        "present" => Gauge "node_zoneinfo_present_pages" "Physical pages of the zone.";
        "scanned" => Gauge "node_zoneinfo_scanned_pages" "Pages scanned since the last reclaimed one.";
        "spanned" => Gauge "node_zoneinfo_spanned_pages" "Pages spanned by the zone, including holes.";
    }
    prefixes {
        PROTECTION: Gauge "node_zoneinfo_protection_" PerZone "Pages of this zone that allocations for zone number {} may not take.";
    }
}

impl Collect for Zoneinfo {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(ZONEINFO, [])?;
        let mut has_zones = false;
        let mut zone = None;
        let mut values = [None; FIELDS.len()];
        for line in text.lines() {
            match parse(line) {
                ParsedLine::Zone(next) => {
                    has_zones = true;
                    emit(&mut cx.page, zone, &mut values);
                    zone = cx.problems.value(next);
                }
                ParsedLine::Value(at, value) => {
                    if let (Some(place), Some(value)) = (values.get_mut(at), cx.problems.value(value)) {
                        *place = Some(value);
                    }
                }
                ParsedLine::Protection(pages) => {
                    let Some([node, name]) = zone else { continue };
                    for (at, found) in pages.split(|&byte| byte == b',').enumerate() {
                        if let Some(pages) = cx.problems.value(line.number::<u64>("protection", found.trim_ascii())) {
                            let mut digits = itoa::Buffer::new();
                            cx.page.named(
                                PROTECTION,
                                &[digits.format(at).as_bytes()],
                                PerZone { node: &node, zone: &name },
                                pages,
                            );
                        }
                    }
                }
                ParsedLine::Nothing => {}
            }
        }
        emit(&mut cx.page, zone, &mut values);
        if !has_zones {
            return Err(text.error("Node", "at least one zone", b"").into());
        }
        Ok(())
    }
}

/// Emits and clears the values of a zone.
fn emit(page: &mut PageOf<'_, Zoneinfo>, zone: Option<[&[u8]; 2]>, values: &mut [Option<u64>; FIELDS.len()]) {
    for ((_, family), value) in FIELDS.into_iter().zip(values) {
        let (Some(value), Some([node, zone])) = (value.take(), zone) else { continue };
        page.tabled(family, PerZone { node: &node, zone: &zone }, value);
    }
}

/// The content of a line.
enum ParsedLine<'a> {
    /// The start of a zone: node and name.
    Zone(Result<[&'a [u8]; 2], ParseError<'a>>),
    /// The index in [`FIELDS`] and value of a field.
    Value(usize, Result<u64, ParseError<'a>>),
    /// The numbers in parentheses.
    Protection(&'a [u8]),
    Nothing,
}

fn parse(line: Line<'_>) -> ParsedLine<'_> {
    let mut fields = line.fields();
    let Some(name) = fields.next() else { return ParsedLine::Nothing };
    match name {
        b"Node" => ParsedLine::Zone(zone_of(line)),
        b"protection:" => {
            let pages = fields.rest();
            let inner = pages.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
            ParsedLine::Protection(inner.unwrap_or(pages))
        }
        _ => match (index_of(name), fields.next()) {
            (Some(at), Some(found)) => ParsedLine::Value(at, line.number(name, found)),
            // `per-node stats` and similar lines have no number.
            _ => ParsedLine::Nothing,
        },
    }
}

/// Parses `Node 0, zone   Normal`.
fn zone_of(line: Line<'_>) -> Result<[&[u8]; 2], ParseError<'_>> {
    let mut fields = line.fields().skip(1);
    let node = fields.next().and_then(|node| node.strip_suffix(b","));
    let zone = fields.nth(1);
    match (node, zone) {
        (Some(node), Some(zone)) if node.iter().all(u8::is_ascii_digit) && !node.is_empty() => Ok([node, zone]),
        _ => Err(line.error("Node", "`Node 0, zone NAME`", line.bytes)),
    }
}

fn index_of(name: &[u8]) -> Option<usize> {
    FIELDS.binary_search_by(|(field, _)| field.as_bytes().cmp(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const ZONE: &str = "== proc/zoneinfo\nNode 0, zone      DMA\n  per-node stats\n";

    #[test]
    fn the_table_is_sorted_and_named_after_the_fields() {
        assert!(FIELDS.is_sorted_by(|(a, _), (b, _)| a < b));
        for (field, family) in FIELDS {
            let name = family.info().name;
            assert!(name.starts_with(&format!("node_zoneinfo_{field}")), "{field} is {name}");
        }
    }

    #[test]
    fn each_zone_has_its_fields() {
        given(&format!(
            "{ZONE}      nr_dirtied   1189097\n  pages free     2949\n        min      8\n        protection: (0, 2039)\n\
            \x20     nr_free_pages 2949\n  pagesets\n    cpu: 0\n              high:  378\nNode 1, zone   Normal\n\
            \x20 pages free     7\n        min      0\n        protection: (0)\n      nr_kernel_stack 12\n  start_pfn: 1\n"
        ))
        .emits::<Zoneinfo>(
            "node_zoneinfo_min_pages{node=\"0\",zone=\"DMA\"} 8\nnode_zoneinfo_min_pages{node=\"1\",zone=\"Normal\"} 0\n\
            node_zoneinfo_nr_dirtied_total{node=\"0\",zone=\"DMA\"} 1.189097e+06\n\
            node_zoneinfo_nr_free_pages{node=\"0\",zone=\"DMA\"} 2949\n\
            node_zoneinfo_nr_kernel_stacks{node=\"1\",zone=\"Normal\"} 12\n\
            node_zoneinfo_protection_0{node=\"0\",zone=\"DMA\"} 0\n\
            node_zoneinfo_protection_0{node=\"1\",zone=\"Normal\"} 0\n\
            node_zoneinfo_protection_1{node=\"0\",zone=\"DMA\"} 2039\n",
        );
    }

    #[test]
    fn the_last_of_duplicate_lines_is_used() {
        given(&format!("{ZONE}high 1\nhigh 2\n"))
            .emits::<Zoneinfo>("node_zoneinfo_high_pages{node=\"0\",zone=\"DMA\"} 2\n");
    }

    #[test]
    fn a_bad_line_costs_only_its_own_samples() {
        let good = "node_zoneinfo_high_pages{node=\"0\",zone=\"DMA\"} 2\n";
        for (bad, complaint) in [
            ("min x", "proc/zoneinfo:4: min: expected an unsigned integer"),
            ("min 18446744073709551616", "min: expected an unsigned integer"),
            ("min -1", "min: expected an unsigned integer"),
            ("protection: (x)", "protection: expected an unsigned integer"),
            ("protection:", "protection: expected an unsigned integer, found nothing"),
            ("Node x, zone DMA\nmin 1", "Node: expected `Node 0, zone NAME`, found \"Node x, zone DMA\""),
            ("Node 0\nmin 1\nprotection: (1)", "found \"Node 0\""),
        ] {
            given(&format!("{ZONE}high 2\n{bad}\n")).fails::<Zoneinfo>(good, complaint);
        }
        given("").fails::<Zoneinfo>("", "proc/zoneinfo: no such file");
        given("== proc/zoneinfo\nmin 1\n")
            .fails::<Zoneinfo>("", "proc/zoneinfo: Node: expected at least one zone, found nothing");
    }

    proptest! {
        #[test]
        fn values_round_trip(value: u64, at in 0..FIELDS.len()) {
            let line = format!("      {:<12} {value}", FIELDS[at].0);
            let text = Text::new(Mount::Proc, b"zoneinfo", line.as_bytes());
            match parse(text.lines().next().expect("a line")) {
                ParsedLine::Value(found, parsed) => prop_assert_eq!((found, parsed.ok()), (at, Some(value))),
                _ => prop_assert!(false, "no value in {}", line),
            }
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"zoneinfo", &bytes).lines() {
                let _ = parse(line);
            }
        }
    }
}
