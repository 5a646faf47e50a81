//! How the C library keeps memory that is not used at the moment.

#![expect(unsafe_code, reason = "no crate has a safe call for mallopt")]

use libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, c_int};

/// Pieces from here on are mapped one by one, so that they grow without being copied and go back to the kernel at once.
const MAPPED_FROM_BYTES: c_int = 128 << 10;

/// Makes the heap keep little. To be called before there are threads.
///
/// Left alone, the library takes a large piece that is given back for a sign that there will be more: from then on it
/// has pieces of that size from the heap, where a page that grows is there twice and stays. And each thread gets a
/// heap of its own, which a scrape that asks for no memory has no use for.
pub fn keep_little() {
    for (parameter, value) in [(M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, MAPPED_FROM_BYTES)] {
        // What it refuses is left as it was, which costs memory and nothing else.
        // SAFETY: it takes two numbers by value and checks them; no other thread is there to ask for memory meanwhile.
        let _ = unsafe { libc::mallopt(parameter, value) };
    }
}
