//! Memory use, from /proc/meminfo.

use crate::declare;
use crate::kit::prelude::*;

/// The meminfo collector.
#[derive(Debug)]
pub struct Meminfo;

declare! {
    Meminfo: "meminfo", on, "Memory use from /proc/meminfo.";
    reads {
        MEMINFO: File Proc "meminfo";
    }
    /// The exported fields, sorted by name. Other fields of the file are ignored.
    table FIELDS: (&'static str, Unit) => () {
        ("Active", Unit::Kilobytes) => Gauge "node_memory_Active_bytes" "Recently used memory in bytes, reclaimed last.";
        ("Active(anon)", Unit::Kilobytes) => Gauge "node_memory_Active_anon_bytes" "Recently used anonymous memory in bytes.";
        ("Active(file)", Unit::Kilobytes) => Gauge "node_memory_Active_file_bytes" "Recently used page cache in bytes.";
        ("AnonHugePages", Unit::Kilobytes) => Gauge "node_memory_AnonHugePages_bytes" "Anonymous memory in transparent huge pages, in bytes.";
        ("AnonPages", Unit::Kilobytes) => Gauge "node_memory_AnonPages_bytes" "Anonymous memory mapped into page tables, in bytes.";
        ("Bounce", Unit::Kilobytes) => Gauge "node_memory_Bounce_bytes" "Bounce buffers of block devices in bytes.";
        ("Buffers", Unit::Kilobytes) => Gauge "node_memory_Buffers_bytes" "Page cache of raw block devices in bytes.";
        ("Cached", Unit::Kilobytes) => Gauge "node_memory_Cached_bytes" "Page cache of files, including shared memory, in bytes.";
        ("CmaFree", Unit::Kilobytes) => Gauge "node_memory_CmaFree_bytes" "Free memory of the contiguous memory allocator in bytes.";
        ("CmaTotal", Unit::Kilobytes) => Gauge "node_memory_CmaTotal_bytes" "Memory reserved for the contiguous memory allocator in bytes.";
        ("CommitLimit", Unit::Kilobytes) => Gauge "node_memory_CommitLimit_bytes" "Memory available for allocation under strict overcommit, in bytes.";
        ("Committed_AS", Unit::Kilobytes) => Gauge "node_memory_Committed_AS_bytes" "Memory committed to processes in bytes.";
        ("DirectMap1G", Unit::Kilobytes) => Gauge "node_memory_DirectMap1G_bytes" "Kernel memory mapped with 1 GiB pages, in bytes.";
        ("DirectMap2M", Unit::Kilobytes) => Gauge "node_memory_DirectMap2M_bytes" "Kernel memory mapped with 2 MiB pages, in bytes.";
        ("DirectMap4k", Unit::Kilobytes) => Gauge "node_memory_DirectMap4k_bytes" "Kernel memory mapped with 4 KiB pages, in bytes.";
        ("Dirty", Unit::Kilobytes) => Gauge "node_memory_Dirty_bytes" "Memory waiting for writeback in bytes.";
        ("HardwareCorrupted", Unit::Kilobytes) => Gauge "node_memory_HardwareCorrupted_bytes" "Memory that failed in hardware, in bytes.";
        ("HugePages_Free", Unit::Pages) => Gauge "node_memory_HugePages_Free" "Free huge pages in the pool.";
        ("HugePages_Rsvd", Unit::Pages) => Gauge "node_memory_HugePages_Rsvd" "Free huge pages already reserved by processes.";
        ("HugePages_Surp", Unit::Pages) => Gauge "node_memory_HugePages_Surp" "Huge pages beyond the configured pool size.";
        ("HugePages_Total", Unit::Pages) => Gauge "node_memory_HugePages_Total" "Size of the huge page pool in pages.";
        ("Hugepagesize", Unit::Kilobytes) => Gauge "node_memory_Hugepagesize_bytes" "Default huge page size in bytes.";
        ("Inactive", Unit::Kilobytes) => Gauge "node_memory_Inactive_bytes" "Memory not used recently in bytes, reclaimed first.";
        ("Inactive(anon)", Unit::Kilobytes) => Gauge "node_memory_Inactive_anon_bytes" "Anonymous memory not used recently, in bytes.";
        ("Inactive(file)", Unit::Kilobytes) => Gauge "node_memory_Inactive_file_bytes" "Page cache not used recently, in bytes.";
        ("KernelStack", Unit::Kilobytes) => Gauge "node_memory_KernelStack_bytes" "Kernel stacks of all tasks in bytes.";
        ("Mapped", Unit::Kilobytes) => Gauge "node_memory_Mapped_bytes" "Files mapped into processes, in bytes.";
        ("MemAvailable", Unit::Kilobytes) => Gauge "node_memory_MemAvailable_bytes" "Estimated memory available to new programs without swapping, in bytes.";
        ("MemFree", Unit::Kilobytes) => Gauge "node_memory_MemFree_bytes" "Unused memory in bytes.";
        ("MemTotal", Unit::Kilobytes) => Gauge "node_memory_MemTotal_bytes" "Usable memory in bytes.";
        ("Mlocked", Unit::Kilobytes) => Gauge "node_memory_Mlocked_bytes" "Memory locked with mlock(), in bytes.";
        ("NFS_Unstable", Unit::Kilobytes) => Gauge "node_memory_NFS_Unstable_bytes" "Pages sent to NFS servers and not yet committed, in bytes.";
        ("PageTables", Unit::Kilobytes) => Gauge "node_memory_PageTables_bytes" "Page tables of processes in bytes.";
        ("Percpu", Unit::Kilobytes) => Gauge "node_memory_Percpu_bytes" "Memory of the per-CPU allocator in bytes.";
        ("SReclaimable", Unit::Kilobytes) => Gauge "node_memory_SReclaimable_bytes" "Reclaimable slab memory in bytes.";
        ("SUnreclaim", Unit::Kilobytes) => Gauge "node_memory_SUnreclaim_bytes" "Unreclaimable slab memory in bytes.";
        ("Shmem", Unit::Kilobytes) => Gauge "node_memory_Shmem_bytes" "Shared memory and tmpfs in bytes.";
        ("ShmemHugePages", Unit::Kilobytes) => Gauge "node_memory_ShmemHugePages_bytes" "Shared memory and tmpfs in huge pages, in bytes.";
        ("ShmemPmdMapped", Unit::Kilobytes) => Gauge "node_memory_ShmemPmdMapped_bytes" "Shared memory mapped with huge pages, in bytes.";
        ("Slab", Unit::Kilobytes) => Gauge "node_memory_Slab_bytes" "Slab memory in bytes.";
        ("SwapCached", Unit::Kilobytes) => Gauge "node_memory_SwapCached_bytes" "Memory that is also in swap, in bytes.";
        ("SwapFree", Unit::Kilobytes) => Gauge "node_memory_SwapFree_bytes" "Unused swap in bytes.";
        ("SwapTotal", Unit::Kilobytes) => Gauge "node_memory_SwapTotal_bytes" "Swap space in bytes.";
        ("Unevictable", Unit::Kilobytes) => Gauge "node_memory_Unevictable_bytes" "Memory that cannot be reclaimed, in bytes.";
        ("VmallocChunk", Unit::Kilobytes) => Gauge "node_memory_VmallocChunk_bytes" "Largest free block of the vmalloc area in bytes.";
        ("VmallocTotal", Unit::Kilobytes) => Gauge "node_memory_VmallocTotal_bytes" "Size of the vmalloc area in bytes.";
        ("VmallocUsed", Unit::Kilobytes) => Gauge "node_memory_VmallocUsed_bytes" "Used part of the vmalloc area in bytes.";
        ("Writeback", Unit::Kilobytes) => Gauge "node_memory_Writeback_bytes" "Memory under writeback in bytes.";
        ("WritebackTmp", Unit::Kilobytes) => Gauge "node_memory_WritebackTmp_bytes" "Temporary writeback buffers of FUSE in bytes.";
        ("Zswap", Unit::Kilobytes) => Gauge "node_memory_Zswap_bytes" "Compressed size of the zswap pool in bytes.";
        ("Zswapped", Unit::Kilobytes) => Gauge "node_memory_Zswapped_bytes" "Original size of the pages in zswap, in bytes.";
    }
}

/// Unit of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    /// A size, in `kB` or without a unit in bytes.
    Kilobytes,
    /// A count of pages, whose unit is not checked.
    Pages,
}

impl Collect for Meminfo {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(MEMINFO, [])?;
        let mut values = [None; FIELDS.len()];
        for line in text.lines() {
            let Some((at, value)) = parse(line) else { continue };
            if let (Some(place), Some(value)) = (values.get_mut(at), cx.problems.value(value)) {
                *place = Some(value);
            }
        }
        if values.iter().all(Option::is_none) {
            return Err(text.error("MemTotal", "a line of that name", b"").into());
        }
        for ((_, family), value) in FIELDS.into_iter().zip(values) {
            if let Some(value) = value {
                cx.page.tabled(family, (), value);
            }
        }
        Ok(())
    }
}

/// The index in [`FIELDS`] and the value of a line; `None` for other fields.
fn parse(line: Line<'_>) -> Option<(usize, Result<u64, ParseError<'_>>)> {
    let (name, rest) = line.split_at(b':')?;
    let at = FIELDS.binary_search_by(|((field, _), _)| field.as_bytes().cmp(name)).ok()?;
    Some((at, value_of(line, FIELDS[at].0, rest)))
}

fn value_of<'a>(line: Line<'a>, (name, unit): (&'static str, Unit), rest: &'a [u8]) -> Result<u64, ParseError<'a>> {
    let mut fields = line.fields_of(rest);
    let value: u64 = fields.number(name)?;
    let factor = match fields.rest() {
        b"" => 1,
        b"kB" => 1024,
        unit => return Err(line.error(name, "unit kB or none", unit)),
    };
    if unit == Unit::Pages {
        return Ok(value);
    }
    value.checked_mul(factor).ok_or_else(|| line.error(name, "fewer than 2^64 bytes", rest))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use procfs_core::FromBufRead;
    use proptest::prelude::*;

    /// Scrapes a file of one line: its samples, or the error.
    #[track_caller]
    fn check(line: &str, expected: Result<&str, &str>) {
        let host = given(&format!("== proc/meminfo\n{line}\n"));
        match expected {
            Ok(samples) => host.emits::<Meminfo>(samples),
            Err(complaint) => host.fails::<Meminfo>("", complaint),
        }
    }

    #[test]
    fn the_table_is_sorted_and_named_after_the_fields() {
        assert!(FIELDS.is_sorted_by(|a, b| a.0.0 < b.0.0));
        for ((name, unit), family) in FIELDS {
            let unit = if unit == Unit::Kilobytes { "_bytes" } else { "" };
            let name = name.replace('(', "_").replace(')', "");
            assert_eq!(family.info().name, format!("node_memory_{name}{unit}"));
        }
    }

    #[test]
    fn kilobytes_are_converted_to_bytes() {
        check("MemTotal:        3742148 kB", Ok("node_memory_MemTotal_bytes 3.831959552e+09\n"));
        check("Active(anon):    12 kB", Ok("node_memory_Active_anon_bytes 12288\n"));
        check("MemFree: 12", Ok("node_memory_MemFree_bytes 12\n"));
        check("HugePages_Total:       7", Ok("node_memory_HugePages_Total 7\n"));
        check("Hugepagesize:       2048 kB", Ok("node_memory_Hugepagesize_bytes 2.097152e+06\n"));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        for line in ["SecPageTables: 5 kB", "HugePages_Odd: 1", "Unheard: much of it", "no colon", ""] {
            check(&format!("{line}\nDirty: 1"), Ok("node_memory_Dirty_bytes 1\n"));
        }
    }

    #[test]
    fn a_file_without_known_fields_is_an_error() {
        check("", Err("proc/meminfo: MemTotal: expected a line of that name, found nothing"));
        check("SecPageTables: 5 kB", Err("proc/meminfo: MemTotal: expected a line of that name, found nothing"));
    }

    #[test]
    fn values_are_limited_to_64_bits() {
        check("MemFree: 18014398509481983 kB", Ok("node_memory_MemFree_bytes 1.8446744073709552e+19\n"));
        check("MemFree: 18014398509481984 kB", Err("proc/meminfo:1: MemFree: expected fewer than 2^64 bytes, found"));
        check("MemFree: 18446744073709551616", Err("proc/meminfo:1: MemFree: expected an unsigned integer"));
    }

    #[test]
    fn bad_values_are_errors() {
        check("MemFree: -4 kB", Err("found \"-4\""));
        check("MemFree: 0x10 kB", Err("found \"0x10\""));
        check("MemFree:", Err("proc/meminfo:1: MemFree: expected an unsigned integer, found nothing"));
        check("MemFree: 4 MB", Err("proc/meminfo:1: MemFree: expected unit kB or none, found \"MB\""));
        check("MemFree: 4 kB more", Err("found \"kB more\""));
    }

    #[test]
    fn a_bad_line_costs_only_its_own_samples() {
        given("== proc/meminfo escaped\nMemTotal: 1 kB\nMemFree: \\xff kB\nDirty: 2 kB\nBounce: 3 k\n")
            .fails::<Meminfo>(
                "node_memory_Dirty_bytes 2048\nnode_memory_MemTotal_bytes 1024\n",
                "proc/meminfo:2: MemFree",
            );
        given("").fails::<Meminfo>("", "proc/meminfo: no such file or directory");
    }

    #[test]
    fn the_last_of_duplicate_lines_is_used() {
        check("MemFree: 1 kB\nMemFree: 2 kB", Ok("node_memory_MemFree_bytes 2048\n"));
    }

    fn parsed(file: &str) -> Vec<(usize, u64)> {
        let text = Text::new(Mount::Proc, b"meminfo", file.as_bytes());
        text.lines().filter_map(parse).map(|(at, value)| (at, value.expect("a line of the kernel"))).collect()
    }

    proptest! {
        #[test]
        fn values_round_trip_and_procfs_core_agrees(kilobytes in proptest::collection::vec(0..1_u64 << 54, FIELDS.len())) {
            let mut file = String::new();
            for (((name, unit), _), value) in FIELDS.iter().zip(&kilobytes) {
                let unit = if *unit == Unit::Kilobytes { " kB" } else { "" };
                writeln!(file, "{name}: {value:>8}{unit}").expect("memory");
            }
            let values = parsed(&file);
            prop_assert_eq!(values.len(), FIELDS.len());
            let of = |name: &str| values.iter().find(|&&(at, _)| FIELDS[at].0.0 == name).map(|&(_, value)| value);
            for (((name, unit), _), value) in FIELDS.iter().zip(&kilobytes) {
                prop_assert_eq!(of(name), Some(if *unit == Unit::Kilobytes { value * 1024 } else { *value }));
            }
            let second = procfs_core::Meminfo::from_buf_read(file.as_bytes()).expect("a file of the kernel");
            prop_assert_eq!(Some(second.mem_total), of("MemTotal"));
            prop_assert_eq!(second.mem_available, of("MemAvailable"));
            prop_assert_eq!(second.active_anon, of("Active(anon)"));
            prop_assert_eq!(Some(second.committed_as), of("Committed_AS"));
            prop_assert_eq!(second.hugepages_total, of("HugePages_Total"));
            prop_assert_eq!(second.hugepagesize, of("Hugepagesize"));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for start in [b"".as_slice(), b"MemFree:", b"HugePages_Free: 1 "] {
                for line in Text::new(Mount::Proc, b"meminfo", &[start, &bytes].concat()).lines() {
                    let _ = parse(line);
                }
            }
        }
    }
}
