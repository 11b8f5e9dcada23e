//! The outcome of work that several threads do for one caller.

use super::frame;
use super::running::Failure;
use super::unwind::{self, Payload};
use super::worker::Worker;
use crate::sys::lock::Lock;

/// Collects the first panic of such work, and a failure that it has declared.
#[derive(Debug, Default)]
pub(super) struct JointOutcome {
    payload: Lock<Option<Payload>>,
    failure: Lock<Option<Box<Failure>>>,
}

impl JointOutcome {
    /// Runs a part of the work; false if it panicked. Payloads after the first one are dropped.
    pub(super) fn run(&self, part: impl FnOnce()) -> bool {
        let Err(payload) = unwind::catch(part) else { return true };
        let mut first = self.payload.lock();
        if first.is_none() {
            *first = Some(payload);
        } else {
            drop(first);
            unwind::dispose(payload);
        }
        false
    }

    /// Takes over the failure that the worker's job, a part of the work, has declared.
    pub(super) fn take_failure(&self, worker: &Worker) {
        if let Some(failure) = worker.take_failure() {
            self.fail(failure);
        }
    }

    /// A part of the work has declared a failure. The last one counts.
    pub(super) fn fail(&self, failure: Box<Failure>) {
        self.failure.lock().replace(failure);
    }

    /// Called by the caller when all parts have ended: it declares the failure. An error is the first panic.
    pub(super) fn settle(&self) -> Result<(), Payload> {
        if let Some(failure) = self.failure.lock().take() {
            frame::fail(failure);
        }
        self.payload.lock().take().map_or(Ok(()), Err)
    }
}
