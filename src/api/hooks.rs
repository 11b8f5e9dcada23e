//! Hooks: functions that a pool calls around its jobs.

use super::{Builder, JobError, JobId};
use crate::pool::{self, WorkerHook};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// A job that has exceeded its run limit. Passed to the hook of [`Builder::on_overrun`].
#[derive(Debug)]
pub struct Overrun<'a>(pool::Overrun<'a>);

impl Overrun<'_> {
    /// The name that was passed to [`Request::run_limit`](crate::Request::run_limit).
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The job's id.
    pub fn id(&self) -> JobId {
        JobId::accepted(self.0.job())
    }

    /// How long the job has been running.
    pub fn ran(&self) -> Duration {
        self.0.ran
    }

    /// Asks the job to stop. The job learns of it by [`cancel_requested`](crate::cancel_requested).
    pub fn request_cancel(&self) {
        self.0.ask();
    }
}

impl Builder {
    /// Calls `hook` in each worker before its first job, with the worker's [index](crate::worker_index).
    ///
    /// If it panics or calls [`fail`](crate::fail), the pool is broken: all queued jobs are cancelled, and every later
    /// submit, also by the pool's own jobs, returns [`SubmitError::Broken`](crate::SubmitError::Broken) with the cause.
    /// Jobs that are running on other workers end as usual.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::Cell;
    /// thread_local!(static CONNECTION: Cell<Option<usize>> = const { Cell::new(None) });
    ///
    /// let pool = fastthreadpool::Pool::builder().on_start(|worker| CONNECTION.set(Some(worker))).build()?;
    /// pool.spawn(|| assert_eq!(CONNECTION.get(), fastthreadpool::worker_index()))?;
    /// pool.wait_idle(fastthreadpool::Deadline::NEVER)?;
    /// assert_eq!(pool.failed(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_start(self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.try_on_start(infallible(hook))
    }

    /// As [`on_start`](Self::on_start); an error that the hook returns breaks the pool, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Pool, SubmitError};
    ///
    /// let pool = Pool::builder().try_on_start(|_worker| Err("no connection")).build()?;
    /// pool.spawn(|| unreachable!("cancelled, because the worker fails to start"))?;
    /// pool.wait_idle(Deadline::NEVER)?;
    /// let refused = pool.spawn(|| ()).unwrap_err();
    /// assert!(matches!(refused, SubmitError::Broken(_)));
    /// assert!(refused.to_string().contains("no connection"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_on_start<E>(mut self, hook: impl Fn(usize) -> Result<(), E> + Send + Sync + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.hooks.start = Some(erased(hook));
        self
    }

    /// Calls `hook` in each worker after its last job, with the worker's [index](crate::worker_index). It is not called
    /// in a worker whose start hook has failed.
    ///
    /// If it panics or calls [`fail`](crate::fail), the pool is broken, as by a [start hook](Self::on_start); the
    /// worker and a shutdown end as usual. It may submit jobs to its own pool only if the worker leaves an open pool,
    /// for example after an [idle timeout](Self::idle_timeout).
    pub fn on_stop(self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.try_on_stop(infallible(hook))
    }

    /// As [`on_stop`](Self::on_stop); an error that the hook returns breaks the pool, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Pool, Shutdown};
    ///
    /// let pool = Pool::builder().try_on_stop(|_worker| Err("cannot flush")).build()?;
    /// pool.spawn(|| ())?;
    /// pool.shutdown(Shutdown::Drain, Deadline::NEVER)?;
    /// assert!(pool.check().unwrap_err().to_string().contains("cannot flush"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_on_stop<E>(mut self, hook: impl Fn(usize) -> Result<(), E> + Send + Sync + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.hooks.stop = Some(erased(hook));
        self
    }

    /// Calls `hook` once for every job that panics, returns an error or calls [`fail`](crate::fail), or whose callback
    /// fails.
    ///
    /// It is called on the thread that has run the job, or on the one that cancelled or expired it, before the outcome
    /// can be read, and also for jobs without an outcome. Several threads may call it at once. A panic in it is caught
    /// and dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{JobError, Pool};
    /// use std::sync::mpsc;
    ///
    /// let (sender, failures) = mpsc::channel();
    /// let report = move |id, error: &JobError| sender.send((id, error.to_string())).unwrap();
    /// let pool = Pool::builder().on_failure(report).build()?;
    /// let id = pool.try_spawn(|| Err("disk full"))?;
    /// assert_eq!(failures.recv()?, (id, "the job failed: disk full".to_string()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_failure(mut self, hook: impl Fn(JobId, &JobError) + Send + Sync + 'static) -> Self {
        self.hooks.failed = Some(Arc::new(move |id, error| {
            if let Some(error) = error.downcast_ref() {
                hook(JobId::accepted(id), error);
            }
        }));
        self
    }

    /// Calls `log` with a line of text once for every job that fails, and when a hook breaks the pool.
    ///
    /// It is called on the thread on which the job or the hook fails; several threads may call it at once. A panic in
    /// it is caught and dropped.
    pub fn on_log(mut self, log: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.hooks.log = Some(Arc::new(log));
        self
    }

    /// Calls `hook` once for every job that exceeds its run limit ([`Request::run_limit`](crate::Request::run_limit)),
    /// as soon as it does.
    ///
    /// The job goes on; the hook may ask it to stop. The hook usually runs on the timer thread, where it delays other
    /// timers, so it should be short. A panic in it is caught and dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Pool, cancel_requested};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder()
    ///     .on_overrun(|overrun| {
    ///         println!("{} ({}) has run for {:?}", overrun.name(), overrun.id(), overrun.ran());
    ///         overrun.request_cancel();
    ///     })
    ///     .build()?;
    /// let endless = || while !cancel_requested() { std::thread::yield_now() };
    /// pool.job(endless).run_limit("endless", Duration::from_millis(5)).submit_handle()?.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_overrun(mut self, hook: impl Fn(&Overrun<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.overrun = Some(Arc::new(move |overrun| hook(&Overrun(overrun))));
        self
    }

    /// Logs the lines of [`on_log`](Self::on_log) as errors of the `log` crate. Needs the feature `log`.
    #[cfg(feature = "log")]
    pub fn log_failures(self) -> Self {
        self.on_log(|line| log::error!(target: "fastthreadpool", "{line}"))
    }
}

fn infallible(
    hook: impl Fn(usize) + Send + Sync,
) -> impl Fn(usize) -> Result<(), std::convert::Infallible> + Send + Sync {
    move |worker| {
        hook(worker);
        Ok(())
    }
}

/// Erases the type of a hook, and turns its error into text.
fn erased<E>(hook: impl Fn(usize) -> Result<(), E> + Send + Sync + 'static) -> WorkerHook
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    Arc::new(move |worker| hook(worker).map_err(|error| error.into().to_string()))
}
