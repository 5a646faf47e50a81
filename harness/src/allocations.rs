//! Heap allocation counting, for tests that set a budget.
//!
//! A test binary makes [`Counting`] its global allocator and calls [`during`] with a piece of work.

#![expect(unsafe_code, reason = "the trait GlobalAlloc is unsafe; this allocator counts and forwards every call")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

/// The system allocator with counters.
#[derive(Debug)]
pub struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static BLOCKS: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Heap usage of a piece of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allocations {
    /// Number of allocations, reallocations included.
    pub count: usize,
    /// Bytes allocated.
    pub size_bytes: usize,
    /// Peak of the bytes held, above those held before.
    pub peak_bytes: usize,
}

/// Contents of the heap at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// Bytes that were allocated and not freed.
    pub size_bytes: usize,
    /// Number of allocations that were not freed.
    pub blocks: usize,
}

/// What the program holds now. Other threads may change it meanwhile.
pub fn held() -> Held {
    Held { size_bytes: HELD.load(SeqCst), blocks: BLOCKS.load(SeqCst) }
}

/// Runs the work and returns its heap usage. Allocations of other threads in the meantime are included.
pub fn during(work: impl FnOnce()) -> Allocations {
    let (count, size_bytes, held) = (COUNT.load(SeqCst), BYTES.load(SeqCst), HELD.load(SeqCst));
    PEAK.store(held, SeqCst);
    work();
    Allocations {
        count: COUNT.load(SeqCst) - count,
        size_bytes: BYTES.load(SeqCst) - size_bytes,
        peak_bytes: PEAK.load(SeqCst) - held,
    }
}

/// Whether [`Counting`] is the global allocator of this program.
pub fn are_counted() -> bool {
    during(|| drop(std::hint::black_box(vec![0_u8; 64]))).count > 0
}

fn take(size_bytes: usize) {
    COUNT.fetch_add(1, SeqCst);
    BYTES.fetch_add(size_bytes, SeqCst);
    let held = HELD.fetch_add(size_bytes, SeqCst) + size_bytes;
    PEAK.fetch_max(held, SeqCst);
}

fn give_back(size_bytes: usize) {
    HELD.fetch_sub(size_bytes, SeqCst);
}

// SAFETY: every method passes its arguments on to the system allocator unchanged, so the contract of `GlobalAlloc`
// holds for this allocator if it holds for that one.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BLOCKS.fetch_add(1, SeqCst);
        take(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        BLOCKS.fetch_add(1, SeqCst);
        take(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BLOCKS.fetch_sub(1, SeqCst);
        give_back(layout.size());
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size_bytes: usize) -> *mut u8 {
        // Counted as growth in place, which is what a large allocation does.
        give_back(layout.size());
        take(size_bytes);
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size_bytes) }
    }
}
