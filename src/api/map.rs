//! Maps: a function over an iterator, whose values are computed ahead of the reader.

use super::flight::{Chunk, Flight, Values};
use super::task::execute;
use super::wait::as_completed;
use super::{JobError, JobId, Pool, Results, SubmitError, WaitError, handled};
use crate::pool::current;
use crate::sync::Deadline;
use crate::sys::lock::Lock;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::iter::{self, FusedIterator};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A chunk that is not submitted yet.
type ChunkCode<R> = Box<dyn FnOnce() -> Result<Chunk<R>, JobError> + Send>;

/// How long a chunk should take, if the map chooses its size: so long that the cost of submitting it is negligible, and
/// so short that the last chunk does not keep the reader waiting.
const CHUNK_TIME: (Duration, Duration) = (Duration::from_micros(20), Duration::from_micros(200));

/// The largest chunk that the map chooses, in items.
const MAX_CHUNK: usize = 1024;

/// An iterator over the results of a function that runs on a pool. Made by [`Pool::map`] and [`Pool::map_unordered`].
///
/// It yields `Result<R, JobError>` for each item; an item that fails does not affect the others. Nothing is submitted
/// before the first value is asked for, unless [`start`](Self::start) is called. From then on, items are pulled from
/// their source ahead of the reader: at most [`look_ahead`](Self::look_ahead) jobs are in flight or unread. Dropping
/// the map cancels the jobs that have not started.
///
/// Every item that was pulled has an outcome. If the pool rejects a job because its queue is full, the map tries again
/// when a value has been read; if no job is in flight, the thread that asks for values runs the items itself.
#[must_use = "a map does nothing before a value is asked for, and dropping it cancels its jobs"]
pub struct Map<I: Iterator, F, R: Send + 'static> {
    pool: Pool,
    source: Option<I>,
    map: Arc<F>,
    chunk: usize,
    /// Whether the map chooses the size of the chunks by the time they take.
    adapts: bool,
    ahead: usize,
    deadline: Deadline,
    stop_on_error: bool,
    flight: Flight<R>,
    /// How many items a job in flight has, if it has more than one.
    sizes: HashMap<JobId, usize>,
    /// Values that have arrived and were not yielded yet.
    ready: VecDeque<Result<R, JobError>>,
    submitted: usize,
    read: usize,
    /// A chunk for which the queue had no room, and its size.
    waiting: Lock<Option<(ChunkCode<R>, usize)>>,
    /// Why there is no more, and how many items were pulled by then that will not run.
    refused: Option<(JobError, usize)>,
}

/// The progress of a [`Map`], in items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Items that were pulled from their source and submitted.
    pub submitted: usize,
    /// Items whose results were yielded.
    pub read: usize,
}

impl Pool {
    /// Calls `map` with every item on the workers, and yields the results in the order of the items.
    ///
    /// The source may be endless: no more items are pulled from it than [`Map::look_ahead`] allows. For several inputs,
    /// zip them: `pool.map(a.zip(b), |(a, b)| …)`. For a slice that is borrowed, see [`map_slice`](Self::map_slice).
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = fastthreadpool::Pool::new()?;
    /// let squares: Vec<u64> = pool.map(0..1000, |n| n * n).collect::<Result<_, _>>()?;
    /// assert_eq!(squares[999], 998_001);
    /// let some: Vec<u64> = pool.map(1.., |n| n * 2).take(3).collect::<Result<_, _>>()?; // an endless source
    /// assert_eq!(some, [2, 4, 6]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<I, F, R>(&self, items: I, map: F) -> Map<I::IntoIter, F, R>
    where
        I: IntoIterator,
        I::Item: Send + 'static,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        Map {
            pool: self.clone(),
            source: Some(items.into_iter()),
            map: Arc::new(map),
            chunk: 1,
            adapts: true,
            ahead: self.core().limit() + 1,
            deadline: Deadline::NEVER,
            stop_on_error: false,
            flight: Flight::Ordered(VecDeque::new()),
            sizes: HashMap::new(),
            ready: VecDeque::new(),
            submitted: 0,
            read: 0,
            waiting: Lock::new(None),
            refused: None,
        }
    }

    /// As [`map`](Self::map), but yields the results in the order in which they are ready.
    pub fn map_unordered<I, F, R>(&self, items: I, map: F) -> Map<I::IntoIter, F, R>
    where
        I: IntoIterator,
        I::Item: Send + 'static,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        Map { flight: Flight::Unordered(as_completed([], Deadline::NEVER)), ..self.map(items, map) }
    }
}

impl<T: Send + 'static> Results<T> {
    /// Submits a job for every item that calls `map` with it; each value or failure becomes an outcome here.
    ///
    /// Returns the ids of the jobs in the order of the items. Either all jobs are accepted or none is.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn map<I: Send + 'static>(
        &self,
        items: impl IntoIterator<Item = I>,
        map: impl Fn(I) -> T + Send + Sync + 'static,
    ) -> Result<Vec<JobId>, SubmitError> {
        let map = Arc::new(map);
        self.submit_batch(items.into_iter().map(|item| {
            let map = Arc::clone(&map);
            move || map(item)
        }))
    }
}

impl<I, F, R> Map<I, F, R>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    R: Send + 'static,
{
    /// Sets how many items a job has. 0, the default, lets the map choose: it begins with 1, and goes up to 1024 as
    /// long as both pulling and running the items of a job take less than 20 µs. Use 1 if no item may be pulled from
    /// its source earlier than necessary.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = fastthreadpool::Pool::new()?;
    /// let sum: u64 = pool.map(0..100_000, |n| n / 3).chunk_size(500).map(Result::unwrap).sum();
    /// assert_eq!(sum, (0..100_000).map(|n| n / 3).sum());
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn chunk_size(mut self, items: usize) -> Self {
        (self.chunk, self.adapts) = (items.max(1), items == 0);
        self
    }

    /// Sets how many jobs may be in flight or unread. By default one for each worker, and one more. `usize::MAX`
    /// submits all items at once.
    pub fn look_ahead(mut self, jobs: usize) -> Self {
        self.ahead = jobs.max(1);
        self
    }

    /// Sets a deadline. When it passes, the remaining jobs are cancelled, and the map yields [`JobError::TimedOut`] and
    /// ends.
    pub fn until(mut self, deadline: impl Into<Deadline>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets whether the first failure ends the map: the error is yielded last, and the remaining jobs are cancelled.
    pub fn stop_on_error(mut self, stop: bool) -> Self {
        self.stop_on_error = stop;
        self
    }

    /// Submits the first jobs now, instead of when the first value is asked for.
    pub fn start(mut self) -> Self {
        self.refill();
        self
    }

    /// Cancels the jobs that have not started, and pulls no more items. Results of the jobs in flight can still be
    /// read.
    pub fn cancel(&mut self) {
        self.source = None;
        if let Some((_, count)) = self.take_waiting() {
            self.refused = Some((JobError::Cancelled, count));
        }
        self.flight.cancel();
    }

    /// How many items were submitted and read so far.
    pub fn progress(&self) -> Progress {
        Progress { submitted: self.submitted, read: self.read }
    }

    /// Waits until every job in flight has ended.
    ///
    /// # Errors
    ///
    /// As for [`JobHandle::wait`](crate::JobHandle::wait).
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        self.flight.wait(deadline.into())
    }

    fn refill(&mut self) {
        while self.flight.len() < self.ahead
            && let Some((code, count)) = self.take_waiting().or_else(|| self.pull())
        {
            // A full queue may have room after a job of this map has been read. If none is in flight, only this thread
            // is sure to run the chunk.
            let submitted = match handled::submit_or_hand_back(self.pool.core(), code, false) {
                Err((SubmitError::Full, code)) if self.flight.len() == 0 => {
                    handled::submit_or_hand_back(self.pool.core(), code, true)
                }
                submitted => submitted,
            };
            match submitted {
                Ok(job) => {
                    if count > 1 {
                        self.sizes.insert(job.id(), count);
                    }
                    self.flight.push(job);
                }
                Err((SubmitError::Full, code)) => {
                    *self.waiting.lock() = Some((code, count));
                    return;
                }
                Err((refused, _)) => {
                    self.source = None;
                    self.refused = Some((refused.into(), count));
                }
            }
        }
    }

    fn take_waiting(&self) -> Option<(ChunkCode<R>, usize)> {
        self.waiting.lock().take()
    }

    /// The next chunk and its size; `None` if there are no more items.
    fn pull(&mut self) -> Option<(ChunkCode<R>, usize)> {
        let start = self.adapts.then(Instant::now);
        let items: Vec<I::Item> = self.source.as_mut()?.take(self.chunk).collect();
        let pulling = start.map(|start| start.elapsed());
        let (map, count) = (Arc::clone(&self.map), items.len());
        if count < self.chunk {
            self.source = None;
        }
        self.submitted += count;
        let code = move || {
            let start = pulling.map(|pulling| (pulling, Instant::now()));
            let values = items.into_iter().map(|item| map_item(|| map(item))).collect();
            Ok((values, start.map(|(pulling, start)| start.elapsed().max(pulling))))
        };
        (count > 0).then(|| (Box::new(code) as ChunkCode<R>, count))
    }

    /// The next chunk of values; `None` if there are no more.
    fn next_chunk(&mut self) -> Option<Result<Values<R>, WaitError>> {
        Some(self.flight.next(self.deadline)?.map(|job| {
            let size = self.sizes.remove(&job.id()).unwrap_or(1);
            let (values, took) = job.join().unwrap_or_else(|error| (unrun_chunk(error, size), None));
            self.adapt(values.len(), took);
            values
        }))
    }

    /// Adapts the size of the next chunks to how long one of `items` items took.
    fn adapt(&mut self, items: usize, took: Option<Duration>) {
        let (least, most) = CHUNK_TIME;
        match took {
            Some(took) if took < least && items >= self.chunk => self.chunk = (self.chunk * 2).min(MAX_CHUNK),
            Some(took) if took > most => self.chunk = (items / 2).clamp(1, self.chunk),
            _ => {}
        }
    }

    /// Ends the iteration with an error.
    fn abandon(&mut self) {
        self.cancel();
        self.ready.clear();
        self.sizes.clear();
        self.refused = None;
        self.flight = Flight::Ordered(VecDeque::new());
    }
}

/// The result of one item. Its failure is not the failure of its chunk.
fn map_item<R>(code: impl FnOnce() -> R) -> Result<R, JobError> {
    current::with(|worker| execute(worker, || Ok(code()))).expect("a job runs on a worker")
}

/// The results of a chunk that was cancelled or refused: one for each item, so that later ones keep their places.
fn unrun_chunk<R>(error: JobError, items: usize) -> Values<R> {
    iter::once(error).chain(iter::repeat_with(|| JobError::Cancelled)).take(items).map(Err).collect()
}

impl<I, F, R> Iterator for Map<I, F, R>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    R: Send + 'static,
{
    type Item = Result<R, JobError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            self.refill();
            match self.next_chunk() {
                Some(Ok(values)) => self.ready.extend(values),
                Some(Err(error)) => {
                    self.abandon();
                    return Some(Err(error.into()));
                }
                None => {
                    let (refused, items) = self.refused.take()?;
                    self.ready.extend(unrun_chunk(refused, items));
                    break;
                }
            }
            self.refill();
        }
        let value = self.ready.pop_front()?;
        self.read += 1;
        if value.is_err() && self.stop_on_error {
            self.abandon();
        }
        Some(value)
    }
}

impl<I, F, R> FusedIterator for Map<I, F, R>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    R: Send + 'static,
{
}

impl<I: Iterator, F, R: Send + 'static> fmt::Debug for Map<I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("submitted", &self.submitted).field("read", &self.read).finish_non_exhaustive()
    }
}
