//! How outcomes are read.

use super::outcomes::{Nothing, Outcomes};
use super::round_robin::Positions;
use super::stream::Run;
use crate::sync::{Deadline, awake};
use crate::sys::atomic::{Ordering, count, count_up};

/// After so many values, writers are told that they need not fence any more, until a reader waits again.
const RELAX_EVERY: u64 = 256;

impl<D, F> Outcomes<D, F> {
    #[inline(always)]
    pub(crate) fn next_done(&self, deadline: impl Into<Deadline>) -> Result<D, Nothing> {
        let entry = self.locked(Self::pop_done);
        entry.map_or_else(|| self.wait_for(deadline.into(), Self::pop_done), Ok)
    }

    #[inline(always)]
    pub(crate) fn next_failed(&self, deadline: impl Into<Deadline>) -> Result<F, Nothing> {
        let entry = self.locked(Self::pop_failed);
        entry.map_or_else(|| self.wait_for(deadline.into(), Self::pop_failed), Ok)
    }

    /// The next entry of either queue. Reads the clock only if there is none.
    #[inline(always)]
    pub(crate) fn next(&self, deadline: impl Into<Deadline>) -> Result<Result<D, F>, Nothing> {
        match self.done_at_hand() {
            Some(done) => Ok(Ok(done)),
            None => self.wait_for(deadline.into(), Self::pop),
        }
    }

    /// The next value, unless there is none, or a failure, which would come first.
    #[inline(always)]
    pub(crate) fn done_at_hand(&self) -> Option<D> {
        let mut positions = self.reader.positions.lock()?;
        if self.failed_len() > 0 { None } else { self.pop_done(&mut positions) }
    }

    /// Passes at most `most` entries to `keep` without waiting, failed ones first; returns how many. No user code may
    /// run in `keep`.
    pub(crate) fn take(&self, most: usize, mut keep: impl FnMut(Result<D, F>)) -> usize {
        let Some(mut positions) = self.reader.positions.lock() else { return 0 };
        let mut taken = 0;
        while taken < most {
            taken += if self.failed_len() > 0
                && let Some(failed) = self.pop_failed(&mut positions)
            {
                keep(Err(failed));
                1
            } else {
                match self.take_run(&mut positions, most - taken, &mut keep) {
                    0 => break,
                    run => run,
                }
            };
        }
        drop(positions);
        if taken < most {
            self.listen();
        }
        taken
    }

    #[inline(always)]
    fn take_run(&self, positions: &mut Positions<D, F>, most: usize, keep: &mut impl FnMut(Result<D, F>)) -> usize {
        let run = self.run_of_done(positions);
        let count = run.len().min(most);
        for _ in 0..count {
            if let Some(done) = run.pop() {
                keep(Ok(done));
            }
        }
        self.count_done(count);
        count
    }

    /// Waits for the next entry; `None` once [`stop`](Self::stop) was called and all entries were read, and in the
    /// child of a fork: there this is the copy of a thread, whose entries are the parent's.
    pub(crate) fn next_until_stopped(&self) -> Option<Result<D, F>> {
        if self.reader.positions.is_elsewhere() {
            return None;
        }
        let pop = || self.locked(Self::pop);
        let look = || {
            let stopped = self.stopped.load(Ordering::Acquire);
            pop().map(Some).or_else(|| stopped.then_some(None))
        };
        self.arrivals.wait_until(Deadline::NEVER, look).flatten()
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.arrivals.notify();
    }

    #[cold]
    fn wait_for<R>(
        &self,
        deadline: Deadline,
        pop: impl Fn(&Self, &mut Positions<D, F>) -> Option<R>,
    ) -> Result<R, Nothing> {
        let pop = || self.locked(&pop);
        let look = || {
            if let Some(entry) = pop() {
                return Some(Ok(entry));
            }
            // First complete, then empty: an entry that is not there was read by another reader, and no notification
            // will come.
            let complete = self.outstanding() == 0;
            pop().map(Ok).or_else(|| complete.then_some(Err(Nothing::Finished)))
        };
        let _wait = awake::wait(deadline, || self.has_entries() || self.outstanding() == 0, || self.written());
        let verdict = self.arrivals.wait_until(deadline, look).unwrap_or(Err(Nothing::TimedOut));
        if verdict.is_err() {
            self.listen();
        }
        verdict
    }

    /// In the child of a fork nothing, if a reader of the parent may be in the middle of it: protocol in `README.md`.
    #[inline(always)]
    pub(super) fn locked<R>(&self, pop: impl FnOnce(&Self, &mut Positions<D, F>) -> Option<R>) -> Option<R> {
        pop(self, &mut *self.reader.positions.lock()?)
    }

    #[inline(always)]
    pub(super) fn pop(&self, positions: &mut Positions<D, F>) -> Option<Result<D, F>> {
        if self.failed_len() > 0
            && let Some(failed) = self.pop_failed(positions)
        {
            return Some(Err(failed));
        }
        self.pop_done(positions).map(Ok)
    }

    #[inline(always)]
    pub(super) fn pop_done(&self, positions: &mut Positions<D, F>) -> Option<D> {
        let next = self.run_of_done(positions).pop()?;
        self.count_done(1);
        Some(next)
    }

    /// The next adjacent values.
    #[inline(always)]
    fn run_of_done<'a>(&self, positions: &'a mut Positions<D, F>) -> &'a mut Run<D> {
        // SAFETY: 1. `positions` are the only ones, and position n belongs to outbox n; 2. a run is searched for when
        // the last one is used up, and positions live as long as the streams.
        positions.done.run(|number, position| unsafe { self.outboxes[number].done.find(position) })
    }

    /// Counts values that were taken.
    #[inline(always)]
    fn count_done(&self, taken: usize) {
        if count_up(&self.reader.taken_done, taken) % RELAX_EVERY < taken as u64 {
            self.arrivals.relax();
        }
        self.free_places(taken);
    }

    #[cold]
    pub(super) fn pop_failed(&self, positions: &mut Positions<D, F>) -> Option<F> {
        // SAFETY: 1. and 2. as in `run_of_done`.
        let find = |number: usize, position: &mut _| unsafe { self.outboxes[number].failed.find(position) };
        let next = positions.failed.run(find).pop()?;
        count(&self.reader.taken_failed);
        self.free_places(1);
        Some(next)
    }

    #[inline]
    fn free_places(&self, places: usize) {
        if let Some(quota) = &self.quota {
            quota.give_back(places);
        }
    }
}
