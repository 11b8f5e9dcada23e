//! Closures as the pool's tasks.

use super::error::Declared;
use super::{JobError, JobId};
use crate::pool::{Failure, Task, Worker, unwind};
use crate::queue::Ticket;

/// What a job came to: its value, unless it panicked, returned an error or declared a failure.
#[inline]
fn verdict<T>(worker: &Worker, code: impl FnOnce() -> Result<T, JobError>) -> Result<T, JobError> {
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
    pub(super) ticket: Ticket<(JobId, T), (JobId, JobError)>,
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
            Ok(value) => self.ticket.deliver(worker.seat(), Some(Ok((id, value)))),
            Err(error) => fail(worker, self.ticket, (id, error)),
        }
    }

    fn cancel(self, id: u64) {
        unwind::dispose(self.code);
        self.ticket.deliver_from_outside(Some(Err((JobId::accepted(id), JobError::Cancelled))));
    }
}

#[cold]
fn fail<T>(worker: &Worker, ticket: Ticket<(JobId, T), (JobId, JobError)>, failure: (JobId, JobError)) {
    worker.count_failure();
    ticket.deliver(worker.seat(), Some(Err(failure)));
}
