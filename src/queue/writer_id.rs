//! The identity of a thread that delivers outcomes.

use std::cell::Cell;
use std::marker::PhantomData;

/// The right to deliver as one of the writers.
#[derive(Debug)]
pub(crate) struct WriterId(usize, PhantomData<Cell<()>>);

impl WriterId {
    /// For writers of which there may be several at a time: they deliver as threads without a writer id do.
    pub(crate) const OUTSIDE: Self = Self(usize::MAX, PhantomData);

    /// # Safety
    ///
    /// 1. There is no other with this number for the same queues.
    pub(crate) unsafe fn new(number: usize) -> Self {
        Self(number, PhantomData)
    }

    pub(super) fn is_outside(&self) -> bool {
        self.0 == Self::OUTSIDE.0
    }

    #[inline(always)]
    pub(super) fn number(&self) -> usize {
        self.0
    }
}
