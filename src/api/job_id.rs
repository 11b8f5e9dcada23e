//! Ids of jobs.

use std::fmt;
use std::num::NonZero;

/// The id of an accepted job, unique in the process across all pools, and never reused.
///
/// Ids of jobs that have ended, or of other pools, are harmless: a pool finds no job by them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(NonZero<u64>);

impl JobId {
    /// The id as a number, as the C API uses it.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The id with this number; `None` for 0, which is no job's id.
    pub fn from_number(number: u64) -> Option<Self> {
        NonZero::new(number).map(Self)
    }

    /// Ids of accepted jobs are never 0.
    #[inline]
    pub(super) fn accepted(number: u64) -> Self {
        Self(NonZero::new(number).expect("block numbers begin at 1"))
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({})", self.0)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
