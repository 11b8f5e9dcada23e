//! Fork and join.

use super::Pool;
use crate::pool::fork;

impl Pool {
    /// Runs `a` and `b`, in parallel where that pays, and returns both values when both have finished. Made for
    /// recursion: a call costs about as much as a function call as long as nobody takes `b`.
    ///
    /// The caller runs `a`, and then `b` unless a free worker has taken it meanwhile. The first call of its kind offers
    /// its `b` to workers at once; later ones do so when the work has proved to take long enough, the oldest `b` first.
    /// Works in jobs and outside, to any depth, with closures that borrow, and on a pool that was shut down (there the
    /// caller runs both).
    ///
    /// # Panics
    ///
    /// If `a` or `b` panics, when both have finished. If both panic, with the payload of `a`. If `a` panics, `b` may
    /// not run at all.
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
