//! Reading outcomes.

use super::outcome::{Outcome, Queues};
use super::{JobError, JobId, RecvError, Results, WaitError};
use crate::pool::{Core, blocking};
use crate::queue::Nothing;
use crate::sync::Deadline;
use std::cell::Cell;
use std::fmt;

impl<T: Send + 'static> Results<T> {
    /// Waits for the next outcome, done or failed, and returns it. If there are both, either may come first.
    ///
    /// # Errors
    ///
    /// - [`RecvError::Finished`] if every outcome was read and no job is outstanding.
    /// - [`RecvError::TimedOut`] if the deadline passed first.
    /// - [`RecvError::CallbackInUse`] if a callback receives the outcomes.
    /// - [`RecvError::Deadlock`] in a job of a pool with one worker, if jobs are outstanding and there is no deadline.
    /// - [`RecvError::Forked`], [`RecvError::Exiting`].
    #[inline]
    pub fn next(&self, deadline: impl Into<Deadline>) -> Result<Outcome<T>, RecvError> {
        match self.available_value()? {
            Some(outcome) => Ok(outcome),
            None => self.next_slow(deadline),
        }
    }

    /// Reads a value that is available. Kept apart from the slow path, whose outcome may take one of two forms and is
    /// therefore built in memory.
    #[inline(always)]
    pub(crate) fn available_value(&self) -> Result<Option<Outcome<T>>, RecvError> {
        Ok(self.readable()?.done_at_hand().map(|done| Outcome::from(Ok(done))))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn next_slow(&self, deadline: impl Into<Deadline>) -> Result<Outcome<T>, RecvError> {
        self.receive(deadline, |deadline| self.queues().next(deadline)).map(Outcome::from)
    }

    /// Waits for the next value, and returns it with the id of its job. Failures stay in the failed queue.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next); [`RecvError::Finished`] if every value was read and no job is outstanding.
    pub fn next_done(&self, deadline: impl Into<Deadline>) -> Result<(JobId, T), RecvError> {
        self.next_done_outcome(deadline).map(Outcome::into_value)
    }

    /// Waits for the next outcome without a value (failed, cancelled or expired), and returns why there is none, with
    /// the id of the job. Values stay in the done queue.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next); [`RecvError::Finished`] if every failure was read and no job is outstanding.
    pub fn next_failed(&self, deadline: impl Into<Deadline>) -> Result<(JobId, JobError), RecvError> {
        self.next_failed_outcome(deadline).map(Outcome::into_error)
    }

    /// Reads up to `limit` outcomes without waiting, failed ones first; none if a callback receives them.
    pub fn take(&self, limit: usize) -> Vec<Outcome<T>> {
        let mut taken = Vec::with_capacity(limit.min(self.done_count() + self.failed_count()));
        self.take_each(limit, |outcome| taken.push(outcome));
        taken
    }

    /// As [`take`](Self::take), without allocating. `keep` must not run user code.
    #[inline(always)]
    pub(crate) fn take_each(&self, limit: usize, mut keep: impl FnMut(Outcome<T>)) {
        if let Ok(queues) = self.readable() {
            queues.take(
                limit,
                #[inline(always)]
                |entry| keep(Outcome::from(entry)),
            );
        }
    }

    /// Iterates over outcomes as jobs end, until no more can come.
    ///
    /// The iteration ends when every outcome was read and no job is outstanding, including jobs that are submitted
    /// meanwhile. It ends early where [`next`](Self::next) returns another error than [`RecvError::Finished`].
    ///
    /// # Panics
    ///
    /// If a callback receives the outcomes.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let squares = pool.results();
    /// squares.submit_batch((0..10).map(|n| move || n * n))?;
    /// for outcome in squares.as_completed() {
    ///     match outcome.result {
    ///         Ok(square) => println!("{square}"),
    ///         Err(error) => eprintln!("job {}: {error}", outcome.id),
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_completed(&self) -> AsCompleted<'_, T> {
        assert!(!self.is_dispatched(), "{}", RecvError::CallbackInUse);
        AsCompleted { results: self, deadline: Deadline::NEVER }
    }

    /// The number of values that can be read now.
    pub fn done_count(&self) -> usize {
        self.queues().done_len()
    }

    /// The number of outcomes without a value that can be read now.
    pub fn failed_count(&self) -> usize {
        self.queues().failed_len()
    }

    /// The number of jobs submitted through this object that have not ended yet.
    pub fn outstanding(&self) -> u64 {
        self.queues().outstanding()
    }

    /// Returns a file descriptor that `poll`, `epoll` and the like report as readable when there is something to read.
    ///
    /// Like an edge-triggered descriptor, it is reported once, and again only after a reader has found nothing more:
    /// before you poll, read with [`Deadline::NOW`] until [`RecvError::TimedOut`] or [`RecvError::Finished`]. It costs
    /// a system call only while a thread waits for it. It belongs to this object; do not read from it or close it.
    ///
    /// # Errors
    ///
    /// The system's error if it refuses a descriptor; [`Unsupported`](std::io::ErrorKind::Unsupported) where there is
    /// no `eventfd`, and in a forked child.
    #[cfg(unix)]
    pub fn poll_fd(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
        Ok(self.queues().bell()?.as_fd())
    }

    #[inline]
    pub(crate) fn next_done_outcome(&self, deadline: impl Into<Deadline>) -> Result<Outcome<T>, RecvError> {
        let queues = self.readable()?;
        self.receive(deadline, |deadline| queues.next_done(deadline)).map(|done| Outcome::from(Ok(done)))
    }

    pub(crate) fn next_failed_outcome(&self, deadline: impl Into<Deadline>) -> Result<Outcome<T>, RecvError> {
        let queues = self.readable()?;
        self.receive(deadline, |deadline| queues.next_failed(deadline)).map(|failed| Outcome::from(Err(failed)))
    }

    /// Reads an outcome by `read`, without waiting where none can arrive.
    #[inline]
    fn receive<R, D: Into<Deadline>>(
        &self,
        deadline: D,
        read: impl FnOnce(CheckedDeadline<'_, D>) -> Result<R, Nothing>,
    ) -> Result<R, RecvError> {
        let why = Cell::new(None);
        read(CheckedDeadline { core: self.core(), deadline, why: &why }).map_err(|nothing| match (nothing, why.get()) {
            (Nothing::TimedOut, Some(why)) => why,
            (nothing, _) => nothing.into(),
        })
    }

    fn readable(&self) -> Result<&Queues<T>, RecvError> {
        if self.is_dispatched() { Err(RecvError::CallbackInUse) } else { Ok(self.queues()) }
    }
}

/// A deadline that is evaluated only if there is nothing to read. If the wait would never end, it becomes
/// [`Deadline::NOW`], and `why` is set.
struct CheckedDeadline<'a, D> {
    core: &'a Core,
    deadline: D,
    why: &'a Cell<Option<RecvError>>,
}

impl<D: Into<Deadline>> From<CheckedDeadline<'_, D>> for Deadline {
    #[cold]
    fn from(checked: CheckedDeadline<'_, D>) -> Self {
        let deadline = checked.deadline.into();
        checked.why.set(never_ends(checked.core, deadline));
        if checked.why.get().is_some() { Self::NOW } else { deadline }
    }
}

/// Why no outcome can arrive while the calling thread waits, if that is so: it may be the pool's only worker.
fn never_ends(core: &Core, deadline: Deadline) -> Option<RecvError> {
    match core.may_wait() {
        Err(WaitError::Forked) => Some(RecvError::Forked),
        Err(WaitError::Exiting) => Some(RecvError::Exiting),
        Err(WaitError::Deadlock) => {
            let alone = core.limit() == 1 && !blocking::is_under_way();
            (alone && deadline == Deadline::NEVER).then_some(RecvError::Deadlock)
        }
        _ => None,
    }
}

/// An iterator over outcomes as jobs end. Made by [`Results::as_completed`].
#[must_use = "an iterator does nothing before it is used"]
pub struct AsCompleted<'a, T: Send + 'static> {
    results: &'a Results<T>,
    deadline: Deadline,
}

impl<T: Send + 'static> AsCompleted<'_, T> {
    /// Ends the iteration also when `deadline` has passed. Outcomes that were not read stay in the results object.
    pub fn until(self, deadline: impl Into<Deadline>) -> Self {
        Self { deadline: deadline.into(), ..self }
    }
}

impl<T: Send + 'static> fmt::Debug for AsCompleted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("results", self.results).field("deadline", &self.deadline).finish()
    }
}

impl<T: Send + 'static> Iterator for AsCompleted<'_, T> {
    type Item = Outcome<T>;

    fn next(&mut self) -> Option<Outcome<T>> {
        self.results.next(self.deadline).ok()
    }
}
