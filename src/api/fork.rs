//! Fork and join.

use super::Pool;
use crate::pool::fork;

impl Pool {
    /// Runs `a` and `b`, if it pays at the same time, and returns both values when both have ended. Made for recursion:
    /// a call costs about as much as a function call as long as nobody takes `b`.
    ///
    /// The caller runs `a`, and `b` too unless a worker is free and takes it meanwhile. That is offered at once at the
    /// first call of its kind, then as the work shows that it takes long enough; the oldest `b` goes first. Works in
    /// jobs and outside, to any depth, on closures that borrow, and on a pool that was shut down (there the caller
    /// runs both).
    ///
    /// # Panics
    ///
    /// If `a` or `b` panics, and after both have ended. If both do, with what `a` has thrown; `b` may not be run then.
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
