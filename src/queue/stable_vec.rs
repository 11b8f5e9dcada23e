//! Very many values of one type that stay where they are, in large pieces of memory.

use super::arena::OutOfMemory;
use crate::sys::pages::Pages;
use crate::sys::size::real_or_modelled;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// log2 of the values in a piece.
const PIECE_BITS: u32 = real_or_modelled(17, 8);

/// Values in a piece.
const PIECE: usize = 1 << PIECE_BITS;

/// Grows at its end only. A value is found by its number in one small array of pieces.
#[derive(Debug)]
pub(super) struct StableVec<T> {
    pieces: Vec<Pages>,
    /// How many values there are: the first ones of all pieces together.
    len: usize,
    holds: PhantomData<T>,
}

impl<T> StableVec<T> {
    pub(super) const fn new() -> Self {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096, "pages are not aligned to more") };
        Self { pieces: Vec::new(), len: 0, holds: PhantomData }
    }

    /// Adds `count` values, a divisor of the size of a piece; none if there is no memory.
    pub(super) fn extend(&mut self, count: usize, mut make: impl FnMut() -> T) -> Result<(), OutOfMemory> {
        debug_assert!(PIECE.is_multiple_of(count), "what is added never spans two pieces");
        if self.len == self.pieces.len() * PIECE {
            self.pieces.try_reserve(1).map_err(|_| OutOfMemory)?;
            // The first piece is backed page by page: mostly there are few values.
            let huge = self.len > 0;
            self.pieces.push(Pages::map(size_of::<T>() * PIECE, huge).ok_or(OutOfMemory)?);
        }
        for _ in 0..count {
            // SAFETY: 1. the piece exists.
            let place = unsafe { self.place(self.len) };
            // SAFETY: the place is not in use yet.
            unsafe { place.write(make()) };
            self.len += 1;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn get(&self, number: usize) -> &T {
        assert!(number < self.len);
        // SAFETY: 1. it is one of the first `len`.
        let place = unsafe { self.place(number) };
        // SAFETY: it was written, and stays until this is dropped.
        unsafe { place.as_ref() }
    }

    /// # Safety
    ///
    /// 1. The value's piece exists.
    #[inline]
    unsafe fn place(&self, number: usize) -> NonNull<T> {
        // SAFETY: the caller's 1.
        let piece = unsafe { self.pieces.get_unchecked(number / PIECE) };
        // SAFETY: within the piece.
        unsafe { piece.start().cast::<T>().add(number % PIECE) }
    }
}

impl<T> Drop for StableVec<T> {
    fn drop(&mut self) {
        for number in 0..self.len {
            // SAFETY: 1. it is one of the first `len`.
            let place = unsafe { self.place(number) };
            // SAFETY: it was written, and nothing borrows it.
            unsafe { place.drop_in_place() };
        }
    }
}
