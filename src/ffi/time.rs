//! How long C calls may wait.

use super::check::Checked;
use super::ftpool_status::*;
use crate::Deadline;
use std::time::Duration;

/// A timeout: look once, do not wait.
pub const FTPOOL_NOW: i64 = 0;
/// A timeout: wait as long as it takes.
pub const FTPOOL_FOREVER: i64 = -1;

/// FTPOOL_FOREVER, FTPOOL_NOW or a number of nanoseconds.
pub(super) fn deadline(timeout_ns: i64) -> Checked<Deadline> {
    match timeout_ns {
        FTPOOL_FOREVER => Ok(Deadline::NEVER),
        0.. => Ok(Deadline::after(Duration::from_nanos(timeout_ns as u64))),
        _ => Err(FTPOOL_E_INVALID),
    }
}
