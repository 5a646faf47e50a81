//! Counts heap allocations, for tests that set a budget.
//!
//! A test binary makes [`Counting`] its global allocator and asks [`during`] what a piece of work cost, on all threads.

#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one only counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator with a counter.
#[derive(Debug)]
pub struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
/// What is held at this moment, and the most that was held since [`during`] began.
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// What a piece of work took from the heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allocations {
    /// How often memory was asked for, growth included.
    pub count: usize,
    /// How much of it.
    pub size_bytes: usize,
    /// The most that was held of it at any moment.
    pub peak_bytes: usize,
}

/// Does the work and says what it took. Work of other threads in the meantime counts, too.
pub fn during(work: impl FnOnce()) -> Allocations {
    let (count, size_bytes, held) =
        (COUNT.load(Ordering::SeqCst), BYTES.load(Ordering::SeqCst), HELD.load(Ordering::SeqCst));
    PEAK.store(held, Ordering::SeqCst);
    work();
    Allocations {
        count: COUNT.load(Ordering::SeqCst) - count,
        size_bytes: BYTES.load(Ordering::SeqCst) - size_bytes,
        peak_bytes: PEAK.load(Ordering::SeqCst) - held,
    }
}

fn note(size_bytes: usize) {
    COUNT.fetch_add(1, Ordering::SeqCst);
    BYTES.fetch_add(size_bytes, Ordering::SeqCst);
    let held = HELD.fetch_add(size_bytes, Ordering::SeqCst) + size_bytes;
    PEAK.fetch_max(held, Ordering::SeqCst);
}

fn give_back(size_bytes: usize) {
    HELD.fetch_sub(size_bytes, Ordering::SeqCst);
}

// SAFETY: every method passes its arguments on to the system's allocator unchanged, so that whoever keeps the rules of
// `GlobalAlloc` towards this one keeps them towards that one.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size_bytes: usize) -> *mut u8 {
        // Both are there while one is moved to the other.
        note(size_bytes);
        give_back(layout.size());
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size_bytes) }
    }
}
