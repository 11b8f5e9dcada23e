//! Handles to single jobs.

use super::outcome::Extra;
use super::{JobError, JobId, Times, WaitError, handled};
use crate::pool::{Core, current};
use crate::queue::{After, Reader};
use crate::sync::Deadline;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// A handle to one job, to wait for it, to get its value, or to cancel it.
///
/// Made by [`Pool::submit`](crate::Pool::submit) and [`Request::submit_handle`](crate::Request::submit_handle).
/// Dropping the handle does not cancel the job; the job runs, and its value is dropped. To wait for several handles,
/// see [`wait`](crate::wait) and [`as_completed`](crate::as_completed).
///
/// A handle is also a [`Future`] of the job's value, on any executor. After an `.await` by reference (`(&mut
/// job).await`) the value is gone, and every method that needs the job panics.
///
/// # Waiting in a job
///
/// A job may wait for another job of its own pool, even if the pool has one worker: [`wait`](Self::wait) and
/// [`join`](Self::join) without a time limit run the awaited job on the calling worker if it has not started, and never
/// any other job. With a time limit they only sleep. A wait that could never end returns [`WaitError::Deadlock`]. A job
/// that blocks on the handle as a future has none of this help.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Deadline, JobState, Pool};
///
/// let pool = Pool::new()?;
/// let job = pool.submit(|| "value".to_string())?;
/// job.wait(Deadline::NEVER)?;
/// assert_eq!(job.state(), JobState::Done);
/// assert_eq!(job.get().unwrap().unwrap(), "value"); // borrows the value
/// assert_eq!(job.join()?, "value"); // takes it
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In an async function:
///
/// ```
/// use fastthreadpool::{JobError, Pool};
///
/// async fn sum(pool: &Pool) -> Result<u32, JobError> {
///     let sum = pool.submit(|| (1..=1000).sum::<u32>())?; // runs on a worker
///     sum.await // suspends this task, and blocks no thread
/// }
/// # use std::task::{Context, Poll, Waker};
/// # let pool = Pool::new().unwrap();
/// # let mut future = std::pin::pin!(sum(&pool));
/// # let value = loop {
/// #     if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
/// #         break value;
/// #     }
/// #     std::thread::yield_now();
/// # };
/// # assert_eq!(value.unwrap(), 500_500);
/// ```
#[must_use = "dropping a handle leaves its job to run on its own; to intend that, use `spawn`"]
pub struct JobHandle<T> {
    /// `None` once it was awaited to its end.
    reader: Option<SlotReader<T>>,
}

pub(crate) type SlotReader<T> = Reader<Completion<T>, Weak<Core>>;

/// The outcome of a job with a handle.
#[derive(Debug)]
pub(crate) struct Completion<T> {
    pub(crate) result: Result<T, JobError>,
    pub(crate) extra: Option<Box<Extra>>,
}

/// The state of a job, from [`JobHandle::state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// It has not started.
    Queued,
    /// A worker is running it.
    Running,
    /// It has returned a value.
    Done,
    /// It panicked, returned an error or called [`fail`](crate::fail).
    Failed,
    /// It was cancelled before it started.
    Cancelled,
    /// It was not started in time.
    Expired,
}

/// Identifies a callback of a job. Returned by [`JobHandle::on_done`], for [`JobHandle::remove_callback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackKey(pub(crate) u64);

impl<T: Send + 'static> JobHandle<T> {
    pub(crate) fn new(reader: SlotReader<T>) -> Self {
        Self { reader: Some(reader) }
    }

    fn reader(&self) -> &SlotReader<T> {
        self.reader.as_ref().expect("this handle was awaited to its end before")
    }

    fn take(self) -> Result<T, JobError> {
        match self.into_reader().take(|completion| completion.result) {
            Some(result) => result,
            // The pool was dropped without having run the job.
            None => Err(JobError::Cancelled),
        }
    }

    /// The job's id.
    #[inline]
    pub fn id(&self) -> JobId {
        JobId::accepted(self.reader().id())
    }

    /// Whether the job is queued, running, or how it has ended.
    pub fn state(&self) -> JobState {
        match self.get() {
            Some(Ok(_)) => JobState::Done,
            Some(Err(JobError::Cancelled)) => JobState::Cancelled,
            Some(Err(JobError::Expired)) => JobState::Expired,
            Some(Err(_)) => JobState::Failed,
            None if self.reader().is_started() => JobState::Running,
            None => JobState::Queued,
        }
    }

    /// Whether the job has ended in any way: done, failed, cancelled or expired.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.reader().is_done()
    }

    pub(super) fn is_started(&self) -> bool {
        self.reader().is_started()
    }

    /// Borrows the job's value, or the error of a job that has none; `None` if the job has not ended yet. Does not
    /// wait.
    pub fn get(&self) -> Option<Result<&T, &JobError>> {
        self.completion().map(|completion| completion.result.as_ref())
    }

    #[inline]
    pub(crate) fn completion(&self) -> Option<&Completion<T>> {
        self.reader().get()
    }

    /// How long the job was queued and how long it ran; `None` if it has not ended, or if the pool does not [measure
    /// times](crate::Builder::timing).
    pub fn times(&self) -> Option<Times> {
        self.completion()?.extra.as_deref()?.times
    }

    /// Waits until the job has ended in any way, or the deadline passes. [`get`](Self::get) then tells the outcome.
    ///
    /// # Errors
    ///
    /// - [`WaitError::TimedOut`] if the deadline passed first. The job goes on; wait again, or [cancel](Self::cancel)
    ///   it.
    /// - [`WaitError::Deadlock`] if the caller is a job that this one waits for, directly or through others; if 64 jobs
    ///   already wait on top of each other on this thread and no other worker is free; or if the wait has no deadline
    ///   and is for a [delayed](crate::Request::at) job of the caller's own pool.
    /// - [`WaitError::Forked`] in a forked child and [`WaitError::Exiting`] while the process exits: the job will not
    ///   end in this process.
    #[inline]
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        if self.is_done() { Ok(()) } else { self.wait_for_end(deadline.into()) }
    }

    #[inline(never)]
    fn wait_for_end(&self, deadline: Deadline) -> Result<(), WaitError> {
        let reader = self.reader();
        self.check_process()?;
        let inside = if deadline == Deadline::NEVER {
            let id = self.id().get();
            let sleep = || {
                reader.wait(deadline);
            };
            let queued = Some(id).filter(|_| !reader.is_started());
            self.on_own_worker(|worker| worker.wait_for_one(queued.into_iter(), || vec![id], sleep))
        } else {
            None
        };
        match inside {
            Some(waited) => waited,
            None if reader.wait(deadline) => Ok(()),
            None => Err(WaitError::TimedOut),
        }
    }

    /// Whether the job can end in this process: not in a forked child, and not once the process exits.
    pub(super) fn check_process(&self) -> Result<(), WaitError> {
        match self.reader().shared().upgrade().map(|core| core.may_wait()) {
            Some(Err(why @ (WaitError::Forked | WaitError::Exiting))) => Err(why),
            _ => Ok(()),
        }
    }

    /// Calls `f` with the worker that the calling thread is, if that belongs to the job's pool.
    pub(super) fn on_own_worker<R>(&self, f: impl FnOnce(&crate::pool::Worker) -> R) -> Option<R> {
        let core = self.reader().shared().as_ptr();
        current::with(|worker| (Arc::as_ptr(worker.core()) == core).then(|| f(worker))).flatten()
    }

    /// Waits for the job and returns its value.
    ///
    /// # Errors
    ///
    /// [`JobError`] says why there is no value: the job [panicked](JobError::Panicked), [failed](JobError::Failed), was
    /// [cancelled](JobError::Cancelled) or has [expired](JobError::Expired). [`JobError::Deadlock`] in a job that this
    /// one waits for; [`JobError::Failed`] with a [`WaitError`] in a forked child, and while the process exits.
    pub fn join(self) -> Result<T, JobError> {
        self.wait(Deadline::NEVER)?;
        self.take()
    }

    /// Waits for the job until the deadline and returns its outcome, or the handle if there is none by then.
    ///
    /// # Errors
    ///
    /// The handle, if [`wait`](Self::wait) fails: mostly because the deadline passed first.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let job = pool.submit(|| 1)?;
    /// match job.join_until(std::time::Duration::from_millis(1)) {
    ///     Ok(outcome) => assert_eq!(outcome?, 1),
    ///     Err(job) => println!("job {} is still queued or running", job.id()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_until(self, deadline: impl Into<Deadline>) -> Result<Result<T, JobError>, Self> {
        if self.wait(deadline).is_ok() { Ok(self.take()) } else { Err(self) }
    }

    /// Cancels the job if it has not started; asks it to stop if it is running.
    ///
    /// A job that is cancelled will never run. Everything it owns is dropped before this returns, and its waiters are
    /// woken. A running job goes on, unless it checks [`cancel_requested`](crate::cancel_requested). Returns whether
    /// the job is cancelled, by this call or an earlier one.
    pub fn cancel(&self) -> bool {
        let reader = self.reader();
        if reader.shared().upgrade().is_some_and(|core| core.cancel(self.id().get())) {
            return true;
        }
        reader.ask();
        self.completion().is_some_and(|completion| {
            let replaced = completion.extra.as_deref().is_some_and(|extra| extra.was_cancelled);
            replaced || matches!(completion.result, Err(JobError::Cancelled))
        })
    }

    /// Registers `callback`, which is called once with the job's outcome, just before waiters see it.
    ///
    /// It is called on the thread that has run the job, or on the one that cancelled or expired it. If the job has
    /// already ended, it is called at once, on the calling thread. Dropping the handle does not remove it. A panic in
    /// it is caught and dropped.
    pub fn on_done(&self, callback: impl FnOnce(Result<&T, &JobError>) + Send + 'static) -> CallbackKey {
        self.on_completion(move |completion| callback(completion.result.as_ref()))
    }

    pub(crate) fn on_completion(&self, callback: impl FnOnce(&Completion<T>) + Send + 'static) -> CallbackKey {
        match self.reader().watch_before(Box::new(callback)) {
            Ok(key) => CallbackKey(key),
            Err(callback) => {
                if let Some(completion) = self.completion() {
                    handled::call(callback, completion);
                }
                CallbackKey(0)
            }
        }
    }

    /// Removes a callback; false if it was called, or is being called.
    pub fn remove_callback(&self, key: CallbackKey) -> bool {
        self.reader().unwatch(key.0)
    }

    /// Registers what is to be notified after the job's end; `None` if the job has ended.
    pub(super) fn watch(&self, after: After) -> Option<u64> {
        self.reader().watch(after).ok()
    }

    pub(super) fn unwatch(&self, key: u64) {
        self.reader().unwatch(key);
    }

    pub(crate) fn into_reader(mut self) -> SlotReader<T> {
        self.reader.take().expect("this handle was awaited to its end before")
    }
}

impl<T> fmt::Debug for JobHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reader = self.reader.as_ref();
        let id = reader.and_then(|reader| JobId::from_number(reader.id()));
        f.debug_struct("JobHandle").field("id", &id).field("done", &reader.is_none_or(Reader::is_done)).finish()
    }
}

impl<T: Send + 'static> Future for JobHandle<T> {
    type Output = Result<T, JobError>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.is_done() {
            self.check_process()?;
            if self.reader().watch_instead(After::Wake(context.waker().clone())).is_ok() {
                return Poll::Pending;
            }
        }
        Poll::Ready(JobHandle { reader: self.reader.take() }.take())
    }
}
