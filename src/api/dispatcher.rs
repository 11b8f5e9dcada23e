//! The thread that calls a results object's callback.

use super::outcome::Outcome;
use super::results::Shared;
use super::{JobError, JobId};
use crate::pool::unwind;
use crate::sys::lock::ForkedLock;
use crate::sys::thread::{self, JoinHandle};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// Lives as long as the last handle to the results object.
#[derive(Debug)]
pub(super) struct Dispatcher {
    thread: JoinHandle<()>,
    failures: Arc<ForkedLock<VecDeque<(JobId, JobError)>>>,
}

impl Dispatcher {
    pub(super) fn start<T: Send + 'static>(
        shared: Arc<Shared<T>>,
        mut callback: impl FnMut(Outcome<T>) -> Result<(), JobError> + Send + 'static,
    ) -> io::Result<Self> {
        let failures = Arc::new(ForkedLock::new(VecDeque::new()));
        let recorded = Arc::clone(&failures);
        let work = move || {
            while let Some(entry) = shared.queues().next_until_stopped() {
                let outcome = Outcome::from(entry);
                let id = outcome.id;
                let returned = unwind::catch(|| callback(outcome));
                if let Err(error) = returned.unwrap_or_else(|payload| Err(JobError::panicked(payload)))
                    && let Some(mut recorded) = recorded.lock()
                {
                    recorded.push_back((id, error));
                }
            }
            unwind::dispose(callback);
        };
        Ok(Self { thread: thread::start("results".into(), None, work)?, failures })
    }

    pub(super) fn take_failure(&self) -> Option<(JobId, JobError)> {
        self.failures.lock()?.pop_front()
    }

    /// Waits until the thread has ended, unless the caller is that thread: a callback may drop its results object.
    pub(super) fn join(self) {
        thread::join_other(self.thread);
    }
}
