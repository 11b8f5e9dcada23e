//! Maps: a function over an iterator, whose values are computed ahead of the reader.

use super::task::execute;
use super::wait::{Completed, as_completed};
use super::{JobError, JobHandle, JobId, Pool, Results, SubmitError, WaitError};
use crate::pool::current;
use crate::sync::Deadline;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::iter::{self, FusedIterator};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Values<R> = Vec<Result<R, JobError>>;

/// The values of a chunk, and how long pulling the items or running them took, whichever was longer, if that is
/// measured.
type Chunk<R> = (Values<R>, Option<Duration>);

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
    refused: Option<SubmitError>,
}

/// The jobs that were submitted and not read yet, each with a chunk of items.
enum Flight<R: Send + 'static> {
    Ordered(VecDeque<JobHandle<Chunk<R>>>),
    Unordered(Completed<Chunk<R>>),
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
    /// As for [`JobHandle::wait`].
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        self.flight.wait(deadline.into())
    }

    fn refill(&mut self) {
        while self.flight.len() < self.ahead
            && let Some(source) = &mut self.source
        {
            let start = self.adapts.then(Instant::now);
            let items: Vec<I::Item> = source.take(self.chunk).collect();
            let pulling = start.map(|start| start.elapsed());
            if items.len() < self.chunk {
                self.source = None;
            }
            if items.is_empty() {
                return;
            }
            let (map, count) = (Arc::clone(&self.map), items.len());
            let job = move || {
                let start = pulling.map(|pulling| (pulling, Instant::now()));
                let values = items.into_iter().map(|item| map_item(|| map(item))).collect();
                (values, start.map(|(pulling, start)| start.elapsed().max(pulling)))
            };
            match self.pool.submit(job) {
                Ok(job) => {
                    self.submitted += count;
                    if count > 1 {
                        self.sizes.insert(job.id(), count);
                    }
                    self.flight.push(job);
                }
                Err(refused) => {
                    self.source = None;
                    self.refused = Some(refused);
                }
            }
        }
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

/// The results of a chunk that did not run: one for each item, so that a reader can count them.
fn unrun_chunk<R>(error: JobError, items: usize) -> Values<R> {
    iter::once(error).chain(iter::repeat_with(|| JobError::Cancelled)).take(items).map(Err).collect()
}

impl<R: Send + 'static> Flight<R> {
    fn len(&self) -> usize {
        match self {
            Self::Ordered(jobs) => jobs.len(),
            Self::Unordered(jobs) => jobs.len(),
        }
    }

    fn push(&mut self, job: JobHandle<Chunk<R>>) {
        match self {
            Self::Ordered(jobs) => jobs.push_back(job),
            Self::Unordered(jobs) => jobs.push(job),
        }
    }

    /// Waits for the next job and removes it; `None` if there are no more.
    fn next(&mut self, deadline: Deadline) -> Option<Result<JobHandle<Chunk<R>>, WaitError>> {
        match self {
            Self::Ordered(jobs) => {
                let waited = jobs.front()?.wait(deadline);
                Some(waited.map(|()| jobs.pop_front().expect("waited for")))
            }
            Self::Unordered(jobs) => jobs.next_until(deadline),
        }
    }

    fn wait(&self, deadline: Deadline) -> Result<(), WaitError> {
        match self {
            Self::Ordered(jobs) => jobs.iter().try_for_each(|job| job.wait(deadline)),
            Self::Unordered(jobs) => jobs.pending().try_for_each(|job| job.wait(deadline)),
        }
    }

    fn cancel(&self) {
        match self {
            Self::Ordered(jobs) => jobs.iter().for_each(|job| _ = job.cancel()),
            Self::Unordered(jobs) => jobs.pending().for_each(|job| _ = job.cancel()),
        }
    }
}

impl<R: Send + 'static> Drop for Flight<R> {
    fn drop(&mut self) {
        self.cancel();
    }
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
                None => return self.refused.take().map(|refused| Err(refused.into())),
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
