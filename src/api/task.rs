//! Closures as the pool's tasks.

use super::error::Declared;
use super::{JobError, JobId};
use crate::pool::{Failure, Task, Worker, unwind};
use crate::queue::Outcomes;
use std::sync::Arc;

/// The two queues of a results object.
pub(super) type Queues<T> = Outcomes<(JobId, T), (JobId, JobError)>;

/// What a job came to: its value, unless it panicked, returned an error or declared a failure.
#[inline]
pub(super) fn verdict<T>(worker: &Worker, code: impl FnOnce() -> Result<T, JobError>) -> Result<T, JobError> {
    let returned = unwind::catch(code);
    match (returned, worker.take_failure()) {
        (Ok(returned), None) => returned,
        (Ok(returned), Some(Failure { code, message })) => {
            unwind::dispose(returned);
            Err(JobError::Failed(Box::new(Declared { code, message })))
        }
        (Err(payload), _) => Err(JobError::Panicked(payload)),
    }
}

/// Fire and forget: a failure is counted, nothing is kept.
pub(super) struct Detached<F>(pub(super) F);

impl<F: FnOnce() -> Result<(), JobError> + Send + 'static> Task for Detached<F> {
    #[inline]
    fn run(self, worker: &Worker) {
        if let Err(error) = verdict(worker, self.0) {
            worker.count_failure();
            unwind::dispose(error);
        }
    }

    fn cancel(self, _id: u64) {}
}

/// The outcome goes to a results object.
pub(super) struct Reporting<T, F> {
    pub(super) queues: Arc<Queues<T>>,
    pub(super) code: F,
}

impl<T, F> Task for Reporting<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, JobError> + Send + 'static,
{
    #[inline]
    fn run(self, worker: &Worker) {
        let id = JobId::accepted(worker.job());
        let result = verdict(worker, self.code);
        worker.ended();
        match result {
            Ok(value) => self.queues.deliver_done(worker.number(), (id, value)),
            Err(error) => {
                worker.count_failure();
                self.queues.deliver_failed(worker.number(), (id, error));
            }
        }
        // With nobody left to read them, outcomes are dropped here, and that is users' code again.
        if let Some(unread) = Arc::into_inner(self.queues) {
            worker.resume();
            unwind::dispose(unread);
        }
    }

    fn cancel(self, id: u64) {
        unwind::dispose(self.code);
        self.queues.deliver_failed(self.queues.outsider(), (JobId::accepted(id), JobError::Cancelled));
    }
}
