//! Times and timeouts of C calls.

use super::check::Checked;
use super::ftpool_status::*;
use crate::Deadline;
use std::time::Duration;

/// A timeout of 0: do not wait.
pub const FTPOOL_NOW: i64 = 0;
/// No timeout: wait without a limit.
pub const FTPOOL_FOREVER: i64 = -1;

/// FTPOOL_FOREVER, FTPOOL_NOW or a number of nanoseconds, checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeout(i64);

pub(super) fn timeout(timeout_ns: i64) -> Checked<Timeout> {
    if timeout_ns >= FTPOOL_FOREVER { Ok(Timeout(timeout_ns)) } else { Err(FTPOOL_E_INVALID) }
}

/// A timeout as a duration; `None` for FTPOOL_FOREVER.
pub(super) fn duration(timeout_ns: i64) -> Checked<Option<Duration>> {
    timeout(timeout_ns).map(|Timeout(time_ns)| nanoseconds(time_ns).ok())
}

pub(super) fn deadline(timeout_ns: i64) -> Checked<Deadline> {
    timeout(timeout_ns).map(Deadline::from)
}

impl From<Timeout> for Deadline {
    fn from(Timeout(time_ns): Timeout) -> Self {
        nanoseconds(time_ns).map_or(Self::NEVER, Self::after)
    }
}

/// A length of time, which must not be negative.
pub(super) fn nanoseconds(time_ns: i64) -> Checked<Duration> {
    u64::try_from(time_ns).map(Duration::from_nanos).map_err(|_| FTPOOL_E_INVALID)
}

/// Saturates at 292 years.
pub(super) fn from_duration(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}
