//! The jobs of a map that were submitted and not read yet.

use super::wait::Completed;
use super::{JobError, JobHandle, WaitError};
use crate::sync::Deadline;
use std::collections::VecDeque;
use std::time::Duration;

pub(super) type Values<R> = Vec<Result<R, JobError>>;

/// The values of a chunk, and how long pulling the items or running them took, whichever was longer, if that is
/// measured.
pub(super) type Chunk<R> = (Values<R>, Option<Duration>);

/// The jobs that were submitted and not read yet, each with a chunk of items.
pub(super) enum Flight<R: Send + 'static> {
    Ordered(VecDeque<JobHandle<Chunk<R>>>),
    Unordered(Completed<Chunk<R>>),
}

impl<R: Send + 'static> Flight<R> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Ordered(jobs) => jobs.len(),
            Self::Unordered(jobs) => jobs.len(),
        }
    }

    pub(super) fn push(&mut self, job: JobHandle<Chunk<R>>) {
        match self {
            Self::Ordered(jobs) => jobs.push_back(job),
            Self::Unordered(jobs) => jobs.push(job),
        }
    }

    /// Waits for the next job and removes it; `None` if there are no more.
    pub(super) fn next(&mut self, deadline: Deadline) -> Option<Result<JobHandle<Chunk<R>>, WaitError>> {
        match self {
            Self::Ordered(jobs) => {
                let waited = jobs.front()?.wait(deadline);
                Some(waited.map(|()| jobs.pop_front().expect("waited for")))
            }
            Self::Unordered(jobs) => jobs.next_until(deadline),
        }
    }

    pub(super) fn wait(&self, deadline: Deadline) -> Result<(), WaitError> {
        match self {
            Self::Ordered(jobs) => jobs.iter().try_for_each(|job| job.wait(deadline)),
            Self::Unordered(jobs) => jobs.pending().try_for_each(|job| job.wait(deadline)),
        }
    }

    pub(super) fn cancel(&self) {
        match self {
            Self::Ordered(jobs) => jobs.iter().for_each(|job| _ = job.cancel()),
            Self::Unordered(jobs) => jobs.pending().for_each(|job| _ = job.cancel()),
        }
    }
}

impl<R: Send + 'static> Drop for Flight<R> {
    fn drop(&mut self) {
        self.cancel();
    }
}
