//! A job to order.

use super::handled::Answer;
use super::outcome::{Cargo, Delivery, Outcome};
use super::pool::accepted;
use super::task::{Callback, Finally, Full, Goal, Watch};
use super::{Due, Emitter, Group, JobError, JobHandle, JobId, Pool, Results, SubmitError, timers};
use crate::pool::{Core, Job, Route};
use crate::sys::clock::nanos;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A job with more to it than its code. Made by [`Pool::job`], [`Results::job`] and [`Results::emitting`].
///
/// ```
/// use fastthreadpool::{Deadline, Pool};
///
/// let pool = Pool::new()?;
/// let lengths = pool.results();
/// let log = |outcome: &fastthreadpool::Outcome<usize>| println!("{}: {:?}", outcome.id, outcome.result);
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
    pub(super) fn new(core: &'a Arc<Core>, results: Option<&'a Results<T>>, code: F) -> Self {
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

    /// Before every job of the pool that is queued.
    pub fn first(mut self) -> Self {
        self.first = true;
        self
    }

    /// In a group of the same pool: its limit and priority apply, and [`first`](Self::first) means before all that are
    /// queued in the group.
    ///
    /// # Panics
    ///
    /// If the group is another pool's.
    pub fn group(mut self, group: &'a Group) -> Self {
        assert!(group.belongs_to(self.core), "a group of another pool");
        self.group = Some(group);
        self
    }

    /// When it is due, as [`Pool::spawn_at`] has it: `first` says nothing then.
    ///
    /// A job may wait for a delayed job of its own pool with a time limit only; else it gets
    /// [`WaitError::Deadlock`](crate::WaitError::Deadlock), since the worker that waits may be the one that is needed.
    ///
    /// # Panics
    ///
    /// When it is submitted, if it is in a group or has to begin by some moment.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let later = pool.job(|| "late, but here").at(Duration::from_millis(2)).handle()?;
    /// assert_eq!(later.join()?, "late, but here");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(mut self, due: impl Into<Due>) -> Self {
        self.due = Some(due.into());
        self
    }

    /// Calls `callback` with the outcome, on the worker, before anybody else sees it; where the job emits values, with
    /// each of them and with its failure if there is one. A job that is cancelled or expires is reported on the
    /// thread that ends it. If the callback panics the job has failed with that panic.
    pub fn then(self, mut callback: impl FnMut(&Outcome<T>) + Send + 'static) -> Self {
        self.try_then(move |outcome| {
            callback(outcome);
            Ok::<_, Infallible>(())
        })
    }

    /// As [`then`](Self::then); an error that the callback returns becomes the job's failure.
    pub fn try_then<E>(self, mut callback: impl FnMut(&Outcome<T>) -> Result<(), E> + Send + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.amending(move |outcome| callback(outcome).map_err(|error| JobError::Failed(error.into())))
    }

    /// As [`then`](Self::then), and the callback decides what the job comes to: what it makes of the result takes its
    /// place, be that a value where there was none.
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let parsed = pool.job(|| "x".parse().unwrap()).settle(|_, result| Ok(result.unwrap_or(0))).handle()?;
    /// assert_eq!(parsed.join()?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn settle(
        self,
        mut callback: impl FnMut(JobId, Result<T, JobError>) -> Result<T, JobError> + Send + 'static,
    ) -> Self {
        self.amending(move |outcome| {
            // What is left there meanwhile nobody sees: a panic takes its place.
            let result = mem::replace(&mut outcome.result, Err(JobError::Cancelled));
            outcome.result = callback(outcome.id, result);
            Ok(())
        })
    }

    /// As [`then`](Self::then), and the callback may change the outcome; an error that it returns takes the result's
    /// place.
    pub(crate) fn amending(
        mut self,
        callback: impl FnMut(&mut Outcome<T>) -> Result<(), JobError> + Send + 'static,
    ) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Calls `last` once when the job has ended in whatever way, before its outcome can be read; not if the job is not
    /// accepted.
    pub fn finally(self, last: impl FnOnce() + Send + 'static) -> Self {
        self.sending(|| {
            last();
            None
        })
    }

    /// As `finally`, and what it returns travels with the outcome.
    pub(crate) fn sending(mut self, last: impl FnOnce() -> Option<Cargo> + Send + 'static) -> Self {
        self.finally = Some(Box::new(last));
        self
    }

    /// The job is of no use unless it begins within this time from now. If no worker has begun it by then it ends
    /// [`Expired`](JobError::Expired): at once, and not when a worker would have come to it. It is dropped, and its
    /// callback called, on a thread of the pool that watches the time; here and now if the time is over before this
    /// returns, and by a [`ManualClock`](crate::ManualClock) where that is advanced. A submit that has to wait for room
    /// ([`max_queued`](crate::Builder::max_queued)) waits no longer than that either, and ends with
    /// [`SubmitError::Full`].
    ///
    /// ```
    /// use fastthreadpool::{JobError, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().workers(1).build()?;
    /// let slow = pool.submit(|| std::thread::sleep(Duration::from_millis(50)))?;
    /// let reply = pool.job(|| "here you are").start_within(Duration::from_millis(1)).handle()?;
    /// assert!(matches!(reply.join(), Err(JobError::Expired))); // long before the slow job has ended
    /// slow.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_within(mut self, time: Duration) -> Self {
        self.start_by = Some(StartBy::Within(time));
        self
    }

    /// As [`start_within`](Self::start_within), with the moment at which the time is over.
    pub fn start_by(mut self, moment: Instant) -> Self {
        self.start_by = Some(StartBy::At(moment));
        self
    }

    /// If the job's code runs longer than `limit`, the hook of [`Builder::on_overrun`](crate::Builder::on_overrun) is
    /// told so, once, with this name. In a pool without that hook nothing is watched.
    pub fn watch(mut self, name: impl Into<Arc<str>>, limit: Duration) -> Self {
        self.watch = Some((name.into(), nanos(limit)));
        self
    }

    /// Submits the job.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the job is not accepted. It is dropped with its callback, neither was called.
    /// [`SubmitError::Past`] is for jobs that are [due](Self::at) at a moment that has passed.
    pub fn submit(self) -> Result<JobId, SubmitError> {
        let goal = self.results.map_or(Goal::Nowhere, |results| Goal::Results(results.delivery()));
        self.submit_to(goal)
    }

    /// Submits the job, and gives a handle by which to wait for its value, to read it or to cancel it.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    ///
    /// # Panics
    ///
    /// If the request was made by a results object: an outcome goes to one place.
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let answer = pool.job(|| 6 * 7).first().finally(|| println!("that was it")).handle()?;
    /// assert_eq!(answer.join()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handle(self) -> Result<JobHandle<T>, SubmitError> {
        assert!(self.results.is_none(), "the outcome goes to the results object that has made the request");
        let (answer, held) = Answer::pair(self.core);
        let id = self.submit_to(Goal::Handle(answer))?;
        held.set_id(id.get());
        Ok(JobHandle::new(held))
    }

    fn submit_to(self, goal: Goal<T>) -> Result<JobId, SubmitError> {
        let (core, start_by) = (self.core, self.start_by);
        if let Some(due) = self.due {
            assert!(
                self.group.is_none() && start_by.is_none(),
                "a delayed job with a group, or with a moment to begin by"
            );
            return timers::submit_at(core, due, &mut Some(Job::new(self.into_task(goal))));
        }
        let route = match (self.group, self.first) {
            (Some(group), first) => Route::Group(group.inner(), first),
            (None, true) => Route::First,
            (None, false) => Route::Back,
        };
        if start_by.is_some()
            && let Some(why) = core.refusal()
        {
            return Err(why.into()); // In the child of a fork, whoever is just making the timers may not exist.
        }
        let task = self.into_task(goal);
        if let Some(start_by) = start_by {
            return accepted(core.submit_expiring(route, start_by.moment(core), task));
        }
        accepted(core.submit_routed(Job::new(task), route))
    }

    fn into_task(self, goal: Goal<T>) -> Full<T, F> {
        let submitted = self.core.is_timed().then(Instant::now);
        let Self { code, callback, finally, watch, .. } = self;
        Full { goal, code, callback, finally, watch, submitted }
    }

    pub(super) fn into_job(self, delivery: Delivery<T>) -> Job {
        Job::new(self.into_task(Goal::Results(delivery)))
    }
}

impl StartBy {
    /// On the pool's monotonic clock.
    fn moment(self, core: &Arc<Core>) -> u64 {
        let clock = core.timers().clock();
        match self {
            Self::Within(time) => clock.now().saturating_add(nanos(time)),
            Self::At(moment) => clock.moment(moment),
        }
    }
}

impl Pool {
    /// A job that can be given more than its code: a callback, a place before others, a deadline. Its value goes to the
    /// callback and nowhere else, or to a [handle](Request::handle).
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

    #[cfg(feature = "capi")]
    pub(crate) fn request<'a, T, F>(&'a self, results: Option<&'a Results<T>>, code: F) -> Request<'a, T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static,
    {
        Request::new(self.core(), results, code)
    }
}
