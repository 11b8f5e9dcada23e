//! Scopes: jobs that borrow.

use super::Pool;
use crate::pool::{self, unwind};
use std::marker::PhantomData;
use std::panic::resume_unwind;

/// A scope for jobs that borrow. Passed to the closure of [`Pool::scope`].
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope> {
    inner: pool::Scope<'scope>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl Pool {
    /// Runs `code`, which may spawn jobs that borrow from outside the scope, and returns when all of them have ended.
    ///
    /// All of them run. In a job of the pool, the waiting worker runs jobs that have not started. A job that the pool
    /// does not accept, because it was shut down or its queue is full, runs where it is spawned. A job that is
    /// cancelled before it starts, by a shutdown, by [`cancel_all`](Self::cancel_all) or [`clear`](Self::clear), or by
    /// [`Policy::DiscardOldest`](crate::Policy::DiscardOldest), runs at the end, on the thread that waits.
    ///
    /// # Panics
    ///
    /// If `code` or a job panics, after all jobs have ended: with the payload of `code`, or else of the first job that
    /// panicked.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = fastthreadpool::Pool::new()?;
    /// let (mut sum, numbers, mut most) = (0, vec![1, 2, 3], 0);
    /// pool.scope(|scope| {
    ///     scope.spawn(|| sum = numbers.iter().sum());
    ///     scope.spawn(|| most = *numbers.iter().max().unwrap());
    /// });
    /// assert_eq!((sum, most), (6, 3));
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn scope<'env, R>(&self, code: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R) -> R {
        let scope = Scope { inner: pool::Scope::new(self.core()), scope: PhantomData, env: PhantomData };
        // A panic of `code` is caught, so that the wait always follows the spawns.
        let returned = unwind::catch(|| code(&scope));
        let ended = scope.inner.wait();
        match (returned, ended) {
            (Ok(value), Ok(())) => value,
            (Err(payload), other) => {
                unwind::dispose(other);
                resume_unwind(payload)
            }
            (Ok(_), Err(payload)) => resume_unwind(payload),
        }
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Queues `job`, which runs before the scope ends. Jobs of the scope can spawn more jobs in it.
    pub fn spawn(&'scope self, job: impl FnOnce() + Send + 'scope) {
        // SAFETY: 1. `Pool::scope`, which made the scope, waits for its jobs before 'scope ends, also after a panic.
        unsafe { self.inner.spawn(job) };
    }
}
