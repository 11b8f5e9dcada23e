//! Handles to single jobs.

use super::outcome::Extra;
use super::{JobError, JobId, Times, WaitError, handled};
use crate::pool::{Core, Unfinished, current};
use crate::queue::{After, Reader};
use crate::sync::Deadline;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// A handle to a job, made by [`Pool::submit`](crate::Pool::submit): waits for the job, reads or takes its value,
/// cancels it.
///
/// Dropping the handle does not cancel the job; its value is then dropped. A handle is also a [`Future`] of the job's
/// value, on any executor.
///
/// A job may wait for another job of its pool, even on a pool with one worker: if that job has not started, the waiting
/// worker runs it (and never any other job); otherwise it sleeps. A wait with a time limit only sleeps. Jobs that would
/// wait for each other forever get [`WaitError::Deadlock`]. None of that holds for a job that blocks on the handle as a
/// future: to the pool it is any other job.
///
/// A handle that was awaited by reference is used up: calls on it panic afterwards.
///
/// ```
/// use fastthreadpool::{JobState, Pool};
///
/// let pool = Pool::new()?;
/// let job = pool.submit(|| "value".to_string())?;
/// job.wait(fastthreadpool::Deadline::NEVER)?;
/// assert_eq!(job.state(), JobState::Done);
/// assert_eq!(job.get().unwrap().unwrap(), "value"); // to look at, any number of times
/// assert_eq!(job.join()?, "value"); // to take
/// # Ok::<(), Box<dyn std::error::Error>>(())
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

/// The state of a job.
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

/// Identifies a callback, for [`JobHandle::remove_callback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackKey(pub(crate) u64);

impl<T: Send + 'static> JobHandle<T> {
    pub(super) fn new(reader: SlotReader<T>) -> Self {
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

    /// The job's state.
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

    /// Whether the job has ended, in any way.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.reader().is_done()
    }

    pub(super) fn is_started(&self) -> bool {
        self.reader().is_started()
    }

    /// The job's outcome; `None` if it has not ended yet.
    pub fn get(&self) -> Option<Result<&T, &JobError>> {
        self.completion().map(|completion| completion.result.as_ref())
    }

    #[inline]
    pub(crate) fn completion(&self) -> Option<&Completion<T>> {
        self.reader().get()
    }

    /// How long the job was queued and how long it ran; `None` if it has not ended, or the pool does not
    /// [measure](crate::Builder::timing).
    pub fn times(&self) -> Option<Times> {
        self.completion()?.extra.as_deref()?.times
    }

    /// Waits until the job has ended.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the deadline passed first; the job goes on. [`WaitError::Forked`] and
    /// [`WaitError::Exiting`]: it will not end in this process. [`WaitError::Deadlock`] if the caller is a job that
    /// this one waits for, directly or through others; if 64 jobs already wait on top of each other on this thread and
    /// no other worker is free; or if the wait has no deadline and is for a [delayed](crate::Request::at) job of the
    /// caller's own pool.
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
            Some(waited) => Ok(waited?),
            None if reader.wait(deadline) => Ok(()),
            None => Err(WaitError::TimedOut),
        }
    }

    /// Whether the job can end in this process: not in a forked child, and not once the process exits.
    pub(super) fn check_process(&self) -> Result<(), WaitError> {
        match self.reader().shared().upgrade().map(|core| core.may_wait()) {
            Some(Err(why @ (Unfinished::Forked | Unfinished::Exiting))) => Err(why.into()),
            _ => Ok(()),
        }
    }

    /// Calls `f` with the worker that the calling thread is, if that belongs to the job's pool.
    pub(super) fn on_own_worker<R>(&self, f: impl FnOnce(&crate::pool::Worker) -> R) -> Option<R> {
        let core = self.reader().shared().as_ptr();
        current::with(|worker| (Arc::as_ptr(worker.core()) == core).then(|| f(worker))).flatten()
    }

    /// Waits for the job and takes its value.
    ///
    /// # Errors
    ///
    /// [`JobError`]: why there is no value. [`JobError::Deadlock`] in a job that this one waits for.
    pub fn join(self) -> Result<T, JobError> {
        self.wait(Deadline::NEVER)?;
        self.take()
    }

    /// Takes the job's outcome, if it ends before the deadline.
    ///
    /// # Errors
    ///
    /// The handle itself if the job has not ended by then, or waits for the caller.
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let job = pool.submit(|| 1)?;
    /// match job.join_until(std::time::Duration::from_millis(1)) {
    ///     Ok(outcome) => assert_eq!(outcome?, 1),
    ///     Err(job) => println!("{} takes its time", job.id()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_until(self, deadline: impl Into<Deadline>) -> Result<Result<T, JobError>, Self> {
        if self.wait(deadline).is_ok() { Ok(self.take()) } else { Err(self) }
    }

    /// Cancels the job if it has not started: it will never run, everything it owns is dropped before this returns, and
    /// its waiters are woken. True if the job is cancelled, by this call or an earlier one. A running job is asked to
    /// stop ([`cancel_requested`](crate::cancel_requested)).
    pub fn cancel(&self) -> bool {
        let reader = self.reader();
        if reader.shared().upgrade().is_some_and(|core| core.cancel(self.id().get())) {
            return true;
        }
        reader.ask();
        matches!(self.get(), Some(Err(JobError::Cancelled)))
    }

    /// Registers `callback`, which is called with the job's outcome just before waiters see it: on the worker that ran
    /// the job, or on the thread that cancelled or expired it. If the job has already ended, it is called at once, on
    /// the calling thread. Dropping the handle does not remove it. A panic in a callback is swallowed.
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

    #[cfg(feature = "capi")]
    pub(crate) fn from_reader(reader: SlotReader<T>) -> Self {
        Self::new(reader)
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
