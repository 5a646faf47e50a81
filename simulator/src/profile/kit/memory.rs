//! How a machine's memory is used.

use crate::machine::{Architecture, DirectMap, Memory};

const GIB_BYTES: u64 = 1 << 30;
/// Pages of 4 KiB in a GiB.
const GIB_PAGES: u64 = 262_144;
/// What a machine maps in small pages, wherever the kernel needs to protect parts of a large one.
const SMALL_PAGES: u64 = 58_880;

/// So much memory, used as servers do: most of it is page cache.
pub(in crate::profile) fn memory(architecture: Architecture, gib: u64, swap_gib: u64) -> Memory {
    memory_with(architecture, gib, swap_gib, 0)
}

/// The same, of which so much is set aside as huge pages; no more than three quarters are.
pub(in crate::profile) fn memory_with(architecture: Architecture, gib: u64, swap_gib: u64, huge_gib: u64) -> Memory {
    let page_bytes = architecture.page_size_bytes();
    let installed = gib * GIB_BYTES / page_bytes;
    // The kernel, its table of pages and the firmware take theirs first.
    let pages = installed - installed * 29 / 1_000 + 741;
    let reserved_pages = huge_gib.min(gib * 3 / 4) * GIB_BYTES / page_bytes;
    let shared_pages = pages - reserved_pages;
    Memory {
        pages,
        reserved_pages,
        // The first page of a swap area tells what it is.
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
