//! How memory is used, from /proc/meminfo.

use crate::declare;
use crate::kit::family::{Family, Gauge};
use crate::kit::prelude::*;

/// How memory is used.
#[derive(Debug)]
pub struct Meminfo;

declare! {
    Meminfo: "meminfo", on, "How much memory there is, and what it is used for.";
    reads {
        MEMINFO: File Proc "meminfo";
    }
    families {
        ACTIVE: Gauge "node_memory_Active_bytes" [] "Memory that was used lately and is reclaimed last.";
        ACTIVE_ANON: Gauge "node_memory_Active_anon_bytes" [] "Anonymous memory that was used lately.";
        ACTIVE_FILE: Gauge "node_memory_Active_file_bytes" [] "Page cache that was used lately.";
        ANON_HUGE_PAGES: Gauge "node_memory_AnonHugePages_bytes" [] "Anonymous memory in transparent huge pages.";
        ANON_PAGES: Gauge "node_memory_AnonPages_bytes" [] "Anonymous memory that is mapped into processes.";
        BOUNCE: Gauge "node_memory_Bounce_bytes" [] "Memory of bounce buffers of block devices.";
        BUFFERS: Gauge "node_memory_Buffers_bytes" [] "Page cache of raw block devices.";
        CACHED: Gauge "node_memory_Cached_bytes" [] "Page cache of files, and shared memory.";
        CMA_FREE: Gauge "node_memory_CmaFree_bytes" [] "Memory of the contiguous allocator that is free.";
        CMA_TOTAL: Gauge "node_memory_CmaTotal_bytes" [] "Memory of the contiguous allocator.";
        COMMIT_LIMIT: Gauge "node_memory_CommitLimit_bytes" [] "How much may be promised under strict overcommit.";
        COMMITTED_AS: Gauge "node_memory_Committed_AS_bytes" [] "Memory that was promised to processes.";
        DIRECT_MAP_1G: Gauge "node_memory_DirectMap1G_bytes" [] "Memory that the kernel maps in pages of 1 GiB.";
        DIRECT_MAP_2M: Gauge "node_memory_DirectMap2M_bytes" [] "Memory that the kernel maps in pages of 2 MiB.";
        DIRECT_MAP_4K: Gauge "node_memory_DirectMap4k_bytes" [] "Memory that the kernel maps in pages of 4 KiB.";
        DIRTY: Gauge "node_memory_Dirty_bytes" [] "Memory that waits to be written to a device.";
        HARDWARE_CORRUPTED: Gauge "node_memory_HardwareCorrupted_bytes" [] "Memory that the hardware reported as broken.";
        HUGE_PAGES_FREE: Gauge "node_memory_HugePages_Free" [] "Huge pages of the pool that are free.";
        HUGE_PAGES_RESERVED: Gauge "node_memory_HugePages_Rsvd" [] "Free huge pages of the pool that are promised already.";
        HUGE_PAGES_SURPLUS: Gauge "node_memory_HugePages_Surp" [] "Huge pages beyond the size of the pool.";
        HUGE_PAGES_TOTAL: Gauge "node_memory_HugePages_Total" [] "Huge pages in the pool.";
        HUGE_PAGE_SIZE: Gauge "node_memory_Hugepagesize_bytes" [] "Size of a huge page of the pool.";
        INACTIVE: Gauge "node_memory_Inactive_bytes" [] "Memory that was not used lately and is reclaimed first.";
        INACTIVE_ANON: Gauge "node_memory_Inactive_anon_bytes" [] "Anonymous memory that was not used lately.";
        INACTIVE_FILE: Gauge "node_memory_Inactive_file_bytes" [] "Page cache that was not used lately.";
        KERNEL_STACK: Gauge "node_memory_KernelStack_bytes" [] "Kernel stacks of all tasks.";
        MAPPED: Gauge "node_memory_Mapped_bytes" [] "Files that are mapped into processes.";
        MEM_AVAILABLE: Gauge "node_memory_MemAvailable_bytes" [] "What new programs could have without swapping, as the kernel estimates it.";
        MEM_FREE: Gauge "node_memory_MemFree_bytes" [] "Memory that nothing uses.";
        MEM_TOTAL: Gauge "node_memory_MemTotal_bytes" [] "Memory that the kernel can use.";
        MLOCKED: Gauge "node_memory_Mlocked_bytes" [] "Memory that processes have locked.";
        NFS_UNSTABLE: Gauge "node_memory_NFS_Unstable_bytes" [] "Memory that was sent to NFS servers and is not committed there.";
        PAGE_TABLES: Gauge "node_memory_PageTables_bytes" [] "Page tables of processes.";
        PER_CPU: Gauge "node_memory_Percpu_bytes" [] "Memory of the allocator for data of each CPU.";
        SLAB_RECLAIMABLE: Gauge "node_memory_SReclaimable_bytes" [] "Kernel objects that can be reclaimed.";
        SLAB_UNRECLAIMABLE: Gauge "node_memory_SUnreclaim_bytes" [] "Kernel objects that cannot be reclaimed.";
        SHARED: Gauge "node_memory_Shmem_bytes" [] "Shared memory and tmpfs.";
        SHARED_HUGE_PAGES: Gauge "node_memory_ShmemHugePages_bytes" [] "Shared memory and tmpfs in huge pages.";
        SHARED_PMD_MAPPED: Gauge "node_memory_ShmemPmdMapped_bytes" [] "Shared memory that is mapped in huge pages.";
        SLAB: Gauge "node_memory_Slab_bytes" [] "Kernel objects of every kind.";
        SWAP_CACHED: Gauge "node_memory_SwapCached_bytes" [] "Memory that is in the swap as well.";
        SWAP_FREE: Gauge "node_memory_SwapFree_bytes" [] "Swap that is free.";
        SWAP_TOTAL: Gauge "node_memory_SwapTotal_bytes" [] "Swap in all.";
        UNEVICTABLE: Gauge "node_memory_Unevictable_bytes" [] "Memory that cannot be reclaimed.";
        VMALLOC_CHUNK: Gauge "node_memory_VmallocChunk_bytes" [] "Largest free piece of the address space of vmalloc.";
        VMALLOC_TOTAL: Gauge "node_memory_VmallocTotal_bytes" [] "Address space of vmalloc.";
        VMALLOC_USED: Gauge "node_memory_VmallocUsed_bytes" [] "Address space of vmalloc that is taken.";
        WRITEBACK: Gauge "node_memory_Writeback_bytes" [] "Memory that is being written to a device.";
        WRITEBACK_TEMPORARY: Gauge "node_memory_WritebackTmp_bytes" [] "Memory that FUSE holds while it writes.";
        ZSWAP: Gauge "node_memory_Zswap_bytes" [] "Memory of zswap, compressed.";
        ZSWAPPED: Gauge "node_memory_Zswapped_bytes" [] "Memory that went into zswap, as it was before.";
    }
}

/// What a field of the file becomes.
struct Field {
    name: &'static str,
    family: Family<Meminfo, Gauge, crate::kit::family::Unnamed<0>>,
    /// Whether it counts bytes; else it counts pages, and has no unit to look at.
    is_bytes: bool,
}

const fn bytes(name: &'static str, family: Family<Meminfo, Gauge, crate::kit::family::Unnamed<0>>) -> Field {
    Field { name, family, is_bytes: true }
}

const fn pages(name: &'static str, family: Family<Meminfo, Gauge, crate::kit::family::Unnamed<0>>) -> Field {
    Field { name, family, is_bytes: false }
}

/// The fields that are passed on, sorted by name. What the kernel has beside them is left out.
const FIELDS: [Field; 51] = [
    bytes("Active", ACTIVE),
    bytes("Active(anon)", ACTIVE_ANON),
    bytes("Active(file)", ACTIVE_FILE),
    bytes("AnonHugePages", ANON_HUGE_PAGES),
    bytes("AnonPages", ANON_PAGES),
    bytes("Bounce", BOUNCE),
    bytes("Buffers", BUFFERS),
    bytes("Cached", CACHED),
    bytes("CmaFree", CMA_FREE),
    bytes("CmaTotal", CMA_TOTAL),
    bytes("CommitLimit", COMMIT_LIMIT),
    bytes("Committed_AS", COMMITTED_AS),
    bytes("DirectMap1G", DIRECT_MAP_1G),
    bytes("DirectMap2M", DIRECT_MAP_2M),
    bytes("DirectMap4k", DIRECT_MAP_4K),
    bytes("Dirty", DIRTY),
    bytes("HardwareCorrupted", HARDWARE_CORRUPTED),
    pages("HugePages_Free", HUGE_PAGES_FREE),
    pages("HugePages_Rsvd", HUGE_PAGES_RESERVED),
    pages("HugePages_Surp", HUGE_PAGES_SURPLUS),
    pages("HugePages_Total", HUGE_PAGES_TOTAL),
    bytes("Hugepagesize", HUGE_PAGE_SIZE),
    bytes("Inactive", INACTIVE),
    bytes("Inactive(anon)", INACTIVE_ANON),
    bytes("Inactive(file)", INACTIVE_FILE),
    bytes("KernelStack", KERNEL_STACK),
    bytes("Mapped", MAPPED),
    bytes("MemAvailable", MEM_AVAILABLE),
    bytes("MemFree", MEM_FREE),
    bytes("MemTotal", MEM_TOTAL),
    bytes("Mlocked", MLOCKED),
    bytes("NFS_Unstable", NFS_UNSTABLE),
    bytes("PageTables", PAGE_TABLES),
    bytes("Percpu", PER_CPU),
    bytes("SReclaimable", SLAB_RECLAIMABLE),
    bytes("SUnreclaim", SLAB_UNRECLAIMABLE),
    bytes("Shmem", SHARED),
    bytes("ShmemHugePages", SHARED_HUGE_PAGES),
    bytes("ShmemPmdMapped", SHARED_PMD_MAPPED),
    bytes("Slab", SLAB),
    bytes("SwapCached", SWAP_CACHED),
    bytes("SwapFree", SWAP_FREE),
    bytes("SwapTotal", SWAP_TOTAL),
    bytes("Unevictable", UNEVICTABLE),
    bytes("VmallocChunk", VMALLOC_CHUNK),
    bytes("VmallocTotal", VMALLOC_TOTAL),
    bytes("VmallocUsed", VMALLOC_USED),
    bytes("Writeback", WRITEBACK),
    bytes("WritebackTmp", WRITEBACK_TEMPORARY),
    bytes("Zswap", ZSWAP),
    bytes("Zswapped", ZSWAPPED),
];

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
            return Err(text.error("MemTotal", "a line", b"").into());
        }
        for (field, value) in FIELDS.iter().zip(values) {
            if let Some(value) = value {
                cx.page.gauge(field.family, [], value);
            }
        }
        Ok(())
    }
}

/// The line's place in [`FIELDS`] and its value; nothing when the field is not among them.
fn parse(line: Line<'_>) -> Option<(usize, Result<u64, ParseError<'_>>)> {
    let (name, rest) = line.split_at(b':')?;
    let at = FIELDS.binary_search_by(|field| field.name.as_bytes().cmp(name)).ok()?;
    Some((at, value_of(line, &FIELDS[at], rest)))
}

fn value_of<'a>(line: Line<'a>, field: &Field, rest: &'a [u8]) -> Result<u64, ParseError<'a>> {
    let mut fields = line.fields_of(rest);
    let value: u64 = fields.number(field.name)?;
    let unit = match fields.rest() {
        b"" => 1,
        b"kB" => 1024,
        unit => return Err(line.error(field.name, "the unit kB or none", unit)),
    };
    if !field.is_bytes {
        return Ok(value);
    }
    value.checked_mul(unit).ok_or_else(|| line.error(field.name, "less than 2^64 bytes", rest))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use procfs_core::FromBufRead;
    use proptest::prelude::*;

    /// A line alone: its samples, or the complaint.
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
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
        for Field { name, family, is_bytes } in &FIELDS {
            let unit = if *is_bytes { "_bytes" } else { "" };
            let name = name.replace('(', "_").replace(')', "");
            assert_eq!(family.info().name, format!("node_memory_{name}{unit}"));
        }
    }

    #[test]
    fn kilobytes_become_bytes() {
        check("MemTotal:        3742148 kB", Ok("node_memory_MemTotal_bytes 3.831959552e+09\n"));
        check("Active(anon):    12 kB", Ok("node_memory_Active_anon_bytes 12288\n"));
        check("MemFree: 12", Ok("node_memory_MemFree_bytes 12\n"));
        check("HugePages_Total:       7", Ok("node_memory_HugePages_Total 7\n"));
        check("Hugepagesize:       2048 kB", Ok("node_memory_Hugepagesize_bytes 2.097152e+06\n"));
    }

    #[test]
    fn what_is_not_in_the_table_is_left_out() {
        for line in ["SecPageTables: 5 kB", "HugePages_Odd: 1", "Unheard: much of it", "no colon", ""] {
            check(&format!("{line}\nDirty: 1"), Ok("node_memory_Dirty_bytes 1\n"));
        }
    }

    #[test]
    fn a_file_with_nothing_of_the_kind_is_an_error() {
        check("", Err("proc/meminfo: MemTotal: expected a line, found nothing"));
        check("SecPageTables: 5 kB", Err("proc/meminfo: MemTotal: expected a line, found nothing"));
    }

    #[test]
    fn values_end_where_64_bits_end() {
        check("MemFree: 18014398509481983 kB", Ok("node_memory_MemFree_bytes 1.8446744073709552e+19\n"));
        check("MemFree: 18014398509481984 kB", Err("proc/meminfo:1: MemFree: expected less than 2^64 bytes, found"));
        check("MemFree: 18446744073709551616", Err("proc/meminfo:1: MemFree: expected an unsigned integer"));
    }

    #[test]
    fn what_is_no_value_is_an_error() {
        check("MemFree: -4 kB", Err("found \"-4\""));
        check("MemFree: 0x10 kB", Err("found \"0x10\""));
        check("MemFree:", Err("proc/meminfo:1: MemFree: expected an unsigned integer, found nothing"));
        check("MemFree: 4 MB", Err("proc/meminfo:1: MemFree: expected the unit kB or none, found \"MB\""));
        check("MemFree: 4 kB more", Err("found \"kB more\""));
    }

    #[test]
    fn a_bad_line_costs_itself_alone() {
        given("== proc/meminfo escaped\nMemTotal: 1 kB\nMemFree: \\xff kB\nDirty: 2 kB\nBounce: 3 k\n")
            .fails::<Meminfo>(
                "node_memory_Dirty_bytes 2048\nnode_memory_MemTotal_bytes 1024\n",
                "proc/meminfo:2: MemFree",
            );
        given("").fails::<Meminfo>("", "proc/meminfo: no such file or directory");
    }

    #[test]
    fn of_two_lines_of_one_field_the_last_counts() {
        check("MemFree: 1 kB\nMemFree: 2 kB", Ok("node_memory_MemFree_bytes 2048\n"));
    }

    fn parsed(file: &str) -> Vec<(usize, u64)> {
        let text = Text::new(Mount::Proc, b"meminfo", file.as_bytes());
        text.lines().filter_map(parse).map(|(at, value)| (at, value.expect("a line of the kernel"))).collect()
    }

    proptest! {
        #[test]
        fn values_come_back_and_the_second_opinion_agrees(kilobytes in proptest::collection::vec(0..1_u64 << 54, FIELDS.len())) {
            let mut file = String::new();
            for (field, value) in FIELDS.iter().zip(&kilobytes) {
                let unit = if field.is_bytes { " kB" } else { "" };
                writeln!(file, "{}: {value:>8}{unit}", field.name).expect("memory");
            }
            let values = parsed(&file);
            prop_assert_eq!(values.len(), FIELDS.len());
            let of = |name: &str| values.iter().find(|&&(at, _)| FIELDS[at].name == name).map(|&(_, value)| value);
            for (field, value) in FIELDS.iter().zip(&kilobytes) {
                prop_assert_eq!(of(field.name), Some(if field.is_bytes { value * 1024 } else { *value }));
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
