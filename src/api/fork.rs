//! Fork and join.

use super::Pool;
use crate::pool::fork;

impl Pool {
    /// Runs `a` and `b`, in parallel where that pays, and returns both values when both have returned.
    ///
    /// The caller runs `a`, and then `b`, unless a free worker has taken `b` meanwhile. It is made for recursion: a
    /// call costs about as much as a function call as long as no worker takes `b`. The first call with given closures
    /// offers its `b` to workers at once; later ones do so when the work has proved to take long enough, the oldest `b`
    /// first.
    ///
    /// It works in jobs and outside, to any depth, with closures that borrow, and on a pool that was shut down, where
    /// the caller runs both.
    ///
    /// # Panics
    ///
    /// If `a` or `b` panics, after both have returned. If both panic, with the payload of `a`. If `a` panics, `b` may
    /// not run at all.
    ///
    /// # Examples
    ///
    /// ```
    /// fn sum(pool: &fastthreadpool::Pool, numbers: &[u64]) -> u64 {
    ///     if numbers.len() <= 1000 {
    ///         return numbers.iter().sum();
    ///     }
    ///     let (left, right) = numbers.split_at(numbers.len() / 2);
    ///     let (left, right) = pool.join(|| sum(pool, left), || sum(pool, right));
    ///     left + right
    /// }
    ///
    /// let pool = fastthreadpool::Pool::new()?;
    /// let numbers: Vec<u64> = (0..100_000).collect();
    /// assert_eq!(sum(&pool, &numbers), 4_999_950_000);
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    #[inline(always)]
    pub fn join<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        fork::join(self.core(), a, b)
    }
}
