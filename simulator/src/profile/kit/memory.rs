//! How a machine's memory is used.

use crate::machine::{Architecture, DirectMap, Memory};

const GIB_BYTES: u64 = 1 << 30;
/// Pages of 4 KiB in a GiB.
const GIB_PAGES: u64 = 262_144;
/// What a machine maps in small pages, wherever the kernel needs to protect parts of a large one.
const SMALL_PAGES: u64 = 58_880;

/// So much memory, used as servers do: most of it is page cache.
pub(in crate::profile) fn memory(architecture: Architecture, gib: u64, swap_gib: u64) -> Memory {
    let page_bytes = architecture.page_size_bytes();
    let installed = gib * GIB_BYTES / page_bytes;
    // The kernel, its table of pages and the firmware take theirs first.
    let pages = installed - installed * 29 / 1_000 + 741;
    Memory {
        pages,
        // The first page of a swap area tells what it is.
        swap_pages: (swap_gib * GIB_BYTES / page_bytes).saturating_sub(1),
        anonymous_pages: pages * 19 / 100,
        anonymous_pages_per_load: pages / 25,
        cache_pages: pages * 53 / 100,
        direct_map: (architecture == Architecture::X86_64).then(|| {
            let huge = gib / 2 * GIB_PAGES;
            DirectMap { small: SMALL_PAGES, large: gib * GIB_PAGES - huge - SMALL_PAGES, huge }
        }),
    }
}
