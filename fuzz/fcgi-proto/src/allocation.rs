//! How many octets a piece of work holds at its peak.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts.
struct Counting;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn allocated(len: usize) {
    LIVE.set(LIVE.get().wrapping_add(len));
    PEAK.set(PEAK.get().max(LIVE.get()));
}

fn freed(len: usize) {
    LIVE.set(LIVE.get().wrapping_sub(len));
}

#[expect(unsafe_code, reason = "an allocator can be written in no other way")]
// SAFETY: every call goes to the system's allocator as it came. Counting neither allocates (the counters are constants
// without a destructor) nor touches the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, octets: *mut u8, layout: Layout) {
        freed(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`, and the memory is from `System`.
        unsafe { System.dealloc(octets, layout) }
    }

    unsafe fn realloc(&self, octets: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Both exist while the octets are moved.
        allocated(new_size);
        freed(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`, and the memory is from `System`.
        unsafe { System.realloc(octets, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most octets that `work` held above what there was.
pub(crate) fn peak_of(work: impl FnOnce()) -> usize {
    // What was freed on another thread may have left the count anywhere, so it starts anew.
    LIVE.set(usize::MAX / 2);
    PEAK.set(usize::MAX / 2);
    work();
    PEAK.get() - usize::MAX / 2
}
