//! The numbers that a pool reports.

use super::Pool;

impl Pool {
    /// How many worker threads there are.
    pub fn alive(&self) -> usize {
        self.core.threads()
    }

    /// How many workers are running a job.
    pub fn busy(&self) -> usize {
        self.core.busy()
    }

    /// How many jobs are queued or running.
    pub fn pending(&self) -> u64 {
        self.core.pending()
    }

    /// How many jobs have panicked, returned an error or declared a [failure](crate::fail) since the pool was made or
    /// [cleared](Self::clear).
    pub fn failed(&self) -> u64 {
        self.core.failed()
    }

    /// How many jobs were not [started in time](crate::Request::start_within) since the pool was made or
    /// [cleared](Self::clear).
    pub fn expired(&self) -> u64 {
        self.core.expired()
    }

    /// The most workers there can be, [extra ones](Builder::extra_workers) included: one more than the largest
    /// [`worker_index`](crate::worker_index).
    pub fn limit(&self) -> usize {
        self.core.most()
    }
}
