//! Waiting for several jobs.

use super::ordered_slab::OrderedSlab;
use super::{JobError, JobHandle, WaitError};
use crate::pool::current;
use crate::queue::{After, Arrivals};
use crate::sync::Deadline;
use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The condition that [`wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Until {
    /// Every job has ended.
    All,
    /// One job has ended.
    First,
    /// One job has ended without a value, or all have ended.
    FirstFailed,
}

/// Which jobs had ended when [`wait`] returned, as ascending indices into the slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    /// The jobs that had ended in any way.
    pub done: Vec<usize>,
    /// The jobs that had not.
    pub not_done: Vec<usize>,
}

/// Waits until all jobs, or the first of them, have ended, and returns which have.
///
/// `until` chooses the condition. If the deadline passes first, that is not an error: [`Waited::not_done`] tells. An
/// empty slice returns at once. Each call looks at all jobs, so to process many of them as they end, use
/// [`as_completed`].
///
/// # Errors
///
/// [`WaitError::Deadlock`] if the caller is a job that all remaining jobs wait for; [`WaitError::Forked`] and
/// [`WaitError::Exiting`] as for [`JobHandle::wait`].
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Deadline, Pool, Until, wait};
///
/// let pool = Pool::new()?;
/// let jobs = [pool.submit(|| 1)?, pool.submit(|| 2)?];
/// let waited = wait(&jobs, Until::All, Deadline::in_secs(10))?;
/// assert_eq!(waited.done, [0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn wait<T: Send + 'static>(
    jobs: &[JobHandle<T>],
    until: Until,
    deadline: impl Into<Deadline>,
) -> Result<Waited, WaitError> {
    let jobs: Vec<&JobHandle<T>> = jobs.iter().collect();
    wait_for(&jobs, until, deadline.into())?;
    let (done, not_done) = (0..jobs.len()).partition(|&index| jobs[index].is_done());
    Ok(Waited { done, not_done })
}

/// As [`wait`], for handles that are not in one slice. False if the deadline passed first.
pub(crate) fn wait_for<T: Send + 'static>(
    jobs: &[&JobHandle<T>],
    until: Until,
    deadline: Deadline,
) -> Result<bool, WaitError> {
    let enough = |job: &JobHandle<T>| match until {
        Until::All => false,
        Until::First => job.is_done(),
        Until::FirstFailed => failed(job),
    };
    if jobs.iter().any(|job| enough(job)) {
        return Ok(true);
    }
    let waited = match until {
        Until::All => jobs.iter().try_for_each(|job| job.wait(deadline)),
        Until::First | Until::FirstFailed => wait_until_enough(jobs, deadline, enough),
    };
    match waited {
        Ok(()) => Ok(true),
        Err(WaitError::TimedOut) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits until a job has ended of which `enough` is true, or all have ended.
fn wait_until_enough<T: Send + 'static>(
    jobs: &[&JobHandle<T>],
    deadline: Deadline,
    enough: impl Fn(&JobHandle<T>) -> bool,
) -> Result<(), WaitError> {
    let mut watched = Watched::new();
    jobs.iter().for_each(|job| watched.push(*job));
    while let Some(job) = watched.next(deadline) {
        if enough(job?) {
            break;
        }
    }
    Ok(())
}

fn failed<T: Send + 'static>(job: &JobHandle<T>) -> bool {
    matches!(
        job.get(),
        Some(Err(JobError::Panicked(_) | JobError::Failed(_) | JobError::Cancelled | JobError::Expired))
    )
}

/// Handles, or references to them, whose jobs push an arrival when they end.
struct Watched<T: Send + 'static, H: Borrow<JobHandle<T>>> {
    /// Each with the key under which it is watched; `None` if it had ended.
    pending: OrderedSlab<(H, Option<u64>)>,
    arrivals: Arc<Arrivals>,
    values: PhantomData<JobHandle<T>>,
}

impl<T: Send + 'static, H: Borrow<JobHandle<T>>> Watched<T, H> {
    fn new() -> Self {
        Self { pending: OrderedSlab::new(), arrivals: Arc::new(Arrivals::new()), values: PhantomData }
    }

    fn push(&mut self, job: H) {
        self.pending.push_with(|index| {
            let key = job.borrow().watch(After::Arrive(Arc::clone(&self.arrivals), index));
            if key.is_none() {
                self.arrivals.push(index);
            }
            (job, key)
        });
    }

    fn iter(&self) -> impl Iterator<Item = &JobHandle<T>> {
        self.pending.iter().map(|(job, _)| job.borrow())
    }

    /// The next job to end; `None` if there are no more.
    fn next(&mut self, deadline: Deadline) -> Option<Result<H, WaitError>> {
        if self.pending.len() == 0 {
            return None;
        }
        let next = next_arrival(&self.arrivals, || self.iter(), deadline);
        Some(next.map(|index| self.pending.remove(index).expect("a job arrives once").0))
    }

    /// Removes all jobs that were not returned, and stops watching them.
    fn take_rest(&mut self) -> Vec<H> {
        let rest = std::mem::replace(&mut self.pending, OrderedSlab::new()).into_vec();
        let unwatched = |(job, key): (H, Option<u64>)| {
            if let Some(key) = key {
                job.borrow().unwatch(key);
            }
            job
        };
        rest.into_iter().map(unwatched).collect()
    }
}

impl<T: Send + 'static, H: Borrow<JobHandle<T>>> Drop for Watched<T, H> {
    fn drop(&mut self) {
        drop(self.take_rest());
    }
}

/// The index of the next job to end. In a job of their pool this runs one of them here if none has started it.
fn next_arrival<'a, T: Send + 'static, I: Iterator<Item = &'a JobHandle<T>>>(
    arrivals: &Arrivals,
    jobs: impl Fn() -> I,
    deadline: Deadline,
) -> Result<usize, WaitError> {
    if let Some(index) = arrivals.pop() {
        return Ok(index);
    }
    // All jobs are in this process, so one of them answers for all.
    jobs().next().map_or(Ok(()), JobHandle::check_process)?;
    if deadline == Deadline::NEVER {
        let inside = current::with(|worker| {
            let own = || jobs().filter(|job| job.on_own_worker(|_| ()).is_some());
            let queued = own().filter(|job| !job.is_started()).map(|job| job.id().get());
            // Includes jobs that have ended and are about to arrive: with them the wait ends. 0 stands for a job of
            // another pool, of which this pool does not know what it waits for.
            let awaited = || jobs().map(|job| job.on_own_worker(|_| job.id().get()).unwrap_or(0)).collect();
            worker.wait_for_one(queued, awaited, || arrivals.wait())
        });
        inside.unwrap_or(Ok(()))?;
    }
    arrivals.next(deadline).ok_or(WaitError::TimedOut)
}

/// Iterates over jobs in the order in which they end; those that have ended already come first.
///
/// Each step waits for the next job to end. The deadline is for the whole iteration. The total cost is proportional to
/// the number of jobs.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Deadline, Pool, as_completed};
///
/// let pool = Pool::new()?;
/// let jobs = (0..10).map(|n| pool.submit(move || n * n)).collect::<Result<Vec<_>, _>>()?;
/// let mut sum = 0;
/// for job in as_completed(jobs, Deadline::NEVER) {
///     sum += job?.join()?;
/// }
/// assert_eq!(sum, 285);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn as_completed<T: Send + 'static>(
    jobs: impl IntoIterator<Item = JobHandle<T>>,
    deadline: impl Into<Deadline>,
) -> Completed<T> {
    let mut completed = Completed { watched: Watched::new(), deadline: deadline.into(), stopped: false };
    jobs.into_iter().for_each(|job| completed.push(job));
    completed
}

/// An iterator over jobs as they end. Made by [`as_completed`].
///
/// If the deadline passes first ([`WaitError::TimedOut`]), or a wait fails otherwise as for [`JobHandle::wait`], the
/// iterator yields that error and then ends. [`into_rest`](Self::into_rest) returns the jobs that were not yielded.
#[must_use = "an iterator does nothing before it is used"]
pub struct Completed<T: Send + 'static> {
    watched: Watched<T, JobHandle<T>>,
    deadline: Deadline,
    stopped: bool,
}

impl<T: Send + 'static> Completed<T> {
    /// Adds a job. Allowed at any time, also between two steps of the iteration.
    pub fn push(&mut self, job: JobHandle<T>) {
        self.watched.push(job);
    }

    /// How many jobs are still to be yielded.
    pub fn len(&self) -> usize {
        self.watched.pending.len()
    }

    /// The jobs that were not yielded.
    pub(super) fn pending(&self) -> impl Iterator<Item = &JobHandle<T>> {
        self.watched.iter()
    }

    /// As [`next`](Iterator::next), with a deadline of its own.
    pub(crate) fn next_until(&mut self, deadline: Deadline) -> Option<Result<JobHandle<T>, WaitError>> {
        self.watched.next(deadline)
    }

    /// Whether no jobs are left to be yielded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the jobs that were not yielded, for example after the deadline.
    pub fn into_rest(mut self) -> Vec<JobHandle<T>> {
        self.watched.take_rest()
    }
}

impl<T: Send + 'static> fmt::Debug for Completed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completed").field("left", &self.len()).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Iterator for Completed<T> {
    type Item = Result<JobHandle<T>, WaitError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped {
            return None;
        }
        let next = self.next_until(self.deadline);
        self.stopped = matches!(next, Some(Err(_)));
        next
    }
}
