//! Two inboxes, one for what succeeded and one for what did not, and when nothing more will come.

use super::Inbox;
use crate::sync::{Deadline, EventCount};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, Ordering};

/// Why a reader got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// Not before the deadline.
    TimedOut,
    /// Everything expected has arrived, and everything that arrived was read.
    Finished,
}

/// A done queue and a failed queue. Each entry is announced by [`expect`](Self::expect) before it is delivered, so that
/// a reader can tell "not yet" from "nothing more".
///
/// # Memory ordering
///
/// Deliveries are ordered by the inboxes. `expected` counts an entry before anybody can deliver it, so a reader that
/// reads what has arrived first and what is expected afterwards never takes "not yet" for "nothing more".
#[derive(Debug)]
pub(crate) struct Outcomes<D, F> {
    done: Inbox<D>,
    failed: Inbox<F>,
    writers: usize,
    expected: CachePadded<AtomicU64>,
    arrivals: EventCount,
}

impl<D, F> Outcomes<D, F> {
    /// Writers 0 to `writers` − 1 do not disturb one another; all others deliver as [`outsider`](Self::outsider).
    pub(crate) fn new(writers: usize) -> Self {
        Self {
            done: Inbox::new(writers + 1),
            failed: Inbox::new(writers + 1),
            writers,
            expected: CachePadded::new(AtomicU64::new(0)),
            arrivals: EventCount::new(),
        }
    }

    /// Announces `count` entries.
    pub(crate) fn expect(&self, count: u64) {
        self.expected.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes an announcement back: `count` entries will not be delivered.
    pub(crate) fn give_up(&self, count: u64) {
        self.expected.fetch_sub(count, Ordering::Relaxed);
        self.arrivals.notify();
    }

    /// The writer that outsiders deliver as.
    pub(crate) fn outsider(&self) -> usize {
        self.writers
    }

    pub(crate) fn deliver_done(&self, writer: usize, entry: D) {
        self.done.push(writer, entry);
        self.arrivals.notify();
    }

    pub(crate) fn deliver_failed(&self, writer: usize, entry: F) {
        self.failed.push(writer, entry);
        self.arrivals.notify();
    }

    pub(crate) fn done_len(&self) -> usize {
        self.done.len()
    }

    pub(crate) fn failed_len(&self) -> usize {
        self.failed.len()
    }

    /// How many announced entries were not delivered yet.
    pub(crate) fn outstanding(&self) -> u64 {
        let arrived = self.arrived();
        self.expected.load(Ordering::Acquire).saturating_sub(arrived)
    }

    pub(crate) fn next_done(&self, deadline: Deadline) -> Result<D, Nothing> {
        self.next_by(deadline, || self.done.pop())
    }

    pub(crate) fn next_failed(&self, deadline: Deadline) -> Result<F, Nothing> {
        self.next_by(deadline, || self.failed.pop())
    }

    /// The next entry of either queue, turned into an `R`.
    pub(crate) fn next<R>(
        &self,
        deadline: Deadline,
        done: impl Fn(D) -> R,
        failed: impl Fn(F) -> R,
    ) -> Result<R, Nothing> {
        self.next_by(deadline, || match self.failed.len() {
            0 => self.done.pop().map(&done),
            _ => self.failed.pop().map(&failed).or_else(|| self.done.pop().map(&done)),
        })
    }

    /// Takes at most `most` entries without waiting, failed ones first.
    pub(crate) fn take<R>(&self, most: usize, done: impl Fn(D) -> R, failed: impl Fn(F) -> R) -> Vec<R> {
        let mut taken = Vec::with_capacity(most.min(self.failed.len() + self.done.len()));
        let failures = self.failed.take(most, |entry| taken.push(failed(entry)));
        self.done.take(most - failures, |entry| taken.push(done(entry)));
        taken
    }

    fn next_by<R>(&self, deadline: Deadline, pop: impl Fn() -> Option<R>) -> Result<R, Nothing> {
        let look = || {
            if let Some(entry) = pop() {
                return Some(Ok(entry));
            }
            // Complete first, empty second: then what is not there was read by somebody, and nobody will notify.
            let complete = self.outstanding() == 0;
            pop().map(Ok).or_else(|| complete.then_some(Err(Nothing::Finished)))
        };
        self.arrivals.wait_until(deadline, look).unwrap_or(Err(Nothing::TimedOut))
    }

    fn arrived(&self) -> u64 {
        self.done.arrived() + self.failed.arrived()
    }
}
