//! Zones of memory from /proc/zoneinfo.

use crate::declare;
use crate::kit::family::{Counter, Family, Gauge};
use crate::kit::page::PageOf;
use crate::kit::prelude::*;

/// How the memory of each zone is used.
#[derive(Debug)]
pub struct Zoneinfo;

declare! {
    Zoneinfo: "zoneinfo", off, "How the memory of each zone is used, and when it is reclaimed.";
    reads {
        ZONEINFO: File Proc "zoneinfo";
    }
    families {
        HIGH_PAGES: Gauge "node_zoneinfo_high_pages" ["node", "zone"] "Free pages above which reclaim rests.";
        LOW_PAGES: Gauge "node_zoneinfo_low_pages" ["node", "zone"] "Free pages below which reclaim begins.";
        MANAGED_PAGES: Gauge "node_zoneinfo_managed_pages" ["node", "zone"] "Pages of the zone that are there to be allocated.";
        MIN_PAGES: Gauge "node_zoneinfo_min_pages" ["node", "zone"] "Free pages below which only the kernel itself gets some.";
        NR_ACTIVE_ANON_PAGES: Gauge "node_zoneinfo_nr_active_anon_pages" ["node", "zone"] "Anonymous pages that were used lately.";
        NR_ACTIVE_FILE_PAGES: Gauge "node_zoneinfo_nr_active_file_pages" ["node", "zone"] "Pages of files that were used lately.";
        NR_ANON_PAGES: Gauge "node_zoneinfo_nr_anon_pages" ["node", "zone"] "Anonymous pages that are mapped.";
        NR_ANON_TRANSPARENT_HUGEPAGES: Gauge "node_zoneinfo_nr_anon_transparent_hugepages" ["node", "zone"] "Transparent huge pages of anonymous memory.";
        NR_DIRTIED: Counter "node_zoneinfo_nr_dirtied_total" ["node", "zone"] "Pages that became dirty since boot.";
        NR_DIRTY_PAGES: Gauge "node_zoneinfo_nr_dirty_pages" ["node", "zone"] "Pages that wait to be written to a device.";
        NR_FILE_PAGES: Gauge "node_zoneinfo_nr_file_pages" ["node", "zone"] "Pages of the page cache.";
        NR_FREE_PAGES: Gauge "node_zoneinfo_nr_free_pages" ["node", "zone"] "Free pages of the zone.";
        NR_INACTIVE_ANON_PAGES: Gauge "node_zoneinfo_nr_inactive_anon_pages" ["node", "zone"] "Anonymous pages that were not used lately.";
        NR_INACTIVE_FILE_PAGES: Gauge "node_zoneinfo_nr_inactive_file_pages" ["node", "zone"] "Pages of files that were not used lately.";
        NR_ISOLATED_ANON_PAGES: Gauge "node_zoneinfo_nr_isolated_anon_pages" ["node", "zone"] "Anonymous pages that are being reclaimed or moved.";
        NR_ISOLATED_FILE_PAGES: Gauge "node_zoneinfo_nr_isolated_file_pages" ["node", "zone"] "Pages of files that are being reclaimed or moved.";
        NR_KERNEL_STACKS: Gauge "node_zoneinfo_nr_kernel_stacks" ["node", "zone"] "Kernel stacks, in kilobytes since 4.10.";
        NR_MAPPED_PAGES: Gauge "node_zoneinfo_nr_mapped_pages" ["node", "zone"] "Pages of files that are mapped.";
        NR_MLOCK_STACK_PAGES: Gauge "node_zoneinfo_nr_mlock_stack_pages" ["node", "zone"] "Locked pages that reclaim found and set aside.";
        NR_SHMEM_PAGES: Gauge "node_zoneinfo_nr_shmem_pages" ["node", "zone"] "Pages of shared memory and tmpfs.";
        NR_SLAB_RECLAIMABLE_PAGES: Gauge "node_zoneinfo_nr_slab_reclaimable_pages" ["node", "zone"] "Pages of kernel objects that can be reclaimed.";
        NR_SLAB_UNRECLAIMABLE_PAGES: Gauge "node_zoneinfo_nr_slab_unreclaimable_pages" ["node", "zone"] "Pages of kernel objects that cannot be reclaimed.";
        NR_UNEVICTABLE_PAGES: Gauge "node_zoneinfo_nr_unevictable_pages" ["node", "zone"] "Pages that cannot be reclaimed.";
        NR_WRITEBACK_PAGES: Gauge "node_zoneinfo_nr_writeback_pages" ["node", "zone"] "Pages that are being written to a device.";
        NR_WRITTEN: Counter "node_zoneinfo_nr_written_total" ["node", "zone"] "Pages that were written since boot.";
        NUMA_FOREIGN: Counter "node_zoneinfo_numa_foreign_total" ["node", "zone"] "Allocations that wanted this node and got another one.";
        NUMA_HIT: Counter "node_zoneinfo_numa_hit_total" ["node", "zone"] "Allocations that got memory of the node that they wanted.";
        NUMA_INTERLEAVE: Counter "node_zoneinfo_numa_interleave_total" ["node", "zone"] "Interleaved allocations that got the node that was next.";
        NUMA_LOCAL: Counter "node_zoneinfo_numa_local_total" ["node", "zone"] "Allocations by CPUs of this node.";
        NUMA_MISS: Counter "node_zoneinfo_numa_miss_total" ["node", "zone"] "Allocations that wanted another node and got this one.";
        NUMA_OTHER: Counter "node_zoneinfo_numa_other_total" ["node", "zone"] "Allocations by CPUs of other nodes.";
        PRESENT_PAGES: Gauge "node_zoneinfo_present_pages" ["node", "zone"] "Pages of the zone that exist.";
        SCANNED_PAGES: Gauge "node_zoneinfo_scanned_pages" ["node", "zone"] "Pages that reclaim has looked at since it last found one.";
        SPANNED_PAGES: Gauge "node_zoneinfo_spanned_pages" ["node", "zone"] "Pages from the first of the zone to its last, with the holes between.";
    }
    prefixes {
        PROTECTION: Gauge "node_zoneinfo_protection_" ["node", "zone"] "Pages that are kept from allocations that could use zone {} as well.";
    }
}

/// What a field becomes.
enum Shown {
    Counter(Family<Zoneinfo, Counter, crate::kit::family::Unnamed<2>>),
    Gauge(Family<Zoneinfo, Gauge, crate::kit::family::Unnamed<2>>),
}

/// The fields that are passed on, sorted by name. What the kernel has beside them is left out.
const FIELDS: [(&str, Shown); 34] = [
    ("high", Shown::Gauge(HIGH_PAGES)),
    ("low", Shown::Gauge(LOW_PAGES)),
    ("managed", Shown::Gauge(MANAGED_PAGES)),
    ("min", Shown::Gauge(MIN_PAGES)),
    ("nr_active_anon", Shown::Gauge(NR_ACTIVE_ANON_PAGES)),
    ("nr_active_file", Shown::Gauge(NR_ACTIVE_FILE_PAGES)),
    ("nr_anon_pages", Shown::Gauge(NR_ANON_PAGES)),
    ("nr_anon_transparent_hugepages", Shown::Gauge(NR_ANON_TRANSPARENT_HUGEPAGES)),
    ("nr_dirtied", Shown::Counter(NR_DIRTIED)),
    ("nr_dirty", Shown::Gauge(NR_DIRTY_PAGES)),
    ("nr_file_pages", Shown::Gauge(NR_FILE_PAGES)),
    ("nr_free_pages", Shown::Gauge(NR_FREE_PAGES)),
    ("nr_inactive_anon", Shown::Gauge(NR_INACTIVE_ANON_PAGES)),
    ("nr_inactive_file", Shown::Gauge(NR_INACTIVE_FILE_PAGES)),
    ("nr_isolated_anon", Shown::Gauge(NR_ISOLATED_ANON_PAGES)),
    ("nr_isolated_file", Shown::Gauge(NR_ISOLATED_FILE_PAGES)),
    ("nr_kernel_stack", Shown::Gauge(NR_KERNEL_STACKS)),
    ("nr_mapped", Shown::Gauge(NR_MAPPED_PAGES)),
    ("nr_mlock_stack", Shown::Gauge(NR_MLOCK_STACK_PAGES)),
    ("nr_shmem", Shown::Gauge(NR_SHMEM_PAGES)),
    ("nr_slab_reclaimable", Shown::Gauge(NR_SLAB_RECLAIMABLE_PAGES)),
    ("nr_slab_unreclaimable", Shown::Gauge(NR_SLAB_UNRECLAIMABLE_PAGES)),
    ("nr_unevictable", Shown::Gauge(NR_UNEVICTABLE_PAGES)),
    ("nr_writeback", Shown::Gauge(NR_WRITEBACK_PAGES)),
    ("nr_written", Shown::Counter(NR_WRITTEN)),
    ("numa_foreign", Shown::Counter(NUMA_FOREIGN)),
    ("numa_hit", Shown::Counter(NUMA_HIT)),
    ("numa_interleave", Shown::Counter(NUMA_INTERLEAVE)),
    ("numa_local", Shown::Counter(NUMA_LOCAL)),
    ("numa_miss", Shown::Counter(NUMA_MISS)),
    ("numa_other", Shown::Counter(NUMA_OTHER)),
    ("present", Shown::Gauge(PRESENT_PAGES)),
    ("scanned", Shown::Gauge(SCANNED_PAGES)),
    ("spanned", Shown::Gauge(SPANNED_PAGES)),
];

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
                Found::Zone(next) => {
                    has_zones = true;
                    emit(&mut cx.page, zone, &mut values);
                    zone = cx.problems.value(next);
                }
                Found::Value(at, value) => {
                    if let (Some(place), Some(value)) = (values.get_mut(at), cx.problems.value(value)) {
                        *place = Some(value);
                    }
                }
                Found::Protection(pages) => {
                    let Some([node, name]) = zone else { continue };
                    for (at, found) in pages.split(|&byte| byte == b',').enumerate() {
                        if let Some(pages) = cx.problems.value(line.number::<u64>("protection", found.trim_ascii())) {
                            let mut digits = itoa::Buffer::new();
                            cx.page.named(PROTECTION, &[digits.format(at).as_bytes()], [&node, &name], pages);
                        }
                    }
                }
                Found::Nothing => {}
            }
        }
        emit(&mut cx.page, zone, &mut values);
        if !has_zones {
            return Err(text.error("Node", "a zone", b"").into());
        }
        Ok(())
    }
}

/// Shows what was found of a zone, and forgets it.
fn emit(page: &mut PageOf<'_, Zoneinfo>, zone: Option<[&[u8]; 2]>, values: &mut [Option<u64>; FIELDS.len()]) {
    for ((_, shown), value) in FIELDS.iter().zip(values) {
        let (Some(value), Some([node, zone])) = (value.take(), zone) else { continue };
        match *shown {
            Shown::Counter(family) => page.counter(family, [&node, &zone], value),
            Shown::Gauge(family) => page.gauge(family, [&node, &zone], value),
        }
    }
}

/// What a line tells.
enum Found<'a> {
    /// A zone begins: its node and its name.
    Zone(Result<[&'a [u8]; 2], ParseError<'a>>),
    /// The value of the field at this place of [`FIELDS`].
    Value(usize, Result<u64, ParseError<'a>>),
    /// The numbers between the brackets.
    Protection(&'a [u8]),
    Nothing,
}

fn parse(line: Line<'_>) -> Found<'_> {
    let mut fields = line.fields();
    let Some(name) = fields.next() else { return Found::Nothing };
    match name {
        b"Node" => Found::Zone(zone_of(line)),
        b"protection:" => {
            let pages = fields.rest();
            let inner = pages.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
            Found::Protection(inner.unwrap_or(pages))
        }
        _ => match (place_of(name), fields.next()) {
            (Some(at), Some(found)) => Found::Value(at, line.number(name, found)),
            // `per-node stats` and the like have no number; neither has a field that lost its own.
            _ => Found::Nothing,
        },
    }
}

/// `Node 0, zone   Normal`
fn zone_of(line: Line<'_>) -> Result<[&[u8]; 2], ParseError<'_>> {
    let mut fields = line.fields().skip(1);
    let node = fields.next().and_then(|node| node.strip_suffix(b","));
    let zone = fields.nth(1);
    match (node, zone) {
        (Some(node), Some(zone)) if node.iter().all(u8::is_ascii_digit) && !node.is_empty() => Ok([node, zone]),
        _ => Err(line.error("Node", "`Node 0, zone NAME`", line.bytes)),
    }
}

fn place_of(name: &[u8]) -> Option<usize> {
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
        for (field, shown) in &FIELDS {
            let name = match shown {
                Shown::Counter(family) => family.info().name,
                Shown::Gauge(family) => family.info().name,
            };
            assert!(name.starts_with(&format!("node_zoneinfo_{field}")), "{field} is {name}");
        }
    }

    #[test]
    fn each_zone_has_its_own_fields() {
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
    fn of_two_lines_of_one_field_the_last_counts() {
        given(&format!("{ZONE}high 1\nhigh 2\n"))
            .emits::<Zoneinfo>("node_zoneinfo_high_pages{node=\"0\",zone=\"DMA\"} 2\n");
    }

    #[test]
    fn a_bad_line_costs_itself_alone() {
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
        given("== proc/zoneinfo\nmin 1\n").fails::<Zoneinfo>("", "proc/zoneinfo: Node: expected a zone, found nothing");
    }

    proptest! {
        #[test]
        fn values_come_back(value: u64, at in 0..FIELDS.len()) {
            let line = format!("      {:<12} {value}", FIELDS[at].0);
            let text = Text::new(Mount::Proc, b"zoneinfo", line.as_bytes());
            match parse(text.lines().next().expect("a line")) {
                Found::Value(found, parsed) => prop_assert_eq!((found, parsed.ok()), (at, Some(value))),
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
