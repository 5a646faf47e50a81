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

/// What a piece of work took from the heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allocations {
    /// How often memory was asked for, growth included.
    pub count: usize,
    /// How much of it.
    pub size_bytes: usize,
}

/// Does the work and says what it took. Work of other threads in the meantime counts, too.
pub fn during(work: impl FnOnce()) -> Allocations {
    let begin = Allocations { count: COUNT.load(Ordering::SeqCst), size_bytes: BYTES.load(Ordering::SeqCst) };
    work();
    Allocations {
        count: COUNT.load(Ordering::SeqCst) - begin.count,
        size_bytes: BYTES.load(Ordering::SeqCst) - begin.size_bytes,
    }
}

fn note(size_bytes: usize) {
    COUNT.fetch_add(1, Ordering::SeqCst);
    BYTES.fetch_add(size_bytes, Ordering::SeqCst);
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
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size_bytes: usize) -> *mut u8 {
        note(size_bytes);
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size_bytes) }
    }
}
