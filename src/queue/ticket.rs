//! The ownership of outcome queues, without a reference count per job.

use super::outcomes::Outcomes;
use super::writer_id::WriterId;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

/// Queues and the right to free them: on drop, if every ticket was used and its user will not access them again. They
/// leak otherwise, so keep the owner until [`is_settled`](Self::is_settled).
#[derive(Debug)]
pub(crate) struct Owner<D, F>(NonNull<Outcomes<D, F>>);

/// The right, and the duty, to make one delivery. Dropped unused, it makes an empty one. Costs its holder a pointer and
/// nothing else: the queues count tickets, see [`Outcomes`]' memory ordering.
#[derive(Debug)]
pub(crate) struct Ticket<D, F>(NonNull<Outcomes<D, F>>);

// SAFETY: queues are shared between threads by design; entries are sent through them.
unsafe impl<D: Send, F: Send> Send for Owner<D, F> {}
// SAFETY: as above.
unsafe impl<D: Send, F: Send> Sync for Owner<D, F> {}
// SAFETY: as above.
unsafe impl<D: Send, F: Send> Send for Ticket<D, F> {}
// SAFETY: as above.
unsafe impl<D: Send, F: Send> Sync for Ticket<D, F> {}

impl<D, F> Owner<D, F> {
    pub(crate) fn new(queues: Outcomes<D, F>) -> Self {
        Self(NonNull::from(Box::leak(Box::new(queues))))
    }

    #[inline]
    pub(crate) fn ticket(&self) -> Ticket<D, F> {
        self.expect(1);
        Ticket(self.0)
    }

    pub(crate) fn tickets(&self, count: usize) -> Vec<Ticket<D, F>> {
        self.expect(count as u64);
        (0..count).map(|_| Ticket(self.0)).collect()
    }

    /// Whether all tickets were used, and their users will not access the queues again.
    pub(crate) fn is_settled(&self) -> bool {
        Outcomes::is_settled(self)
    }
}

impl<D, F> Deref for Owner<D, F> {
    type Target = Outcomes<D, F>;

    #[inline]
    fn deref(&self) -> &Outcomes<D, F> {
        // SAFETY: only the drop of the owner frees the queues.
        unsafe { self.0.as_ref() }
    }
}

impl<D, F> Drop for Owner<D, F> {
    fn drop(&mut self) {
        if self.is_settled() {
            // SAFETY: the pointer came from `Box::leak`, no ticket is left, and their users do not access the queues
            // again.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl<D, F> Ticket<D, F> {
    #[inline]
    fn queues(&self) -> &Outcomes<D, F> {
        // SAFETY: the queues live until this ticket is counted as used.
        unsafe { self.0.as_ref() }
    }

    /// Waits until there is room for one entry, and reserves it for the next one.
    #[inline]
    pub(crate) fn reserve(&self, writer_id: &WriterId) {
        self.queues().reserve(writer_id);
    }

    /// Another ticket for the same queues.
    pub(crate) fn another(&self) -> Self {
        self.queues().expect(1);
        Self(self.0)
    }

    /// Adds an entry to a delivery that continues, after [`reserve`](Self::reserve).
    pub(crate) fn emit(&self, writer_id: &WriterId, entry: D) {
        self.queues().emit(writer_id, entry);
    }

    /// Ends the delivery, with a last entry if there is one, after [`reserve`](Self::reserve).
    #[inline(always)]
    pub(crate) fn deliver(self, writer_id: &WriterId, entry: Option<Result<D, F>>) {
        ManuallyDrop::new(self).queues().deliver(writer_id, entry);
    }

    /// The same, by a thread without a writer id.
    pub(crate) fn deliver_from_outside(self, entry: Option<Result<D, F>>) {
        ManuallyDrop::new(self).queues().deliver_from_outside(entry);
    }
}

impl<D, F> Drop for Ticket<D, F> {
    fn drop(&mut self) {
        self.queues().deliver_from_outside(None);
    }
}
