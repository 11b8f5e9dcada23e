//! Time for tests.

use crate::pool;
use crate::sys::clock::{Clock, ManualTime};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A clock that advances only when it is told to, for tests of programs with delayed and scheduled jobs.
///
/// Pass it to [`Builder::clock`](crate::Builder::clock). Clones are the same clock, and several pools may use it.
/// Deadlines of waits do not go by it.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Deadline, ManualClock, Pool};
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let pool = Pool::builder().clock(&clock).build()?;
/// let ticks = Arc::new(AtomicU32::new(0));
/// let counted = Arc::clone(&ticks);
/// pool.schedule(Duration::from_secs(3600), move || { counted.fetch_add(1, Ordering::Relaxed); })?;
///
/// for _ in 0..24 {
///     clock.advance(Duration::from_secs(3600)); // queues what is due
///     pool.wait_idle(Deadline::NEVER)?;
/// }
/// assert_eq!(ticks.load(Ordering::Relaxed), 24);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<ManualTime>);

impl ManualClock {
    /// Makes a clock that starts at zero. Its wall clock starts at the system's current time.
    pub fn new() -> Self {
        Self(Arc::new(ManualTime::new()))
    }

    /// Advances both the monotonic and the wall clock, and queues the jobs that have become due.
    ///
    /// They are queued in the order of their due times, those by the wall clock after the others. When this returns,
    /// they may have started, or even ended. If there are more than 64, the others follow as workers get to them. Until
    /// then those count as [delayed](crate::Pool::delayed_count), but [`Pool::wait_idle`](crate::Pool::wait_idle) waits
    /// for them, and [`Pool::cancel_all`](crate::Pool::cancel_all) cancels them.
    ///
    /// Jobs whose [start deadline](crate::Request::start_within) has passed have ended when this returns. Their
    /// callbacks, and the hook of [`Builder::on_overrun`](crate::Builder::on_overrun), are called here. They may
    /// advance the clock in turn; the outer call then handles what becomes overdue, after they have returned.
    pub fn advance(&self, time: Duration) {
        self.0.advance(time);
        pool::clock_was_set(&self.0);
    }

    /// Sets the wall clock, forward or back, and queues the jobs that have become due.
    pub fn set_wall_clock(&self, time: SystemTime) {
        self.0.set_wall(time);
        pool::clock_was_set(&self.0);
    }

    /// The time by which the clock has advanced since it was made.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The current time of its wall clock.
    pub fn wall_clock(&self) -> SystemTime {
        self.0.wall()
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::manual(Arc::clone(&self.0))
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}
