//! Requests: jobs with options.

use super::handled::Promise;
use super::outcome::{Attachment, Outcome};
use super::pool::accepted;
use super::task::{Callback, Destination, Finally, Watch, WithOptions};
use super::{Due, Emitter, Group, JobError, JobHandle, JobId, Pool, Results, SubmitError, timers};
use crate::pool::{Core, Job, Rejected, Route};
use crate::sys::clock::nanos;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A job with options that is not yet submitted. Made by [`Pool::job`], [`Results::job`] and [`Results::emitting`].
///
/// Set the options, then call [`submit`](Self::submit), or [`submit_handle`](Self::submit_handle) for a handle.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Deadline, Outcome, Pool};
///
/// let pool = Pool::new()?;
/// let lengths = pool.results();
/// let log = |outcome: &Outcome<usize>| println!("{}: {:?}", outcome.id, outcome.result);
/// lengths.job(|| "four".len()).first().then(log).submit()?;
/// assert_eq!(lengths.next_done(Deadline::NEVER)?.1, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a request does nothing before it is submitted"]
pub struct Request<'a, T: Send + 'static, F> {
    core: &'a Arc<Core>,
    results: Option<&'a Results<T>>,
    code: F,
    first: bool,
    group: Option<&'a Group>,
    callback: Option<Callback<T>>,
    finally: Option<Finally>,
    start_by: Option<StartBy>,
    due: Option<Due>,
    watch: Option<Watch>,
}

#[derive(Clone, Copy)]
enum StartBy {
    Within(Duration),
    At(Instant),
}

impl<T: Send + 'static, F> fmt::Debug for Request<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("first", &self.first).finish_non_exhaustive()
    }
}

impl<'a, T, F> Request<'a, T, F>
where
    T: Send + 'static,
    F: FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static,
{
    pub(crate) fn new(core: &'a Arc<Core>, results: Option<&'a Results<T>>, code: F) -> Self {
        Self {
            core,
            results,
            code,
            first: false,
            group: None,
            callback: None,
            finally: None,
            start_by: None,
            due: None,
            watch: None,
        }
    }

    /// Queues the job ahead of every queued job of the pool, or of its [group](Self::group).
    pub fn first(mut self) -> Self {
        self.first = true;
        self
    }

    /// Puts the job into a group of the same pool, whose limit and priority then apply.
    ///
    /// # Panics
    ///
    /// If the group belongs to another pool.
    pub fn group(mut self, group: &'a Group) -> Self {
        assert!(group.belongs_to(self.core), "the group belongs to another pool");
        self.group = Some(group);
        self
    }

    /// Delays the job until it is due, like [`Pool::spawn_at`]. [`first`](Self::first) then has no effect.
    ///
    /// A job that waits for a delayed job of its own pool needs a time limit. Without one, the wait returns
    /// [`WaitError::Deadlock`](crate::WaitError::Deadlock), because the waiting worker may be the only one that could
    /// run the delayed job.
    ///
    /// # Panics
    ///
    /// On submission, if the job also has a group or a start deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let later = pool.job(|| "2 ms later").at(Duration::from_millis(2)).submit_handle()?;
    /// assert_eq!(later.join()?, "2 ms later");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(mut self, due: impl Into<Due>) -> Self {
        self.due = Some(due.into());
        self
    }

    /// Calls `callback` with the outcome before it can be read.
    ///
    /// It is called on the thread that has run the job, or on the one that cancelled or expired it. For a job that
    /// emits values it is called with each value, and with the failure if there is one. If it panics, the job fails
    /// with that panic. A later call of `then`, `try_then` or `settle` replaces the callback.
    pub fn then(self, mut callback: impl FnMut(&Outcome<T>) + Send + 'static) -> Self {
        self.try_then(move |outcome| {
            callback(outcome);
            Ok::<_, Infallible>(())
        })
    }

    /// As [`then`](Self::then); if the callback returns an error, the job fails with it.
    pub fn try_then<E>(self, mut callback: impl FnMut(&Outcome<T>) -> Result<(), E> + Send + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.then_amend(move |outcome| callback(outcome).map_err(JobError::failed))
    }

    /// As [`then`](Self::then), but the callback takes the result and returns the one to replace it. So it can turn a
    /// failure into a value, or a value into a failure.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let parsed = pool.job(|| "x".parse().unwrap()).settle(|_, result| Ok(result.unwrap_or(0))).submit_handle()?;
    /// assert_eq!(parsed.join()?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn settle(
        self,
        mut callback: impl FnMut(JobId, Result<T, JobError>) -> Result<T, JobError> + Send + 'static,
    ) -> Self {
        self.then_amend(move |outcome| {
            // The placeholder is not visible: if the callback panics, the panic replaces it.
            let result = mem::replace(&mut outcome.result, Err(JobError::Cancelled));
            outcome.result = callback(outcome.id, result);
            Ok(())
        })
    }

    /// As [`try_then`](Self::try_then), and the callback may change the outcome.
    pub(crate) fn then_amend(
        mut self,
        callback: impl FnMut(&mut Outcome<T>) -> Result<(), JobError> + Send + 'static,
    ) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Calls `cleanup` exactly once when the accepted job has ended in any way, before its outcome can be read. It is
    /// not called if the job is not accepted.
    pub fn finally(self, cleanup: impl FnOnce() + Send + 'static) -> Self {
        self.finally_attach(|| {
            cleanup();
            None
        })
    }

    /// As `finally`, and what it returns is attached to the outcome.
    pub(crate) fn finally_attach(mut self, cleanup: impl FnOnce() -> Option<Attachment> + Send + 'static) -> Self {
        self.finally = Some(Box::new(cleanup));
        self
    }

    /// Sets a deadline for the start of the job, counted from its submission.
    ///
    /// A job that no worker has started by then ends [`Expired`](JobError::Expired) at that moment, not when a worker
    /// would have reached it. It is dropped, and its callback called, on the pool's timer thread; on the submitting
    /// thread if the deadline passes during the submit; and with a [`ManualClock`](crate::ManualClock) on the thread
    /// that advances it. A submit that waits for room ([`max_queued`](crate::Builder::max_queued)) returns
    /// [`SubmitError::Full`] at the same deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{JobError, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().workers(1).build()?;
    /// let slow = pool.submit(|| std::thread::sleep(Duration::from_millis(50)))?;
    /// let reply = pool.job(|| "a reply in time").start_within(Duration::from_millis(1)).submit_handle()?;
    /// assert!(matches!(reply.join(), Err(JobError::Expired))); // before the slow job has ended
    /// slow.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_within(mut self, time: Duration) -> Self {
        self.start_by = Some(StartBy::Within(time));
        self
    }

    /// As [`start_within`](Self::start_within), with an absolute deadline.
    pub fn start_by(mut self, deadline: Instant) -> Self {
        self.start_by = Some(StartBy::At(deadline));
        self
    }

    /// Sets a limit on how long the job should run. If it runs longer, the hook of
    /// [`Builder::on_overrun`](crate::Builder::on_overrun) is called once, with this name; the job goes on. In a pool
    /// without that hook this has no effect. If the system refuses what it needs (memory, the timer thread), the job
    /// runs nevertheless.
    pub fn run_limit(mut self, name: impl Into<Arc<str>>, limit: Duration) -> Self {
        self.watch = Some((name.into(), nanos(limit)));
        self
    }

    /// Submits the job, and returns its id.
    ///
    /// # Errors
    ///
    /// As for [`Pool::spawn`], and [`SubmitError::Past`] if the time at which it is [due](Self::at) has passed. The job
    /// and its callbacks are dropped without having been called.
    pub fn submit(self) -> Result<JobId, SubmitError> {
        let destination = self.results.map_or(Destination::Nowhere, |results| Destination::Results(results.delivery()));
        self.submit_to(destination)
    }

    /// Submits the job, and returns a handle: to wait for its value, to get it, or to cancel the job.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    ///
    /// # Panics
    ///
    /// If the request was made by a results object: an outcome has one destination.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let answer = pool.job(|| 6 * 7).first().finally(|| println!("the job has ended")).submit_handle()?;
    /// assert_eq!(answer.join()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_handle(self) -> Result<JobHandle<T>, SubmitError> {
        assert!(self.results.is_none(), "the outcome goes to the results object that made the request");
        let (promise, mut reader) = Promise::pair(self.core);
        let id = self.submit_to(Destination::Handle(promise))?;
        reader.set_id(id.get());
        Ok(JobHandle::new(reader))
    }

    fn submit_to(self, destination: Destination<T>) -> Result<JobId, SubmitError> {
        let (core, start_by) = (self.core, self.start_by);
        if let Some(due) = self.due {
            assert!(
                self.group.is_none() && start_by.is_none(),
                "a delayed job cannot have a group or a start deadline"
            );
            return timers::submit_at(core, due, &mut Some(Job::new(self.into_task(destination))));
        }
        let route = match (self.group, self.first) {
            (Some(group), first) => Route::Group(group.inner(), first),
            (None, true) => Route::First,
            (None, false) => Route::Back,
        };
        let task = self.into_task(destination);
        if let Some(start_by) = start_by {
            return accepted(core.submit_expiring(route, start_by.moment(core), task));
        }
        accepted(core.submit_routed(Job::new(task), route))
    }

    fn into_task(self, destination: Destination<T>) -> WithOptions<T, F> {
        let submitted = self.core.is_timed().then(Instant::now);
        let Self { code, callback, finally, watch, .. } = self;
        WithOptions { destination, code, callback, finally, watch, submitted }
    }
}

/// A job without options of a pool that measures times.
pub(super) fn timed_job<T: Send + 'static>(
    core: &Arc<Core>,
    code: impl FnOnce() -> Result<T, JobError> + Send + 'static,
    destination: Destination<T>,
) -> Job {
    Job::new(Request::new(core, None, |_: &Emitter<'_, T>| code().map(Some)).into_task(destination))
}

/// Submits such a job. Kept apart, so that the usual job need not be built in memory.
#[cold]
#[inline(never)]
pub(super) fn submit_timed<T: Send + 'static>(
    core: &Arc<Core>,
    code: impl FnOnce() -> Result<T, JobError> + Send + 'static,
    destination: impl FnOnce() -> Destination<T>,
    route: Route<'_>,
) -> Result<u64, Rejected> {
    core.submit_routed(timed_job(core, code, destination()), route)
}

/// Adapts code that may return an error to the form that a request needs.
pub(super) fn fallible<T, E>(
    code: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> impl FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    |_: &Emitter<'_, T>| code().map(Some).map_err(JobError::failed)
}

impl StartBy {
    /// On the pool's monotonic clock.
    fn moment(self, core: &Arc<Core>) -> u64 {
        let clock = core.clock();
        match self {
            Self::Within(time) => clock.now().saturating_add(nanos(time)),
            Self::At(moment) => clock.moment(moment).unwrap_or(0),
        }
    }
}

impl Pool {
    /// Makes a request for a job with options, such as a callback, a group or a deadline.
    ///
    /// Its value goes to the callback, and to a handle if it is submitted by [`submit_handle`](Request::submit_handle).
    /// To collect outcomes in a results object, use [`Results::job`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// pool.job(|| 6 * 7).then(|outcome| println!("{:?}", outcome.result)).submit()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn job<T: Send + 'static>(
        &self,
        code: impl FnOnce() -> T + Send + 'static,
    ) -> Request<'_, T, impl FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static> {
        Request::new(self.core(), None, |_: &Emitter<'_, T>| Ok(Some(code())))
    }

    /// As [`job`](Self::job), for code that returns a `Result`; an error becomes [`JobError::Failed`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let parsed = pool.try_job(|| "x".parse::<i32>()).first().submit_handle()?;
    /// assert!(parsed.join().unwrap_err().to_string().contains("invalid digit"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_job<T: Send + 'static, E>(
        &self,
        code: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Request<'_, T, impl FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Request::new(self.core(), None, fallible(code))
    }
}
