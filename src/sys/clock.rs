//! What time it is: for timers, a number of nanoseconds.

use super::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Two clocks in one: the monotonic one, which counts from an origin of its own, and the wall clock, which counts from
/// 1970 and may be set. 64 bits of nanoseconds last 584 years; what lies beyond saturates.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { origin: Instant },
    Manual(Arc<ManualTime>),
}

impl Clock {
    /// The machine's clocks.
    pub(crate) fn system() -> Self {
        Self(Source::System { origin: Instant::now() })
    }

    /// Clocks that go when they are told to.
    pub(crate) fn manual(time: Arc<ManualTime>) -> Self {
        Self(Source::Manual(time))
    }

    pub(crate) fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }

    /// Monotonic nanoseconds. Never too many: nothing is early.
    pub(crate) fn now(&self) -> u64 {
        match &self.0 {
            Source::System { origin } => nanos(origin.elapsed()),
            Source::Manual(time) => time.elapsed.load(Ordering::SeqCst),
        }
    }

    /// Nanoseconds since 1970; 0 before.
    pub(crate) fn wall(&self) -> u64 {
        match &self.0 {
            Source::System { .. } => since_1970(SystemTime::now()),
            Source::Manual(time) => time.wall.load(Ordering::SeqCst),
        }
    }

    /// The monotonic moment of an instant; 0 for one before the origin.
    pub(crate) fn moment(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.origin()))
    }

    /// The instant of a monotonic moment; `None` beyond the platform's clock.
    pub(crate) fn instant(&self, moment: u64) -> Option<Instant> {
        self.origin().checked_add(Duration::from_nanos(moment))
    }

    fn origin(&self) -> Instant {
        match &self.0 {
            Source::System { origin } => *origin,
            Source::Manual(time) => time.origin,
        }
    }
}

/// A time that stands still until somebody changes it.
#[derive(Debug)]
pub(crate) struct ManualTime {
    origin: Instant,
    elapsed: AtomicU64,
    wall: AtomicU64,
}

impl ManualTime {
    /// Begins with the machine's wall clock.
    pub(crate) fn new() -> Self {
        let wall = since_1970(SystemTime::now());
        Self { origin: Instant::now(), elapsed: AtomicU64::new(0), wall: AtomicU64::new(wall) }
    }

    /// Both clocks go on.
    pub(crate) fn advance(&self, time: Duration) {
        for clock in [&self.elapsed, &self.wall] {
            let advanced = |now: u64| Some(now.saturating_add(nanos(time)));
            clock.fetch_update(Ordering::SeqCst, Ordering::SeqCst, advanced).expect("always advanced");
        }
    }

    /// The wall clock is set.
    pub(crate) fn set_wall(&self, time: SystemTime) {
        self.wall.store(since_1970(time), Ordering::SeqCst);
    }

    /// What the monotonic clock shows.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed.load(Ordering::SeqCst))
    }

    /// What the wall clock shows.
    pub(crate) fn wall(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.wall.load(Ordering::SeqCst))
    }
}

/// Saturates at 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().checked_mul(1_000_000_000);
    seconds.and_then(|nanos| nanos.checked_add(duration.subsec_nanos().into())).unwrap_or(u64::MAX)
}

/// Saturates on both sides.
pub(crate) fn since_1970(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, nanos)
}
