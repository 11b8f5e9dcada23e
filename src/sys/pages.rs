//! Large pieces of zeroed memory that are returned to the system when freed.

use std::ptr::NonNull;

/// `size` bytes of zeroed memory, aligned to a page, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Pages {
    start: NonNull<u8>,
    size: usize,
}

// SAFETY: the pages are plain memory, owned by this value alone.
unsafe impl Send for Pages {}

impl Pages {
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// `huge` requests huge pages: one page fault for each of them. `None` if the system has no more memory.
    pub(crate) fn map(size: usize, huge: bool) -> Option<Self> {
        imp::map(size, huge).map(|start| Self { start, size })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: 1. `start` came from `imp::map(size)`; 2. this is the only owner, and it is going away.
        unsafe { imp::unmap(self.start, self.size) };
    }
}

#[cfg(all(target_os = "linux", not(loom), not(ftpool_portable)))]
mod imp {
    use std::ptr::{self, NonNull};

    pub(super) fn map(size: usize, huge: bool) -> Option<NonNull<u8>> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no memory that exists.
        let start = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        if huge {
            // SAFETY: advice about our own mapping, which does not change its content.
            unsafe { libc::madvise(start, size, libc::MADV_HUGEPAGE) };
        }
        NonNull::new(start.cast())
    }

    /// # Safety
    ///
    /// 1. `start` came from `map(size)`. 2. Nobody uses the memory any more.
    pub(super) unsafe fn unmap(start: NonNull<u8>, size: usize) {
        // SAFETY: the caller's 1 and 2.
        unsafe { libc::munmap(start.as_ptr().cast(), size) };
    }
}

#[cfg(not(all(target_os = "linux", not(loom), not(ftpool_portable))))]
mod imp {
    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::ptr::NonNull;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 4096).expect("a slab's size is a constant")
    }

    pub(super) fn map(size: usize, _huge: bool) -> Option<NonNull<u8>> {
        // SAFETY: the size is not zero, slabs hold at least one segment.
        NonNull::new(unsafe { alloc_zeroed(layout(size)) })
    }

    /// # Safety
    ///
    /// 1. `start` came from `map(size)`. 2. Nobody uses the memory any more.
    pub(super) unsafe fn unmap(start: NonNull<u8>, size: usize) {
        // SAFETY: the caller's 1 and 2; the layout is the one it was allocated with.
        unsafe { dealloc(start.as_ptr(), layout(size)) };
    }
}
