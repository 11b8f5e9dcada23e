//! One job as a value to come.

use super::{JobError, JobId, Times, WaitError};
use crate::pool::{Core, Unfinished, current};
use crate::queue::{After, Reader};
use crate::sync::Deadline;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A job that was submitted by [`Pool::submit`](crate::Pool::submit): wait for it, read or take its value, cancel it.
///
/// Dropping the handle lets the job run on its own; what it returns is dropped then. A handle is also a [`Future`] of the
/// job's value, on any executor.
///
/// A job may wait for another job of its pool, on a pool of one worker too: if nobody has begun that job, the waiting
/// worker runs it itself (and never any other job); else it sleeps. Waits with a time limit only sleep. Jobs that would
/// wait for one another for ever get [`WaitError::Deadlock`].
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
#[must_use = "a handle that is dropped lets its job run on its own; for that, use `spawn`"]
#[derive(Debug)]
pub struct JobHandle<T> {
    /// `None` once it was awaited to its end.
    held: Option<Held<T>>,
}

pub(crate) type Held<T> = Reader<Result<T, JobError>, Origin>;

/// Where a handle's job is.
#[derive(Debug)]
pub(crate) struct Origin {
    core: Arc<Core>,
    id: Cell<u64>,
    /// Where a pool that measures leaves the times.
    times: Option<Arc<Mutex<Times>>>,
    /// The key of the last [`Waker`](std::task::Waker) that polled; 0 if none has.
    waker: Cell<u64>,
}

impl Origin {
    pub(super) fn new(core: Arc<Core>, times: Option<Arc<Mutex<Times>>>) -> Self {
        Self { core, id: Cell::new(0), times, waker: Cell::new(0) }
    }

    pub(super) fn accepted_as(&self, id: JobId) {
        self.id.set(id.get());
    }
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// No worker has begun it.
    Queued,
    /// A worker runs it.
    Running,
    /// It has returned a value.
    Done,
    /// It has panicked, returned an error or declared a failure.
    Failed,
    /// It was cancelled before it began.
    Cancelled,
    /// It was not begun in time.
    Expired,
}

/// Names a callback, to [remove](JobHandle::remove_callback) it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackKey(pub(crate) u64);

impl<T: Send + 'static> JobHandle<T> {
    pub(super) fn new(held: Held<T>) -> Self {
        Self { held: Some(held) }
    }

    fn held(&self) -> &Held<T> {
        self.held.as_ref().expect("this handle was awaited to its end before")
    }

    fn take(mut self) -> Result<T, JobError> {
        let held = self.held.take().expect("this handle was awaited to its end before");
        // A job whose pool is gone without having run it was dropped with the pool.
        held.take().unwrap_or(Err(JobError::Cancelled))
    }

    /// The job's id.
    pub fn id(&self) -> JobId {
        JobId::accepted(self.held().own().id.get())
    }

    /// How far the job has come.
    pub fn state(&self) -> JobState {
        match self.get() {
            Some(Ok(_)) => JobState::Done,
            Some(Err(JobError::Cancelled)) => JobState::Cancelled,
            Some(Err(JobError::Expired)) => JobState::Expired,
            Some(Err(_)) => JobState::Failed,
            None if self.held().is_started() => JobState::Running,
            None => JobState::Queued,
        }
    }

    /// Whether the job has ended, in whatever way.
    pub fn is_done(&self) -> bool {
        self.held().is_done()
    }

    pub(super) fn is_started(&self) -> bool {
        self.held().is_started()
    }

    /// What the job came to; `None` if it has not ended yet.
    pub fn get(&self) -> Option<Result<&T, &JobError>> {
        self.held().get().map(Result::as_ref)
    }

    /// How long the job was queued and how long it ran; `None` if it has not ended, or the pool does not
    /// [measure](crate::Builder::timing).
    pub fn times(&self) -> Option<Times> {
        let times = self.held().own().times.as_ref().filter(|_| self.is_done())?;
        Some(*times.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until the job has ended.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the deadline came first; the job goes on. [`WaitError::Forked`] and
    /// [`WaitError::Exiting`]: it will not end in this process. [`WaitError::Deadlock`] in a job that this one
    /// waits for, by however many others; or if 64 jobs wait for one another on this thread and no worker is free for one more;
    /// or for ever for a [delayed](crate::Request::at) job of the pool.
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        let (held, deadline) = (self.held(), deadline.into());
        if held.is_done() {
            return Ok(());
        }
        self.may_come()?;
        let inside = if deadline == Deadline::NEVER {
            let id = self.id().get();
            let sleep = || {
                held.wait(deadline);
            };
            let queued = Some(id).filter(|_| !held.is_started());
            self.in_pool(|worker| worker.wait_for_one(queued.into_iter(), || vec![id], sleep))
        } else {
            None
        };
        match inside {
            Some(waited) => Ok(waited?),
            None if held.wait(deadline) => Ok(()),
            None => Err(WaitError::TimedOut),
        }
    }

    /// Whether the job's end can come in this process.
    pub(super) fn may_come(&self) -> Result<(), WaitError> {
        match self.held().own().core.may_wait() {
            Err(why @ (Unfinished::Forked | Unfinished::Exiting)) => Err(why.into()),
            _ => Ok(()),
        }
    }

    /// Asks the calling worker, if it is one of the job's own pool.
    pub(super) fn in_pool<R>(&self, ask: impl FnOnce(&crate::pool::Worker) -> R) -> Option<R> {
        let core = &self.held().own().core;
        current::with(|worker| Arc::ptr_eq(worker.core(), core).then(|| ask(worker))).flatten()
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

    /// Takes what the job came to, if it ends before the deadline.
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

    /// Cancels the job if nobody has begun it: it will never run, what it owns is dropped here and now, and whoever waits
    /// for it is woken. True if so, and also when it was cancelled before. A job that runs is asked to come to an end
    /// ([`cancel_requested`](crate::cancel_requested)).
    pub fn cancel(&self) -> bool {
        let held = self.held();
        if held.own().core.cancel(self.id().get()) {
            return true;
        }
        held.ask();
        matches!(self.get(), Some(Err(JobError::Cancelled)))
    }

    /// Has `callback` called with what the job comes to: on the worker that ran it (if it was cancelled or has expired, on
    /// the thread that has ended it), just before waiters see it; or here and now if the job has ended. Callbacks are called even if the
    /// handle is dropped; a panic in one of them concerns nobody else.
    pub fn on_done(&self, callback: impl FnOnce(Result<&T, &JobError>) + Send + 'static) -> CallbackKey {
        let callback = Box::new(move |result: &Result<T, JobError>| callback(result.as_ref()));
        match self.held().watch_before(callback) {
            Ok(key) => CallbackKey(key),
            Err(callback) => {
                if let Some(result) = self.held().get() {
                    callback(result);
                }
                CallbackKey(0)
            }
        }
    }

    /// Takes a callback back; false if it was called, or is being called.
    pub fn remove_callback(&self, key: CallbackKey) -> bool {
        self.held().unwatch(key.0)
    }

    /// Has somebody told as soon as the job has ended; false if it has.
    pub(super) fn watch(&self, after: After) -> Option<u64> {
        self.held().watch(after).ok()
    }

    pub(super) fn unwatch(&self, key: u64) {
        self.held().unwatch(key);
    }

    /// The handle as a pointer.
    #[cfg(feature = "capi")]
    pub(crate) fn into_held(mut self) -> Held<T> {
        self.held.take().expect("this handle was awaited to its end before")
    }

    #[cfg(feature = "capi")]
    pub(crate) fn from_held(held: Held<T>) -> Self {
        Self::new(held)
    }
}

impl<T: Send + 'static> Future for JobHandle<T> {
    type Output = Result<T, JobError>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let held = self.held();
        if !held.is_done() {
            held.unwatch(held.own().waker.take());
            if let Ok(key) = held.watch(After::Wake(context.waker().clone())) {
                held.own().waker.set(key);
                return Poll::Pending;
            }
        }
        Poll::Ready(JobHandle { held: self.held.take() }.take())
    }
}
