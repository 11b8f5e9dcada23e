//! Who delivers outcomes.

use std::cell::Cell;
use std::marker::PhantomData;

/// The right to deliver as one of the writers.
#[derive(Debug)]
pub(crate) struct WriterId(usize, PhantomData<Cell<()>>);

impl WriterId {
    /// For a writer of which there may be several: it delivers like all who have no writer id.
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
