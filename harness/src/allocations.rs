//! Counts heap allocations, for tests that set a budget.
//!
//! A test binary makes [`Counting`] its global allocator and asks [`during`] what a piece of work cost, on all threads.

#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one only counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

/// The system's allocator with a counter.
#[derive(Debug)]
pub struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// What a piece of work took from the heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allocations {
    /// How often memory was asked for, growth included.
    pub count: usize,
    /// How much of it.
    pub size_bytes: usize,
    /// How much more than before was held at once.
    pub peak_bytes: usize,
}

/// Does the work and says what it took. Work of other threads in the meantime counts, too.
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

/// Whether the program that asks has made [`Counting`] its allocator.
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

// SAFETY: every method passes its arguments on to the system's allocator unchanged, so that whoever keeps the rules of
// `GlobalAlloc` towards this one keeps them towards that one.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size_bytes: usize) -> *mut u8 {
        // As if it grew where it is, which a large one does.
        give_back(layout.size());
        take(size_bytes);
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size_bytes) }
    }
}
