//! A pool as a whole: cancelling what is queued, shutting down, reopening, and all pools of the process.

use super::{Builder, JobId, Pool, SubmitError, WaitError};
use crate::pool;
use crate::sync::Deadline;
use std::sync::OnceLock;

/// What [`Pool::shutdown`] does with jobs that are queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// They run, and so do jobs that they submit.
    Drain,
    /// They are cancelled; running jobs finish.
    Cancel,
}

impl Pool {
    /// The process-wide pool, with the defaults of [`Pool::new`]. It is created on first use, shared by everybody and
    /// never dropped, and does not keep the process alive. [`shutdown`](Self::shutdown) refuses to end it;
    /// [`shutdown_all`](Self::shutdown_all) does not. Once it has been used, it is the parent's pool in the child of a
    /// fork.
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Pool};
    ///
    /// let doubled = Pool::global().results();
    /// doubled.submit(|| 21 * 2)?;
    /// assert_eq!(doubled.next_done(Deadline::NEVER)?.1, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Pool> = OnceLock::new();
        GLOBAL.get_or_init(Builder::build_permanent)
    }

    /// Cancels every job that is queued now; returns how many. Running jobs go on. The outcome of each cancelled job is
    /// [`Cancelled`](crate::JobError::Cancelled), and everything it owns is dropped before this returns.
    ///
    /// ```
    /// # use std::sync::mpsc;
    /// # let pool = fastthreadpool::Pool::builder().workers(1).build()?;
    /// # let (open, gate) = mpsc::channel::<()>();
    /// # let (started, running) = mpsc::channel();
    /// pool.spawn(move || { started.send(()).unwrap(); let _ = gate.recv(); })?;
    /// # running.recv()?;
    /// let queued = pool.spawn_batch((0..100).map(|_| || unreachable!()))?;
    /// assert_eq!(pool.queued_ids(), queued);
    /// assert_eq!(pool.cancel_all(), 100);
    /// assert_eq!((pool.queued_ids().len(), pool.pending()), (0, 1));
    /// # drop(open);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_all(&self) -> usize {
        self.core.cancel_all()
    }

    /// The ids of the jobs that are queued, in ascending order, which is the order of submission for the jobs of one
    /// thread that were all submitted the same way. The list may be out of date when this returns.
    pub fn queued_ids(&self) -> Vec<JobId> {
        self.core.queued().into_iter().map(JobId::accepted).collect()
    }

    /// Closes the pool and waits for its end: from the call on, jobs from outside are refused; the jobs that were
    /// accepted run or are cancelled as `mode` says; then the threads end. Calling it again, from any thread, is
    /// harmless: it waits for the same end. A pool that has ended can be [opened again](Self::reopen).
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the deadline passed before all threads had ended: the shutdown goes on, call again to
    /// wait longer. [`WaitError::Deadlock`] in a job of this pool, [`WaitError::Refused`] for the
    /// [global](Self::global) pool, [`WaitError::Forked`] and [`WaitError::Exiting`]: nothing was done.
    pub fn shutdown(&self, mode: Shutdown, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        if self.core.is_permanent() {
            return Err(WaitError::Refused);
        }
        match mode {
            Shutdown::Drain => {}
            Shutdown::Cancel => self.core.close_and_cancel(&mut |_| ())?,
        }
        Ok(self.core.drain(deadline.into())?)
    }

    /// As [`shutdown`](Self::shutdown) with [`Shutdown::Cancel`], and appends to `cancelled` the ids of the queued jobs
    /// and pending timers that will never run, ascending and each once. It does so even if the deadline passes first.
    ///
    /// # Errors
    ///
    /// As for [`shutdown`](Self::shutdown).
    ///
    /// ```
    /// # use std::{sync::mpsc, time::Duration};
    /// use fastthreadpool::{Deadline, Pool};
    ///
    /// # let pool = Pool::builder().workers(1).build()?;
    /// # let (open, gate) = mpsc::channel::<()>();
    /// # let (started, running) = mpsc::channel();
    /// pool.spawn(move || { started.send(()).unwrap(); let _ = gate.recv(); })?;
    /// # running.recv()?;
    /// let queued = pool.spawn(|| unreachable!())?;
    /// let mut lost = Vec::new();
    /// let ended = pool.shutdown_now(&mut lost, Deadline::NOW);
    /// assert_eq!(lost, [queued]); // whether all has ended or not
    /// # assert!(ended.is_err());
    /// # drop(open);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown_now(&self, cancelled: &mut Vec<JobId>, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        self.close_now(cancelled)?;
        Ok(self.core.drain(deadline.into())?)
    }

    /// What [`shutdown_now`](Self::shutdown_now) does before it waits.
    pub(crate) fn close_now(&self, cancelled: &mut Vec<JobId>) -> Result<(), WaitError> {
        if self.core.is_permanent() {
            return Err(WaitError::Refused);
        }
        let mut ids = Vec::new();
        self.core.close_and_cancel(&mut |id| ids.push(JobId::accepted(id)))?;
        ids.sort_unstable();
        ids.dedup(); // A schedule, and its tick that was queued.
        cancelled.append(&mut ids);
        Ok(())
    }

    /// Shuts down every pool of the process, including the [global](Self::global) one: closes them all, then waits
    /// until all have ended. Pools that are made later and [abandoned](Self::abandon) ones are left alone. Calling it
    /// again is harmless.
    ///
    /// Pools of another copy of this library in the same process are that copy's.
    ///
    /// # Errors
    ///
    /// As for [`shutdown`](Self::shutdown); [`WaitError::Deadlock`] in a job of any of the pools: nothing was done.
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Pool, Shutdown};
    ///
    /// let pool = Pool::new()?;
    /// pool.spawn(|| println!("still runs"))?;
    /// Pool::shutdown_all(Shutdown::Drain, Deadline::in_secs(60))?;
    /// assert!(pool.spawn(|| ()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown_all(mode: Shutdown, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        Ok(pool::drain_all(mode == Shutdown::Cancel, deadline.into())?)
    }

    /// Opens a pool that was shut down: it accepts jobs again. Waits for a shutdown in progress to end first. An open
    /// pool is left as it is.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the shutdown did not end before the deadline; [`WaitError::Broken`] if a hook has
    /// failed; [`WaitError::Refused`] if the pool was abandoned or its last handle is gone; [`WaitError::Deadlock`] in
    /// a job of this pool; [`WaitError::Forked`] and [`WaitError::Exiting`]. The pool stays closed.
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Pool, Shutdown};
    ///
    /// let pool = Pool::new()?;
    /// pool.shutdown(Shutdown::Drain, Deadline::NEVER)?;
    /// assert!(pool.spawn(|| ()).is_err());
    /// pool.reopen(Deadline::NEVER)?;
    /// pool.spawn(|| ())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reopen(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        Ok(self.core.reopen(deadline.into())?)
    }

    /// Resets the pool: cancels what is queued as [`cancel_all`](Self::cancel_all) does, counts
    /// [failures](Self::failed) and [expired](Self::expired) jobs from 0 again, and [opens](Self::reopen) the pool if
    /// it was shut down. Running jobs go on and deliver their outcomes. Returns how many jobs were cancelled. Waits
    /// only for a shutdown in progress.
    ///
    /// # Errors
    ///
    /// None for an open pool; else as for [`reopen`](Self::reopen).
    pub fn clear(&self, deadline: impl Into<Deadline>) -> Result<usize, WaitError> {
        Ok(self.core.clear(deadline.into())?)
    }

    /// Gives up a pool with a job that never ends: the pool is closed and accepted jobs still run, but nothing waits
    /// for them, not even the drop of the last handle. Threads and memory are released when the last job ends, if it
    /// ever does. To keep queued jobs from running, [shut it down](Self::shutdown) with [`Shutdown::Cancel`] and
    /// [`Deadline::NOW`] first.
    ///
    /// The [global](Self::global) pool is not affected.
    ///
    /// ```
    /// let pool = fastthreadpool::Pool::new()?;
    /// pool.spawn(|| loop { std::thread::park() })?;
    /// pool.abandon();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn abandon(self) {
        if !self.core.is_permanent() {
            self.core.abandon();
        }
    }

    /// Whether the pool would accept a job from the calling thread.
    ///
    /// # Errors
    ///
    /// Why not: [`SubmitError::Shutdown`], [`SubmitError::Broken`] with the hook's failure, [`SubmitError::Forked`].
    pub fn check(&self) -> Result<(), SubmitError> {
        self.core.refusal().map_or(Ok(()), |why| Err(why.into()))
    }
}
