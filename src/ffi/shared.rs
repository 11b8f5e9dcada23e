//! Memory of a C program that several threads use.

use std::ffi::c_void;

/// A pointer that several threads use, as the program states that they may, such as the context of a callback.
#[derive(Debug)]
pub(super) struct Shared<T = c_void>(pub(super) *mut T);

// SAFETY: the caller of a function that runs on several threads states that the pointer may be used there.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Copy for Shared<T> {}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Shared<T> {
    /// A method, so that closures capture the whole struct and not the pointer in it.
    #[inline(always)]
    pub(super) fn get(self) -> *mut T {
        self.0
    }
}

/// Bytes with the alignment of `malloc`.
#[derive(Clone, Debug)]
pub(super) struct Bytes(Vec<Aligned>);

#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
struct Aligned([u8; 16]);

impl Bytes {
    /// # Safety
    ///
    /// 1. `from` points to `size` bytes.
    pub(super) unsafe fn copy(from: *const u8, size: usize) -> Self {
        let mut bytes = Self(vec![Aligned([0; 16]); size.div_ceil(16).max(1)]);
        // SAFETY: the caller's 1; the copy has room.
        unsafe { from.copy_to_nonoverlapping(bytes.as_mut_ptr(), size) };
        bytes
    }

    pub(super) fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}
