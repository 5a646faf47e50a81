//! /proc/meminfo

use crate::layout::{Group, What, once};
use crate::machine::{DirectMap, KernelVersion};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("meminfo", What::File(meminfo))] }];

fn meminfo(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
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
    for (name, kilobytes) in lines {
        sized(name, kilobytes, into);
        for (newer, value) in since(moment, name) {
            sized(newer, value, into);
        }
    }
    huge_pages(moment, into);
    if let Some(DirectMap { small, large, huge }) = memory.direct_map {
        for (name, pages) in [("DirectMap4k", small), ("DirectMap2M", large), ("DirectMap1G", huge)] {
            sized(name, pages * page, into);
        }
    }
}

fn huge_pages(moment: &Moment<'_>, into: &mut Vec<u8>) {
    let huge = moment.memory().huge;
    for (name, count) in [("Total", huge.total), ("Free", huge.free), ("Rsvd", huge.promised), ("Surp", 0)] {
        put_line!(into, "HugePages_{name}:{count:>0$}", 13 - name.len());
    }
    for (name, pages) in [("Hugepagesize", moment.huge_pages()), ("Hugetlb", moment.machine.memory.reserved_pages)] {
        sized(name, pages * moment.page_kilobytes(), into);
    }
}

/// The lines that follow a line since some version of the kernel.
fn since(moment: &Moment<'_>, before: &str) -> impl Iterator<Item = (&'static str, u64)> {
    let (kernel, page, parts) = (moment.kernel(), moment.page_kilobytes(), moment.memory());
    let lines = [
        ("SwapFree", (5, 19), "Zswap", 0),
        ("SwapFree", (5, 19), "Zswapped", 0),
        ("Shmem", (4, 20), "KReclaimable", parts.slab_reclaimable * page),
        ("PageTables", (6, 1), "SecPageTables", 0),
        // Of the kernels before 4.20, those of distributions have it from 4.18 on.
        ("VmallocChunk", (4, 18), "Percpu", parts.per_cpu * page),
        ("AnonHugePages", (4, 8), "ShmemHugePages", 0),
        ("AnonHugePages", (4, 8), "ShmemPmdMapped", 0),
        ("AnonHugePages", (5, 4), "FileHugePages", 0),
        ("AnonHugePages", (5, 4), "FilePmdMapped", 0),
    ];
    let lines = lines.into_iter().filter(move |(_, (major, minor), ..)| kernel >= KernelVersion::new(*major, *minor));
    lines.filter(move |(place, ..)| *place == before).map(|(_, _, name, value)| (name, value))
}

fn sized(name: &str, kilobytes: u64, into: &mut Vec<u8>) {
    // A name that is too long for its column takes from that of the numbers.
    let label = (name.len() + 2).max(16);
    let (padding, digits) = (label - name.len() - 1, 24_usize.saturating_sub(label));
    put_line!(into, "{name}:{:padding$}{kilobytes:>digits$} kB", "");
}
