//! Memory usage of machines.

use crate::machine::{Architecture, DirectMap, Memory};

const GIB_BYTES: u64 = 1 << 30;
/// Number of 4 KiB pages in a GiB.
const GIB_PAGES: u64 = 262_144;
/// Memory of the direct map in 4 KiB pages.
const SMALL_PAGES: u64 = 58_880;

/// Memory used as on a server: mostly page cache.
pub(in crate::profile) fn memory(architecture: Architecture, gib: u64, swap_gib: u64) -> Memory {
    memory_with(architecture, gib, swap_gib, 0)
}

/// Memory of a server with huge pages, at most three quarters.
pub(in crate::profile) fn memory_with(architecture: Architecture, gib: u64, swap_gib: u64, huge_gib: u64) -> Memory {
    let page_bytes = architecture.page_size_bytes();
    let installed = gib * GIB_BYTES / page_bytes;
    // Kernel, page table and firmware reserve memory first.
    let pages = installed - installed * 29 / 1_000 + 741;
    let reserved_pages = huge_gib.min(gib * 3 / 4) * GIB_BYTES / page_bytes;
    let shared_pages = pages - reserved_pages;
    Memory {
        pages,
        reserved_pages,
        // The first page of a swap area is its header.
        swap_pages: (swap_gib * GIB_BYTES / page_bytes).saturating_sub(1),
        anonymous_pages: shared_pages * 19 / 100,
        anonymous_pages_per_load: shared_pages / 25,
        cache_pages: shared_pages * 53 / 100,
        direct_map: (architecture == Architecture::X86_64).then(|| {
            let huge = gib / 2 * GIB_PAGES;
            DirectMap { small: SMALL_PAGES, large: gib * GIB_PAGES - huge - SMALL_PAGES, huge }
        }),
    }
}
