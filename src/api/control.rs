//! A pool as a whole: cancelling what is queued, shutting down, reopening, and all pools of the process.

use super::{Builder, JobId, Pool, SubmitError, WaitError};
use crate::pool;
use crate::sync::Deadline;
use crate::sys::process::Lasting;

/// What [`Pool::shutdown`] does with the jobs that are queued. In both modes running jobs finish, and delayed and
/// scheduled jobs that are not due are cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shutdown {
    /// Queued jobs run, and so do jobs that they submit.
    Drain,
    /// Queued jobs are cancelled, and running jobs cannot submit others.
    Cancel,
}

impl Pool {
    /// Returns the process-wide pool, which has the settings of [`Pool::new`].
    ///
    /// It is made on first use, shared by all its users and never dropped, and does not keep the process alive.
    /// [`shutdown`](Self::shutdown) refuses to end it; only [`shutdown_all`](Self::shutdown_all) does. The child
    /// of a fork has one of its own.
    ///
    /// # Examples
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
        static GLOBAL: Lasting<Pool> = Lasting::new();
        GLOBAL.get(|pool| pool.core.is_forked(), Builder::build_permanent)
    }

    /// Cancels every job that is queued now; returns how many. Running jobs go on.
    ///
    /// The outcome of each cancelled job is [`JobError::Cancelled`](crate::JobError::Cancelled), and everything it owns
    /// is dropped before this returns. Delayed and scheduled jobs that are not due stay; for those use
    /// [`cancel_timers`](Self::cancel_timers).
    ///
    /// # Examples
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

    /// Lists the ids of the jobs that are queued, in ascending order.
    ///
    /// For jobs that one thread submitted in the same way, that is the order of submission. The list may be out of date
    /// when this returns.
    pub fn queued_ids(&self) -> Vec<JobId> {
        self.core.queued().into_iter().map(JobId::accepted).collect()
    }

    /// Shuts the pool down, and waits until its threads have ended.
    ///
    /// From now on, only the pool's own jobs can submit jobs, and with [`Shutdown::Cancel`] nobody. The queued jobs run
    /// or are cancelled, as `mode` says, and running jobs finish; then the threads end. To ask running jobs to stop,
    /// call [`JobHandle::cancel`] on their handles. Calling this again, from any thread, waits for the same shutdown. A
    /// pool that was shut down can be [reopened](Self::reopen).
    ///
    /// [`JobHandle::cancel`]: crate::JobHandle::cancel
    ///
    /// # Errors
    ///
    /// - [`WaitError::TimedOut`] if the deadline passed first. The shutdown goes on; call again to wait longer.
    /// - [`WaitError::Deadlock`] in a job of this pool, [`WaitError::Refused`] for the [global](Self::global) pool,
    ///   [`WaitError::Forked`] and [`WaitError::Exiting`]. Nothing was done.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Pool, Shutdown};
    ///
    /// let pool = Pool::new()?;
    /// pool.spawn(|| println!("still runs"))?;
    /// pool.shutdown(Shutdown::Drain, Deadline::in_secs(60))?;
    /// assert!(pool.spawn(|| ()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&self, mode: Shutdown, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        if self.core.is_permanent() {
            return Err(WaitError::Refused);
        }
        match mode {
            Shutdown::Drain => {}
            Shutdown::Cancel => self.core.close_and_cancel(&mut |_| ())?,
        }
        self.core.drain(deadline.into())
    }

    /// Shuts down like [`shutdown`](Self::shutdown) with [`Shutdown::Cancel`], and reports what was cancelled.
    ///
    /// The ids of the queued jobs and timers that will never run are appended to `cancelled`, ascending and each once,
    /// even if the deadline passes first.
    ///
    /// # Errors
    ///
    /// As for [`shutdown`](Self::shutdown).
    ///
    /// # Examples
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
    /// assert_eq!(lost, [queued]); // although the running job has not ended
    /// # assert!(ended.is_err());
    /// # drop(open);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown_now(&self, cancelled: &mut Vec<JobId>, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        self.close_now(cancelled)?;
        self.core.drain(deadline.into())
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

    /// Shuts down every pool of the process, including the [global](Self::global) one.
    ///
    /// It closes all pools, then waits until all have ended. Pools that are made later, [abandoned](Self::abandon)
    /// pools, and pools of another copy of this library in the process are not affected. It may be called again.
    ///
    /// # Errors
    ///
    /// As for [`shutdown`](Self::shutdown); [`WaitError::Deadlock`] in a job of any of the pools. Nothing was done
    /// then.
    ///
    /// # Examples
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
        pool::drain_all(mode == Shutdown::Cancel, deadline.into())
    }

    /// Opens a pool that was shut down, so that it accepts jobs again.
    ///
    /// Waits for a shutdown in progress to end first. Does nothing to an open pool.
    ///
    /// # Errors
    ///
    /// The pool stays closed with [`WaitError::TimedOut`] if the shutdown did not end before the deadline;
    /// [`WaitError::Broken`] if a hook has failed; [`WaitError::Refused`] if the pool was abandoned or its last handle
    /// was dropped; [`WaitError::Deadlock`] in a job of this pool; [`WaitError::Forked`] and [`WaitError::Exiting`].
    ///
    /// # Examples
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
        self.core.reopen(deadline.into())
    }

    /// Resets the pool: cancels the queued jobs, resets the counts, and reopens it if it was shut down.
    ///
    /// Jobs are cancelled as by [`cancel_all`](Self::cancel_all); the counts of [failed](Self::failed) and
    /// [expired](Self::expired) jobs begin at 0 again. Running jobs go on and deliver their outcomes. Waits only for a
    /// shutdown in progress. Returns how many jobs were cancelled.
    ///
    /// # Errors
    ///
    /// None for an open pool; otherwise as for [`reopen`](Self::reopen).
    pub fn clear(&self, deadline: impl Into<Deadline>) -> Result<usize, WaitError> {
        self.core.clear(deadline.into())
    }

    /// Closes the pool without waiting, for a pool with a job that may never end.
    ///
    /// Accepted jobs still run, but nothing waits for them, not even the drop of the last handle. Threads and memory
    /// are released when the last job ends, if it does. To keep queued jobs from running, [shut the pool
    /// down](Self::shutdown) with [`Shutdown::Cancel`] and [`Deadline::NOW`] first. The [global](Self::global) pool is
    /// not affected.
    ///
    /// # Examples
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

    /// Checks whether the pool is open to jobs of the calling thread.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Shutdown`], [`SubmitError::Broken`] with the failure of the hook, or [`SubmitError::Forked`].
    pub fn check(&self) -> Result<(), SubmitError> {
        self.core.refusal().map_or(Ok(()), |why| Err(why.into()))
    }
}
