//! Delayed and scheduled jobs.

use super::outcome::{Delivery, Outcome};
use super::pool::{fallible, infallible};
use super::request::timed_job;
use super::task::{Destination, count_and_drop, deliver, deliver_unrun, execute};
use super::{Due, JobError, JobId, Pool, Results, Schedule, SubmitError, timing};
use crate::pool::{Core, Job, Task, Ticking, TimerState, Unrun, Worker, unwind};
use crate::sys::clock;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// The state of a timer, which is a delayed job that has not started, or a schedule. From [`Pool::timer`],
/// [`Pool::delayed`] and [`Pool::scheduled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timer {
    /// The id that was returned when it was submitted.
    pub id: JobId,
    /// The time until it is next due. `None` while that is not known: a delayed job is queued, or the next tick follows
    /// the end of a run ([fixed delay](Schedule::fixed_delay), or [coalesced](crate::MissedTicks::Coalesce) ticks).
    pub due_in: Option<Duration>,
    /// How many of its jobs are queued.
    pub queued: usize,
    /// How many runs of a schedule are in progress.
    pub running: usize,
    /// How many ticks of a schedule have come so far.
    pub ticks: u64,
}

impl Timer {
    fn new(id: JobId, state: TimerState) -> Self {
        let due_in = state.due_in.map(Duration::from_nanos);
        Self { id, due_in, queued: state.queued, running: state.running, ticks: state.ticks }
    }
}

impl Pool {
    /// Runs `job` after a delay.
    ///
    /// When the delay is over, the job is queued ahead of the jobs that were submitted without a delay, and behind
    /// delayed jobs that were due earlier. It never starts early. [`cancel`](Self::cancel) accepts the id until the job
    /// starts, and [`reschedule`](Self::reschedule) changes the delay. A delayed job does not keep the pool open: a
    /// shutdown cancels those that are not yet due. A waiting job costs memory but no thread.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let id = pool.spawn_later(Duration::from_secs(30), || println!("no answer for 30 seconds"))?;
    /// assert!(pool.cancel(id)); // the answer has arrived
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_later(&self, delay: Duration, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn_at(delay, infallible(job))
    }

    /// Runs `job` at an [`Instant`](std::time::Instant), at a [`SystemTime`](std::time::SystemTime), or as a [`Due`]
    /// says. Otherwise like [`spawn_later`](Self::spawn_later).
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn), and [`SubmitError::Past`] if the time has passed, unless [`Due::or_now`] was set.
    pub fn spawn_at(&self, due: impl Into<Due>, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn_at(due, infallible(job))
    }

    /// Runs `job` like [`spawn_at`](Self::spawn_at); an error that it returns is counted as a [failure](Self::failed).
    ///
    /// # Errors
    ///
    /// As for [`spawn_at`](Self::spawn_at).
    pub fn try_spawn_at<E>(
        &self,
        due: impl Into<Due>,
        job: impl FnOnce() -> Result<(), E> + Send + 'static,
    ) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        submit_at(self.core(), due.into(), &mut Some(Job::new(fallible(job))))
    }

    /// Runs `job` again and again, at every tick of a schedule.
    ///
    /// A [`Duration`] is a schedule with that interval, whose first tick comes one interval from now; see [`Schedule`]
    /// for everything else. The id stands for the whole schedule: [`cancel`](Self::cancel) ends it, and removes a tick
    /// that is queued. A run that panics is counted as a [failure](Self::failed), and the schedule goes on, unless
    /// [`Schedule::stop_on_error`] was set. A schedule does not keep the pool open: it ends when the pool is shut down.
    ///
    /// # Errors
    ///
    /// As for [`spawn_at`](Self::spawn_at), and [`SubmitError::InvalidSchedule`] if the interval or the number of runs
    /// is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::{sync::mpsc, time::Duration};
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let (sender, ticks) = mpsc::channel();
    /// let id = pool.schedule(Duration::from_millis(2), move || drop(sender.send("tick")))?;
    /// assert_eq!(ticks.iter().take(3).count(), 3);
    /// assert!(pool.cancel(id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn schedule(
        &self,
        schedule: impl Into<Schedule>,
        job: impl Fn() + Send + Sync + 'static,
    ) -> Result<JobId, SubmitError> {
        self.try_schedule(schedule, move || {
            job();
            Ok::<(), Infallible>(())
        })
    }

    /// Runs `job` like [`schedule`](Self::schedule); a run that returns an error is counted as a
    /// [failure](Self::failed).
    ///
    /// # Errors
    ///
    /// As for [`schedule`](Self::schedule).
    pub fn try_schedule<E>(
        &self,
        schedule: impl Into<Schedule>,
        job: impl Fn() -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let code = move || job().map_err(JobError::failed);
        submit_schedule(self.core(), schedule.into(), Arc::new(DetachedTicks(code)))
    }

    /// Makes a delayed job that has not started, or the next tick of a schedule, due `delay` from now instead.
    ///
    /// False if it is too late, this pool has no such timer, or the schedule's next tick is not known yet (see
    /// [`Timer::due_in`]). The cost does not depend on how many timers there are.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let timeout = pool.spawn_later(Duration::from_secs(30), || println!("no message for 30 seconds"))?;
    /// assert!(pool.reschedule(timeout, Duration::from_secs(30))); // a message has arrived
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reschedule(&self, id: JobId, delay: Duration) -> bool {
        self.core().reschedule(id.get(), clock::nanos(delay))
    }

    /// Returns the state of a delayed job that has not started, or of an active schedule; `None` for any other id.
    pub fn timer(&self, id: JobId) -> Option<Timer> {
        self.core().timer_state(id.get()).map(|state| Timer::new(id, state))
    }

    /// Lists the delayed jobs that are not due yet, in no particular order.
    pub fn delayed(&self) -> Vec<Timer> {
        self.list(false)
    }

    /// Lists the active schedules, in no particular order.
    pub fn scheduled(&self) -> Vec<Timer> {
        self.list(true)
    }

    fn list(&self, repeating: bool) -> Vec<Timer> {
        let timers = self.core().list_timers(repeating);
        timers.into_iter().map(|(id, state)| Timer::new(JobId::accepted(id), state)).collect()
    }

    /// How many delayed jobs are not due yet.
    pub fn delayed_count(&self) -> usize {
        self.core().delayed_len()
    }

    /// How many schedules are active.
    pub fn scheduled_count(&self) -> usize {
        self.core().scheduled_len()
    }

    /// Cancels all delayed jobs that are not due yet, and all schedules; returns how many. Other jobs are not affected.
    pub fn cancel_timers(&self) -> usize {
        self.core().cancel_timers()
    }
}

impl<T: Send + 'static> Results<T> {
    /// Runs `job` like [`Pool::spawn_later`]; its value or its panic becomes an outcome here.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn submit_later(
        &self,
        delay: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JobId, SubmitError> {
        self.submit_at(delay, job)
    }

    /// Runs `job` like [`Pool::spawn_at`]; its value or its panic becomes an outcome here.
    ///
    /// # Errors
    ///
    /// As for [`Pool::spawn_at`].
    pub fn submit_at(
        &self,
        due: impl Into<Due>,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JobId, SubmitError> {
        self.try_submit_at(due, || Ok::<T, Infallible>(job()))
    }

    /// Runs a job that may fail like [`Pool::spawn_at`]; its value, error or panic becomes an outcome here.
    ///
    /// # Errors
    ///
    /// As for [`Pool::spawn_at`].
    pub fn try_submit_at<E>(
        &self,
        due: impl Into<Due>,
        job: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let code = || job().map_err(JobError::failed);
        let delivery = self.delivery();
        let job = match self.core().is_timed() {
            false => Job::new(ReportingDelayed { delivery, code }),
            true => timed_job(self.core(), code, Destination::Results(delivery)),
        };
        submit_at(self.core(), due.into(), &mut Some(job))
    }

    /// Runs `job` like [`Pool::schedule`]; every run leaves an outcome here, under the schedule's id. A schedule that
    /// is cancelled leaves one more, [`JobError::Cancelled`]. While the schedule is active, readers wait for more.
    ///
    /// # Errors
    ///
    /// As for [`Pool::schedule`].
    pub fn schedule(
        &self,
        schedule: impl Into<Schedule>,
        job: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<JobId, SubmitError> {
        self.try_schedule(schedule, move || Ok::<T, Infallible>(job()))
    }

    /// Runs a job that may fail like [`schedule`](Self::schedule).
    ///
    /// # Errors
    ///
    /// As for [`Pool::schedule`].
    pub fn try_schedule<E>(
        &self,
        schedule: impl Into<Schedule>,
        job: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let code = move || job().map_err(JobError::failed);
        let delivery = self.delivery();
        submit_schedule(self.core(), schedule.into(), Arc::new(ReportingTicks { code, delivery }))
    }
}

pub(super) fn submit_at(core: &Arc<Core>, due: Due, job: &mut Option<Job>) -> Result<JobId, SubmitError> {
    let when = due.when(core.clock())?;
    Ok(JobId::accepted(core.submit_timed(when, due.placement(), job)?))
}

fn submit_schedule(core: &Arc<Core>, schedule: Schedule, work: Arc<dyn Ticking>) -> Result<JobId, SubmitError> {
    let (first, placement, plan) = schedule.plan(core.clock())?;
    Ok(JobId::accepted(core.submit_schedule(first, placement, plan, work)?))
}

/// A schedule without outcomes: failures are counted and dropped.
struct DetachedTicks<F>(F);

impl<F: Fn() -> Result<(), JobError> + Send + Sync + 'static> Ticking for DetachedTicks<F> {
    fn cancelled(&self, _id: u64) {}

    fn run(&self, worker: &Worker) -> bool {
        let failure = execute(worker, &self.0).err();
        let is_done = failure.is_none();
        failure.into_iter().for_each(|error| count_and_drop(worker, error));
        is_done
    }
}

/// A schedule whose outcomes go to a results object.
struct ReportingTicks<T, F> {
    /// Dropped before the delivery, so that the closure is gone when a reader learns that nothing more will come.
    code: F,
    /// Dropped when the schedule and its runs have ended.
    delivery: Delivery<T>,
}

impl<T, F> Ticking for ReportingTicks<T, F>
where
    T: Send + 'static,
    F: Fn() -> Result<T, JobError> + Send + Sync + 'static,
{
    fn cancelled(&self, id: u64) {
        deliver_unrun(self.delivery.another(), id, Unrun::Cancelled);
    }

    fn run(&self, worker: &Worker) -> bool {
        report(worker, self.delivery.another(), &self.code)
    }
}

/// A delayed job whose outcome goes to a results object.
struct ReportingDelayed<T, F> {
    delivery: Delivery<T>,
    code: F,
}

impl<T, F> Task for ReportingDelayed<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, JobError> + Send + 'static,
{
    fn run(self, worker: &Worker) {
        report(worker, self.delivery, self.code);
    }

    fn cancel(self, _core: &Core, id: u64, why: Unrun) {
        unwind::dispose(self.code);
        deliver_unrun(self.delivery, id, why);
    }
}

/// Runs a delayed or scheduled job, and delivers its outcome with its tick. False if it has failed.
fn report<T: Send + 'static>(
    worker: &Worker,
    delivery: Delivery<T>,
    code: impl FnOnce() -> Result<T, JobError>,
) -> bool {
    let (id, tick) = (JobId::accepted(worker.job()), timing::tick_of(worker));
    let outcome = Outcome::new(id, execute(worker, code), None).of_tick(tick);
    let is_done = outcome.result.is_ok();
    deliver(worker, delivery, outcome);
    is_done
}
