//! Settings of the C library's heap.

#![expect(unsafe_code, reason = "no crate has a safe call for mallopt")]

use libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, c_int};

/// Allocations of this size and above are mapped one by one: they grow without a copy and return to the kernel at once.
const MAPPED_FROM_BYTES: c_int = 128 << 10;

/// Makes the heap keep little free memory. Call it before threads exist.
///
/// By default the library raises the threshold for mapped allocations to the size of each one that is freed. Later
/// allocations of that size then come from the heap, where a growing page is copied and its memory stays. Each thread
/// also gets a heap of its own, which scrapes that allocate nothing do not need.
pub fn keep_little() {
    for (parameter, value) in [(M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, MAPPED_FROM_BYTES)] {
        // A refused setting costs memory and nothing else.
        // SAFETY: mallopt takes two numbers by value and checks them, and no other thread exists yet.
        let _ = unsafe { libc::mallopt(parameter, value) };
    }
}
