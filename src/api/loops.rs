//! Parallel loops, in which the caller takes part.

use super::Pool;
use crate::pool::call_sites::Site;
use crate::pool::trial::Rest;
use crate::pool::{Failure, frame, loops, parts, trial, values};
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

/// The number of a chunk's first item, and the value of the chunk.
type Part<R> = (usize, R);

/// Parallel loops, which return when all items are done.
///
/// The caller takes part, and so does every free worker if that pays: the caller runs the first items alone to see how
/// long they take, and keeps a loop of a few microseconds to itself. So items must not wait for each other; jobs that
/// do are for [`spawn`](Self::spawn). Loops work in jobs and outside, with closures that borrow, nested to any depth,
/// and on a pool that was shut down, where the caller runs everything.
///
/// A panic in the body stops the loop: running chunks finish, then the first panic resumes in the caller.
impl Pool {
    /// Runs `body(i)` for every `i` of a range, in no particular order.
    ///
    /// Returns false if the body has called [`fail`](crate::fail), which stops the loop.
    ///
    /// # Panics
    ///
    /// If the body panics, after every participant has stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// let (pool, sum) = (fastthreadpool::Pool::new()?, AtomicU64::new(0));
    /// pool.for_range(0..1000, |i| {
    ///     sum.fetch_add(i as u64, Ordering::Relaxed);
    /// });
    /// assert_eq!(sum.into_inner(), 499_500);
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn for_range(&self, range: Range<usize>, body: impl Fn(usize) + Sync) -> bool {
        self.for_chunks(range, 0, |chunk| chunk.for_each(&body))
    }

    /// Splits a range into chunks, and runs `body(chunk)` for each, in no particular order.
    ///
    /// `grain` is the number of items in a chunk, of which the last one may have fewer; 0 lets the loop choose. Returns
    /// false if the body has called [`fail`](crate::fail), which stops the loop.
    ///
    /// # Panics
    ///
    /// As [`for_range`](Self::for_range).
    pub fn for_chunks(&self, range: Range<usize>, grain: usize, body: impl Fn(Range<usize>) + Sync) -> bool {
        self.for_chunks_at(Site::of(&body), range, grain, body).is_ok()
    }

    /// The same for a body that is not identified by its type, such as a C function. An error is the body's failure.
    #[inline]
    pub(crate) fn for_chunks_at(
        &self,
        site: Site,
        range: Range<usize>,
        grain: usize,
        body: impl Fn(Range<usize>) + Sync,
    ) -> Result<(), Box<Failure>> {
        frame::enter(|| {
            let piecewise = |items| pieces(items, grain).for_each(&body);
            if let Some(rest) = trial::try_out(site, range, grain, true, piecewise) {
                self.finish(rest, &body);
            }
        })
    }

    /// Runs `body` with every item of a slice, in no particular order.
    ///
    /// Returns false if the body has called [`fail`](crate::fail), which stops the loop.
    ///
    /// # Panics
    ///
    /// As [`for_range`](Self::for_range).
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = fastthreadpool::Pool::new()?;
    /// pool.for_each(&["a", "b"], |name| println!("{name}"));
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn for_each<T: Sync>(&self, items: &[T], body: impl Fn(&T) + Sync) -> bool {
        self.for_chunks(0..items.len(), 0, |chunk| items[chunk].iter().for_each(&body))
    }

    /// Runs `body` with a mutable reference to every item of a slice, in no particular order.
    ///
    /// Returns false if the body has called [`fail`](crate::fail), which stops the loop.
    ///
    /// # Panics
    ///
    /// As [`for_range`](Self::for_range).
    ///
    /// # Examples
    ///
    /// ```
    /// let (pool, mut numbers) = (fastthreadpool::Pool::new()?, vec![1, 2, 3]);
    /// pool.for_each_mut(&mut numbers, |number| *number *= 2);
    /// assert_eq!(numbers, [2, 4, 6]);
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn for_each_mut<T: Send>(&self, items: &mut [T], body: impl Fn(&mut T) + Sync) -> bool {
        frame::enter(|| {
            let ended = parts::run(self.core(), items, |part| part.iter_mut().for_each(&body));
            ended.unwrap_or_else(|payload| resume_unwind(payload));
        })
        .is_ok()
    }

    /// Calls `map` with every item of a slice, and returns the values in the order of the items.
    ///
    /// [`fail`](crate::fail) in `map` does not stop it, but counts for the job or loop that calls this.
    ///
    /// # Panics
    ///
    /// As [`for_range`](Self::for_range).
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = fastthreadpool::Pool::new()?;
    /// assert_eq!(pool.map_slice(&[1, 2, 3], |n| n * n), [1, 4, 9]);
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn map_slice<T: Sync, R: Send>(&self, items: &[T], map: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let values = values::run(self.core(), items.len(), |i| map(&items[i]));
        values.unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// Calls `map(i)` for every `i` of a range, and combines the values by `combine`, in the order of the range.
    ///
    /// How the values are grouped is not specified, so `combine` must be associative. `identity` is combined once, as
    /// the leftmost value, and is the result of an empty range. [`fail`](crate::fail) does not stop it, but counts for
    /// the job or loop that calls this.
    ///
    /// # Panics
    ///
    /// As [`for_range`](Self::for_range).
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = fastthreadpool::Pool::new()?;
    /// let sum = pool.reduce(0..1_000_000, 0, |i| i as u64, |a, b| a + b);
    /// assert_eq!(sum, 499_999_500_000);
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn reduce<R: Send>(
        &self,
        range: Range<usize>,
        identity: R,
        map: impl Fn(usize) -> R + Sync,
        combine: impl Fn(R, R) -> R + Sync,
    ) -> R {
        // A chunk is never empty, so its value is never `None`.
        let chunk = |chunk: Range<usize>| chunk.map(&map).reduce(&combine);
        let both = |a: Option<R>, b: Option<R>| match (a, b) {
            (Some(a), Some(b)) => Some(combine(a, b)),
            (a, b) => a.or(b),
        };
        match self.fold_chunks(Site::of(&chunk), range, 0, false, chunk, both).flatten() {
            Some(value) => combine(identity, value),
            None => identity,
        }
    }

    /// The values of chunks, combined from left to right; `None` for an empty range. If `stoppable`, a failure in the
    /// current [`frame`] ends the loop, and the values of the remaining chunks are missing.
    #[inline]
    pub(crate) fn fold_chunks<R: Send>(
        &self,
        site: Site,
        range: Range<usize>,
        grain: usize,
        stoppable: bool,
        chunk: impl Fn(Range<usize>) -> R + Sync,
        combine: impl Fn(R, R) -> R,
    ) -> Option<R> {
        if range.is_empty() {
            return None;
        }
        let mut first: Option<R> = None;
        let rest = trial::try_out(site, range, grain, stoppable, |items| {
            for value in pieces(items, grain).map(&chunk) {
                first = Some(match first.take() {
                    Some(before) => combine(before, value),
                    None => value,
                });
            }
        });
        let Some(rest) = rest else { return first };
        let parts: Mutex<Vec<Part<R>>> = Mutex::new(Vec::new());
        self.finish(rest, &|items| {
            let start = items.start;
            let value = chunk(items);
            parts.lock().unwrap_or_else(PoisonError::into_inner).push((start, value));
        });
        let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        parts.sort_unstable_by_key(|part| part.0);
        first.into_iter().chain(parts.into_iter().map(|part| part.1)).reduce(combine)
    }

    fn finish(&self, rest: Rest, body: &(dyn Fn(Range<usize>) + Sync)) {
        loops::run(self.core(), rest, body).unwrap_or_else(|payload| resume_unwind(payload));
    }
}

/// Splits items that a loop runs at a time, which may be several chunks, into chunks of `grain`; one chunk if it is 0.
#[inline]
fn pieces(items: Range<usize>, grain: usize) -> impl Iterator<Item = Range<usize>> {
    let (step, end) = (if grain == 0 { items.len().max(1) } else { grain }, items.end);
    items.step_by(step).map(move |start| start..end.min(start.saturating_add(step)))
}
