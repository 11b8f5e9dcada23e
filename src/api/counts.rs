//! The numbers that a pool reports.

use super::Pool;

impl Pool {
    /// The number of worker threads that exist now. A new pool has none: they are started when there are jobs.
    pub fn alive(&self) -> usize {
        self.core.threads()
    }

    /// The number of workers that are running a job now.
    pub fn busy(&self) -> usize {
        self.core.busy()
    }

    /// The number of jobs that are queued or running now. Delayed jobs count once they are due.
    pub fn pending(&self) -> u64 {
        self.core.pending()
    }

    /// The number of jobs that have failed since the pool was made or [cleared](Self::clear): that panicked, returned
    /// an error or called [`fail`](crate::fail), or whose callback failed. Such a job counts here and not as cancelled
    /// or [expired](Self::expired), even if it never ran.
    pub fn failed(&self) -> u64 {
        self.core.failed()
    }

    /// The number of jobs that ended [`Expired`](crate::JobError::Expired), because they missed their [start
    /// deadline](crate::Request::start_within), since the pool was made or [cleared](Self::clear).
    pub fn expired(&self) -> u64 {
        self.core.expired()
    }

    /// The most worker threads that the pool can have, including [extra workers](crate::Builder::extra_workers). Every
    /// [`worker_index`](crate::worker_index) is below it.
    pub fn limit(&self) -> usize {
        self.core.most()
    }
}
