//! A function over many items, whose values come as they are asked for.

use super::task::verdict;
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

/// The values of a chunk, and how long getting the items or running them took, if that is measured.
type Chunk<R> = (Values<R>, Option<Duration>);

/// How long a chunk shall take if the map sees to it, at the least and at the most: submitting it does not matter then,
/// and nobody waits long for the last one.
const FAIR: (Duration, Duration) = (Duration::from_micros(20), Duration::from_micros(200));

/// The most items of a chunk that the map chooses.
const LARGEST: usize = 1024;

/// The values of a function over many items. Made by [`Pool::map`].
///
/// An iterator over the outcomes of the items; an item that fails does not affect the others. Items are pulled from
/// their source as values are asked for: at most [`look_ahead`](Self::look_ahead) jobs are in flight or unread.
/// Dropping the map cancels the jobs that have not started.
#[must_use = "a map does nothing before a value is asked for, and dropping it cancels its jobs"]
pub struct Map<I: Iterator, F, R: Send + 'static> {
    pool: Pool,
    source: Option<I>,
    map: Arc<F>,
    chunk: usize,
    /// Whether the size of the chunks follows from the time they take.
    adapts: bool,
    ahead: usize,
    deadline: Deadline,
    stop_on_error: bool,
    flight: Flight<R>,
    /// How many items those jobs in flight have that have more than one.
    sizes: HashMap<JobId, usize>,
    /// Values that have arrived and were not asked for yet.
    ready: VecDeque<Result<R, JobError>>,
    submitted: usize,
    read: usize,
    refused: Option<SubmitError>,
}

/// Jobs that are under way, each with a chunk of items.
enum Flight<R: Send + 'static> {
    InOrder(VecDeque<JobHandle<Chunk<R>>>),
    AsTheyEnd(Completed<Chunk<R>>),
}

/// How far a [`Map`] has come, in items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Pulled from their source.
    pub submitted: usize,
    /// Yielded.
    pub read: usize,
}

impl Pool {
    /// Applies `map` to every item on the workers and yields the values in the order of the items, as they are asked
    /// for. The source may be endless: no more items are pulled from it than [`Map::look_ahead`] allows.
    ///
    /// For several inputs, zip them: `pool.map(a.zip(b), |(a, b)| …)`. For data that is borrowed see
    /// [`map_slice`](Self::map_slice).
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
            flight: Flight::InOrder(VecDeque::new()),
            sizes: HashMap::new(),
            ready: VecDeque::new(),
            submitted: 0,
            read: 0,
            refused: None,
        }
    }

    /// As [`map`](Self::map), but yields the values in the order in which they are ready.
    pub fn map_unordered<I, F, R>(&self, items: I, map: F) -> Map<I::IntoIter, F, R>
    where
        I: IntoIterator,
        I::Item: Send + 'static,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        Map { flight: Flight::AsTheyEnd(as_completed([], Deadline::NEVER)), ..self.map(items, map) }
    }
}

impl<T: Send + 'static> Results<T> {
    /// Applies `map` to every item on the workers; each value or failure becomes an outcome here. Returns the ids of
    /// the jobs, in the order of the items. Either all are accepted or none is.
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
    /// How many items a job has. 0, the default, lets the map choose: it begins with one, and goes up to 1024 where
    /// both pulling and running the items of a job take less than 20 µs. Use 1 if no item may be pulled from its source
    /// earlier than necessary.
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

    /// How many jobs may be in flight or unread; by default one for each worker, and one more. `usize::MAX` submits all
    /// items at once.
    pub fn look_ahead(mut self, jobs: usize) -> Self {
        self.ahead = jobs.max(1);
        self
    }

    /// Sets a deadline: when it passes, what is left is cancelled and the next value is [`JobError::TimedOut`].
    pub fn until(mut self, deadline: impl Into<Deadline>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Whether the first item that fails is the last one to be yielded, and what is left is cancelled.
    pub fn stop_on_error(mut self, stop: bool) -> Self {
        self.stop_on_error = stop;
        self
    }

    /// Submits the first jobs now, not when the first value is asked for.
    pub fn start(mut self) -> Self {
        self.refill();
        self
    }

    /// Cancels the jobs that have not started, and pulls no more items. What is in flight can still be read.
    pub fn cancel(&mut self) {
        self.source = None;
        match &mut self.flight {
            Flight::InOrder(jobs) => jobs.iter().for_each(|job| _ = job.cancel()),
            Flight::AsTheyEnd(jobs) => jobs.pending().for_each(|job| _ = job.cancel()),
        }
    }

    /// The progress so far.
    pub fn progress(&self) -> Progress {
        Progress { submitted: self.submitted, read: self.read }
    }

    /// Waits until every job in flight has ended.
    ///
    /// # Errors
    ///
    /// As for [`JobHandle::wait`].
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        let deadline = deadline.into();
        match &self.flight {
            Flight::InOrder(jobs) => jobs.iter().try_for_each(|job| job.wait(deadline)),
            Flight::AsTheyEnd(jobs) => jobs.pending().try_for_each(|job| job.wait(deadline)),
        }
    }

    fn refill(&mut self) {
        while self.flight.len() < self.ahead
            && let Some(source) = &mut self.source
        {
            let asked = self.adapts.then(Instant::now);
            let items: Vec<I::Item> = source.take(self.chunk).collect();
            let gathered = asked.map(|asked| asked.elapsed());
            if items.len() < self.chunk {
                self.source = None;
            }
            if items.is_empty() {
                return;
            }
            let (map, count) = (Arc::clone(&self.map), items.len());
            let job = move || {
                let began = gathered.map(|gathered| (gathered, Instant::now()));
                let values = items.into_iter().map(|item| one(|| map(item))).collect();
                (values, began.map(|(gathered, began)| began.elapsed().max(gathered)))
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
        let job = match &mut self.flight {
            Flight::InOrder(jobs) => {
                let waited = jobs.front()?.wait(self.deadline);
                waited.map(|()| jobs.pop_front().expect("waited for"))
            }
            Flight::AsTheyEnd(jobs) => jobs.next_until(self.deadline)?,
        };
        Some(job.map(|job| {
            let size = self.sizes.remove(&job.id()).unwrap_or(1);
            let (values, took) = job.join().unwrap_or_else(|error| (unrun(error, size), None));
            self.adapt(values.len(), took);
            values
        }))
    }

    /// A chunk of so many items took so long: the next ones shall take as long as is fair.
    fn adapt(&mut self, items: usize, took: Option<Duration>) {
        match took {
            Some(short) if short < FAIR.0 && items >= self.chunk => self.chunk = (self.chunk * 2).min(LARGEST),
            Some(long) if long > FAIR.1 => self.chunk = (items / 2).clamp(1, self.chunk),
            _ => {}
        }
    }

    /// Ends the iteration with an error.
    fn abandon(&mut self) {
        self.cancel();
        self.ready.clear();
        self.sizes.clear();
        self.refused = None;
        self.flight = Flight::InOrder(VecDeque::new());
    }
}

/// What became of one item: it neither fails its chunk nor is failed by it.
fn one<R>(code: impl FnOnce() -> R) -> Result<R, JobError> {
    current::with(|worker| verdict(worker, || Ok(code()))).expect("a job runs on a worker")
}

/// The outcomes of a chunk that was cancelled: each item has one, so that those behind keep their places.
fn unrun<R>(error: JobError, items: usize) -> Values<R> {
    iter::once(error).chain(iter::repeat_with(|| JobError::Cancelled)).take(items).map(Err).collect()
}

impl<R: Send + 'static> Flight<R> {
    fn len(&self) -> usize {
        match self {
            Self::InOrder(jobs) => jobs.len(),
            Self::AsTheyEnd(jobs) => jobs.len(),
        }
    }

    fn push(&mut self, job: JobHandle<Chunk<R>>) {
        match self {
            Self::InOrder(jobs) => jobs.push_back(job),
            Self::AsTheyEnd(jobs) => jobs.push(job),
        }
    }
}

impl<R: Send + 'static> Drop for Flight<R> {
    fn drop(&mut self) {
        match self {
            Self::InOrder(jobs) => jobs.iter().for_each(|job| _ = job.cancel()),
            Self::AsTheyEnd(jobs) => jobs.pending().for_each(|job| _ = job.cancel()),
        }
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
