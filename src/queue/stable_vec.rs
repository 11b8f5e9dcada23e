//! Very many equal things that stay where they are, in large pieces of memory.

use super::arena::OutOfMemory;
use crate::sys::pages::Pages;
use crate::sys::size::real_or_modelled;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// log2 of the things in a piece.
const PIECE_BITS: u32 = real_or_modelled(17, 8);

/// Things in a piece.
const PIECE: usize = 1 << PIECE_BITS;

/// Grows at its end only. What it takes to find a thing by its number is one small array.
#[derive(Debug)]
pub(super) struct StableVec<T> {
    pieces: Vec<Pages>,
    /// The first things of all pieces together, which are there.
    len: usize,
    holds: PhantomData<T>,
}

impl<T> StableVec<T> {
    pub(super) const fn new() -> Self {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096, "pages are not aligned to more") };
        Self { pieces: Vec::new(), len: 0, holds: PhantomData }
    }

    /// Adds some things, of which a piece holds a whole number; none if there is no memory.
    pub(super) fn extend(&mut self, count: usize, mut make: impl FnMut() -> T) -> Result<(), OutOfMemory> {
        debug_assert!(PIECE.is_multiple_of(count), "what is added never spans two pieces");
        if self.len == self.pieces.len() * PIECE {
            self.pieces.try_reserve(1).map_err(|_| OutOfMemory)?;
            // The first piece grows page by page: mostly there are few things.
            let huge = self.len > 0;
            self.pieces.push(Pages::map(size_of::<T>() * PIECE, huge).ok_or(OutOfMemory)?);
        }
        for _ in 0..count {
            // SAFETY: 1. the piece is there.
            let place = unsafe { self.place(self.len) };
            // SAFETY: nobody else knows of this place yet.
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
        // SAFETY: what is counted was written, and stays until this goes.
        unsafe { place.as_ref() }
    }

    /// # Safety
    ///
    /// 1. The thing's piece is there.
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
            // SAFETY: it was written, and nobody uses it any more.
            unsafe { place.drop_in_place() };
        }
    }
}
