//! /proc/meminfo

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("meminfo", What::File(meminfo))] }];

/// Kilobytes of a page.
const PAGE: u64 = 4;

fn meminfo(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let memory = moment.machine.memory;
    let parts = moment.memory();
    let lines = [
        ("MemTotal", memory.pages * PAGE),
        ("MemFree", parts.free * PAGE),
        ("MemAvailable", parts.available * PAGE),
        ("Buffers", parts.buffers * PAGE),
        ("Cached", parts.cached * PAGE),
        ("SwapCached", parts.swap_cached * PAGE),
        ("Active", (parts.active_anonymous + parts.active_file) * PAGE),
        ("Inactive", (parts.inactive_anonymous + parts.inactive_file) * PAGE),
        ("Active(anon)", parts.active_anonymous * PAGE),
        ("Inactive(anon)", parts.inactive_anonymous * PAGE),
        ("Active(file)", parts.active_file * PAGE),
        ("Inactive(file)", parts.inactive_file * PAGE),
        ("Unevictable", parts.unevictable * PAGE),
        ("Mlocked", parts.unevictable * PAGE),
        ("SwapTotal", memory.swap_pages * PAGE),
        ("SwapFree", parts.swap_free * PAGE),
        ("Zswap", 0),
        ("Zswapped", 0),
        ("Dirty", parts.dirty * PAGE),
        ("Writeback", 0),
        ("AnonPages", parts.anonymous * PAGE),
        ("Mapped", parts.mapped * PAGE),
        ("Shmem", parts.shared * PAGE),
        ("KReclaimable", parts.slab_reclaimable * PAGE),
        ("Slab", (parts.slab_reclaimable + parts.slab_unreclaimable) * PAGE),
        ("SReclaimable", parts.slab_reclaimable * PAGE),
        ("SUnreclaim", parts.slab_unreclaimable * PAGE),
        ("KernelStack", parts.kernel_stack * PAGE),
        ("PageTables", parts.page_tables * PAGE),
        ("SecPageTables", 0),
        ("NFS_Unstable", 0),
        ("Bounce", 0),
        ("WritebackTmp", 0),
        ("CommitLimit", parts.commit_limit * PAGE),
        ("Committed_AS", parts.committed * PAGE),
        ("VmallocTotal", 34_359_738_367),
        ("VmallocUsed", parts.virtual_used * PAGE),
        ("VmallocChunk", 0),
        ("Percpu", parts.per_cpu * PAGE),
        ("HardwareCorrupted", 0),
        ("AnonHugePages", parts.huge_anonymous * PAGE),
        ("ShmemHugePages", 0),
        ("ShmemPmdMapped", 0),
        ("FileHugePages", 0),
        ("FilePmdMapped", 0),
    ];
    for (name, kilobytes) in lines {
        sized(name, kilobytes, into);
    }
    for name in ["HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp"] {
        put_line!(into, "{name}:{:>1$}", 0, 23 - name.len());
    }
    for (name, pages) in [("Hugepagesize", 512), ("Hugetlb", 0)] {
        sized(name, pages * PAGE, into);
    }
    let direct = [memory.direct_map_4k, memory.direct_map_2m, memory.direct_map_1g];
    for (name, pages) in ["DirectMap4k", "DirectMap2M", "DirectMap1G"].into_iter().zip(direct) {
        sized(name, pages * PAGE, into);
    }
}

fn sized(name: &str, kilobytes: u64, into: &mut Vec<u8>) {
    // A name that is too long for its column takes from that of the numbers.
    let label = (name.len() + 2).max(16);
    let (padding, digits) = (label - name.len() - 1, 24_usize.saturating_sub(label));
    put_line!(into, "{name}:{:padding$}{kilobytes:>digits$} kB", "");
}
