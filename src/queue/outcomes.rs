//! Results and failures on their way from the workers to a reader.

use super::Quota;
use super::biased::BiasedCounter;
use super::round_robin::Reader;
use super::stream::Stream;
use super::writer_id::WriterId;
use crate::sync::{Bell, EventCount};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering, count};
use crate::sys::fence;
use crate::sys::lock::ForkedLock;
use std::sync::{Arc, OnceLock};
use std::{fmt, io};

/// Why a reader got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// Not before the deadline.
    TimedOut,
    /// Everything expected has ended, and everything that was delivered was read.
    Finished,
}

/// A done queue and a failed queue. A *delivery* is any number of entries and then its end. It is made with a
/// [`Ticket`](super::Ticket), so that a reader can tell "not yet" from "nothing more".
///
/// # Memory ordering
///
/// Entries are ordered by their streams. A delivery's `ended` count (release) is stored after its entries; a reader
/// sums the counts (acquire) before it looks for the last entries. `expected` counts a delivery before it can be made,
/// so a reader that reads `ended` first and `expected` afterwards never takes "not yet" for "nothing more". Storing
/// `settled` (release) is a writer's last access.
#[derive(Debug)]
pub(crate) struct Outcomes<D, F> {
    /// One for each writer, and one for all threads without a writer id.
    pub(super) outboxes: Box<[CachePadded<Outbox<D, F>>]>,
    outsiders: ForkedLock<()>,
    /// How many failed entries were ever written: one word to read instead of many.
    failures: AtomicU64,
    expected: BiasedCounter,
    pub(super) reader: CachePadded<Reader<D, F>>,
    pub(super) arrivals: EventCount,
    /// Set by [`stop`](Self::stop).
    pub(super) stopped: AtomicBool,
    bell: OnceLock<Bell>,
    pub(super) quota: Option<Arc<Quota>>,
    discard: Option<Discard<D>>,
}

/// Called in the end with each done entry that was not read. Without it they are dropped.
pub(crate) struct Discard<D>(pub(crate) Box<dyn Fn(D) + Send + Sync>);

impl<D> fmt::Debug for Discard<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discard")
    }
}

/// The entries of one writer, which alone stores here.
#[derive(Debug)]
pub(super) struct Outbox<D, F> {
    pub(super) done: Stream<D>,
    pub(super) failed: Stream<F>,
    ended: AtomicU64,
    settled: AtomicU64,
}

impl<D, F> Outcomes<D, F> {
    /// For writer ids 0 to `writers` − 1.
    pub(crate) fn new(writers: usize, quota: Option<Arc<Quota>>, discard: Option<Discard<D>>) -> Self {
        let outbox = || Outbox {
            done: Stream::new(),
            failed: Stream::new(),
            ended: AtomicU64::new(0),
            settled: AtomicU64::new(0),
        };
        Self {
            outboxes: (0..=writers).map(|_| CachePadded::new(outbox())).collect(),
            outsiders: ForkedLock::new(()),
            failures: AtomicU64::new(0),
            expected: BiasedCounter::new(),
            reader: CachePadded::new(Reader::new(writers + 1)),
            arrivals: EventCount::new(),
            stopped: AtomicBool::new(false),
            bell: OnceLock::new(),
            quota,
            discard,
        }
    }

    /// Announces `count` deliveries.
    #[inline]
    pub(super) fn expect(&self, count: u64) {
        self.expected.add(count);
    }

    /// Takes the place of one entry, if there is a bound on them, or waits for it.
    #[inline]
    pub(super) fn reserve(&self, writer_id: &WriterId) {
        match &self.quota {
            None => {}
            // The calling thread may be the reader, which would wait for itself.
            Some(quota) if writer_id.is_outside() => quota.take_anyway(),
            Some(quota) => quota.take(),
        }
    }

    /// Adds an entry, whose place is reserved, to a delivery that continues.
    pub(super) fn emit(&self, writer_id: &WriterId, entry: D) {
        let outside = writer_id.is_outside().then(|| self.outsiders.lock());
        if matches!(outside, Some(None)) {
            return; // In the child of a fork, where nobody waits for it.
        }
        let outbox = self.outboxes.get(writer_id.number()).unwrap_or(self.outsiders_outbox());
        // SAFETY: 1. there is no other writer with this id, or the lock makes this the only one.
        unsafe { outbox.done.write(entry) };
        drop(outside);
        self.announce();
    }

    /// Ends a delivery, with a last entry, whose place is reserved, if there is one. The caller may not access the
    /// queues afterwards.
    #[inline(always)]
    pub(super) fn deliver(&self, writer_id: &WriterId, entry: Option<Result<D, F>>) {
        let Some(outbox) = self.outboxes.get(writer_id.number()) else {
            return self.deliver_reserved_from_outside(entry);
        };
        // SAFETY: 1. there is no other writer with this id.
        unsafe { self.put(outbox, entry) };
        count(&outbox.settled);
    }

    /// The same, by a thread without a writer id.
    pub(super) fn deliver_from_outside(&self, entry: Option<Result<D, F>>) {
        if let (Some(quota), Some(_)) = (&self.quota, &entry) {
            quota.take_anyway();
        }
        self.deliver_reserved_from_outside(entry);
    }

    fn outsiders_outbox(&self) -> &CachePadded<Outbox<D, F>> {
        &self.outboxes[self.outboxes.len() - 1]
    }

    #[cold]
    fn deliver_reserved_from_outside(&self, entry: Option<Result<D, F>>) {
        let Some(outside) = self.outsiders.lock() else {
            return; // In the child of a fork, where nobody waits for it.
        };
        let outbox = self.outsiders_outbox();
        // SAFETY: 1. the lock makes this the only writer.
        unsafe { self.put(outbox, entry) };
        drop(outside); // Before the last access.
        outbox.settled.fetch_add(1, Ordering::Release);
    }

    /// Inlined, because an entry that is written to memory in pieces and read as a whole stalls the processor, which
    /// took half of a delivery's time.
    ///
    /// # Safety
    ///
    /// 1. No other thread writes to the outbox meanwhile.
    #[inline(always)]
    unsafe fn put(&self, outbox: &Outbox<D, F>, entry: Option<Result<D, F>>) {
        match entry {
            // SAFETY: 1. the caller's 1.
            Some(Ok(done)) => unsafe { outbox.done.write(done) },
            Some(Err(failed)) => {
                // SAFETY: the caller's 1.
                unsafe { outbox.failed.write(failed) };
                self.failures.fetch_add(1, Ordering::Release);
            }
            None => {}
        }
        count(&outbox.ended);
        self.announce();
    }

    #[inline(always)]
    fn announce(&self) {
        self.arrivals.notify();
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }

    /// The bell that rings when there is something to read, created and armed by the first call. It rings once, and
    /// again after a reader has found no more entries. The child of a fork gets none for the parent's queues.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is nothing to poll"))]
    pub(crate) fn bell(&self) -> io::Result<&Bell> {
        if self.reader.positions.is_elsewhere() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if self.bell.get().is_none() {
            let _a_second_one_is_dropped = self.bell.set(Bell::new()?); // M1
            fence::heavy(); // M2
        }
        let bell = self.bell.get().expect("it was set");
        bell.arm(|| self.has_entries());
        if self.has_entries() {
            bell.ring(); // M3: another reader may have armed it before M2.
        }
        Ok(bell)
    }

    pub(super) fn has_entries(&self) -> bool {
        self.done_len() + self.failed_len() > 0
    }

    /// Called by a reader that has found no entry.
    pub(super) fn listen(&self) {
        if let Some(bell) = self.bell.get() {
            bell.arm(|| self.has_entries());
        }
    }

    /// Whether every announced delivery has ended, and its writer will not access the queues again.
    pub(super) fn is_settled(&self) -> bool {
        let settled: u64 = self.outboxes.iter().map(|outbox| outbox.settled.load(Ordering::Acquire)).sum();
        settled == self.expected.sum()
    }

    /// How many values are unread. Other threads may change it before it is returned.
    pub(crate) fn done_len(&self) -> usize {
        let taken = self.reader.taken_done.load(Ordering::Acquire);
        self.written().saturating_sub(taken) as usize
    }

    /// How many values were ever written.
    pub(super) fn written(&self) -> u64 {
        self.outboxes.iter().map(|outbox| outbox.done.written()).sum()
    }

    /// How many failures are unread.
    pub(crate) fn failed_len(&self) -> usize {
        let taken = self.reader.taken_failed.load(Ordering::Acquire);
        self.failures.load(Ordering::Acquire).saturating_sub(taken) as usize
    }

    /// Drops an unread entry; false if there is none. A destructor that panics leaves the other entries.
    pub(crate) fn drop_next(&self) -> bool {
        match (self.locked(Self::pop), &self.discard) {
            (None, _) => return false,
            (Some(Ok(done)), Some(discard)) => (discard.0)(done),
            (Some(entry), _) => drop(entry),
        }
        true
    }

    /// How many announced deliveries have not ended yet.
    pub(crate) fn outstanding(&self) -> u64 {
        let ended: u64 = self.outboxes.iter().map(|outbox| outbox.ended.load(Ordering::Acquire)).sum();
        self.expected.sum().saturating_sub(ended)
    }
}

impl<D, F> Drop for Outcomes<D, F> {
    fn drop(&mut self) {
        while self.drop_next() {}
        let mut positions = self.reader.positions.lock().expect("queues are dropped where they were made");
        for (number, outbox) in self.outboxes.iter().enumerate() {
            // SAFETY: 1. as in `run_of_done`, and nothing is left; 2. the queues are dropped.
            unsafe { outbox.done.destroy(&mut positions.done.at[number]) };
            // SAFETY: as above.
            unsafe { outbox.failed.destroy(&mut positions.failed.at[number]) };
        }
    }
}
