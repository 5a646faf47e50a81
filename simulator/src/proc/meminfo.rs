//! /proc/meminfo and /proc/swaps

use crate::layout::{Content, Group, Table};
use crate::machine::{DirectMap, KernelVersion, Machine};
use crate::moment::Moment;
use crate::moment::memory::{HugePages, MemoryParts};
use crate::text::put_line;

pub(super) const GROUPS: Table =
    &[&Group::of_host("", &[("meminfo", Content::File(meminfo)), ("swaps", Content::File(swaps))])];

fn meminfo(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let memory = moment.machine.memory;
    let parts = moment.memory();
    let page = moment.page_kilobytes();
    let lines = [
        ("MemTotal", memory.pages * page),
        ("MemFree", parts.free * page),
        ("MemAvailable", parts.available * page),
        ("Buffers", parts.buffers * page),
        ("Cached", parts.cached * page),
        ("SwapCached", parts.swap_cached * page),
        ("Active", (parts.active_anonymous + parts.active_file) * page),
        ("Inactive", (parts.inactive_anonymous + parts.inactive_file) * page),
        ("Active(anon)", parts.active_anonymous * page),
        ("Inactive(anon)", parts.inactive_anonymous * page),
        ("Active(file)", parts.active_file * page),
        ("Inactive(file)", parts.inactive_file * page),
        ("Unevictable", parts.unevictable * page),
        ("Mlocked", parts.unevictable * page),
        ("SwapTotal", memory.swap_pages * page),
        ("SwapFree", parts.swap_free * page),
        ("Dirty", parts.dirty * page),
        ("Writeback", 0),
        ("AnonPages", parts.anonymous * page),
        ("Mapped", parts.mapped * page),
        ("Shmem", parts.shared * page),
        ("Slab", (parts.slab_reclaimable + parts.slab_unreclaimable) * page),
        ("SReclaimable", parts.slab_reclaimable * page),
        ("SUnreclaim", parts.slab_unreclaimable * page),
        ("KernelStack", parts.kernel_stack * page),
        ("PageTables", parts.page_tables * page),
        ("NFS_Unstable", 0),
        ("Bounce", 0),
        ("WritebackTmp", 0),
        ("CommitLimit", parts.commit_limit * page),
        ("Committed_AS", parts.committed * page),
        ("VmallocTotal", 34_359_738_367),
        ("VmallocUsed", parts.virtual_used * page),
        ("VmallocChunk", 0),
        ("HardwareCorrupted", 0),
        ("AnonHugePages", parts.huge_anonymous * page),
    ];
    let newer = since(moment.kernel(), parts, page);
    for (name, kilobytes) in lines {
        sized(name, kilobytes, into);
        for &(_, name, kilobytes) in newer.iter().filter(|(before, ..)| *before == name) {
            sized(name, kilobytes, into);
        }
    }
    huge_pages(moment, parts.huge, into);
    if let Some(DirectMap { small, large, huge }) = memory.direct_map {
        for (name, pages) in [("DirectMap4k", small), ("DirectMap2M", large), ("DirectMap1G", huge)] {
            sized(name, pages * page, into);
        }
    }
}

fn huge_pages(moment: &Moment<'_>, huge: HugePages, into: &mut Vec<u8>) {
    for (name, count) in [("Total", huge.total), ("Free", huge.free), ("Rsvd", huge.promised), ("Surp", 0)] {
        put_line!(into, "HugePages_{name}:{count:>0$}", 13 - name.len());
    }
    for (name, pages) in [("Hugepagesize", moment.huge_pages()), ("Hugetlb", moment.machine.memory.reserved_pages)] {
        sized(name, pages * moment.page_kilobytes(), into);
    }
}

/// Lines of newer kernels: the line before, the name and the number.
fn since(kernel: KernelVersion, parts: MemoryParts, page: u64) -> Vec<(&'static str, &'static str, u64)> {
    let lines = [
        ((5, 19), "SwapFree", "Zswap", 0),
        ((5, 19), "SwapFree", "Zswapped", 0),
        ((4, 20), "Shmem", "KReclaimable", parts.slab_reclaimable * page),
        ((6, 1), "PageTables", "SecPageTables", 0),
        // Added in 4.20, and backported to the 4.18 of distributions.
        ((4, 18), "VmallocChunk", "Percpu", parts.per_cpu * page),
        ((4, 8), "AnonHugePages", "ShmemHugePages", 0),
        ((4, 8), "AnonHugePages", "ShmemPmdMapped", 0),
        ((5, 4), "AnonHugePages", "FileHugePages", 0),
        ((5, 4), "AnonHugePages", "FilePmdMapped", 0),
    ];
    let there = lines.into_iter().filter(|((major, minor), ..)| kernel >= KernelVersion::new(*major, *minor));
    there.map(|(_, before, name, value)| (before, name, value)).collect()
}

fn sized(name: &str, kilobytes: u64, into: &mut Vec<u8>) {
    // A long name narrows the column of numbers.
    let label = (name.len() + 2).max(16);
    let (padding, digits) = (label - name.len() - 1, 24_usize.saturating_sub(label));
    put_line!(into, "{name}:{:padding$}{kilobytes:>digits$} kB", "");
}

fn swaps(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    // Kernels before 5.11 had one tab between the numbers.
    let tabs = if moment.kernel() >= KernelVersion::new(5, 11) { "\t\t" } else { "\t" };
    put_line!(into, "Filename\t\t\t\tType\t\tSize{tabs}Used{tabs}Priority");
    let page = moment.page_kilobytes();
    for (swap, used) in moment.swaps() {
        let kind = if swap.is_partition { "partition" } else { "file\t" };
        put_line!(into, "{:<40}{kind}\t{}{tabs}{}{tabs}{}", swap.path, swap.pages * page, used * page, swap.priority);
    }
}
