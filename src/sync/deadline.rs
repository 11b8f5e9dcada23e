//! How long a call may wait.

use std::time::{Duration, Instant};

/// The time until which a call may wait: an instant of the monotonic clock, [`NOW`](Self::NOW) or
/// [`NEVER`](Self::NEVER).
///
/// A [`Duration`] converts into the deadline that long from now, and an [`Instant`] into itself, so both can be passed
/// where a deadline is expected. A duration that is too long for the clock means [`Deadline::NEVER`].
///
/// # Examples
///
/// ```
/// use fastthreadpool::Deadline;
/// use std::time::Duration;
///
/// assert!(Deadline::NOW.has_passed());
/// assert!(!Deadline::NEVER.has_passed());
/// assert!(!Deadline::in_secs(3600).has_passed());
/// assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(When);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Now,
    At(Instant),
    Never,
}

impl Deadline {
    /// Do not wait.
    pub const NOW: Self = Self(When::Now);

    /// Wait without a limit.
    pub const NEVER: Self = Self(When::Never);

    /// The deadline `timeout` from now.
    pub fn after(timeout: Duration) -> Self {
        if timeout.is_zero() {
            return Self::NOW;
        }
        Self(Instant::now().checked_add(timeout).map_or(When::Never, When::At))
    }

    /// The deadline `seconds` from now.
    pub fn in_secs(seconds: u64) -> Self {
        Self::after(Duration::from_secs(seconds))
    }

    /// Whether the deadline has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }

    /// The earlier of the two.
    pub(crate) fn min(self, other: Self) -> Self {
        match (self.0, other.0) {
            (When::Now, _) | (_, When::Now) => Self::NOW,
            (When::Never, _) => other,
            (_, When::Never) => self,
            (When::At(a), When::At(b)) => Self(When::At(a.min(b))),
        }
    }

    /// The time left until the deadline: zero once it has passed, `None` for [`NEVER`](Self::NEVER).
    pub fn remaining(self) -> Option<Duration> {
        match self.0 {
            When::Now => Some(Duration::ZERO),
            When::At(instant) => Some(instant.saturating_duration_since(Instant::now())),
            When::Never => None,
        }
    }
}

impl From<Duration> for Deadline {
    fn from(timeout: Duration) -> Self {
        Self::after(timeout)
    }
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Self(When::At(instant))
    }
}
