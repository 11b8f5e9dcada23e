//! Clocks: for timers, time is a number of nanoseconds.

use super::atomic::{AtomicU64, Ordering};
use super::process::Lasting;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Two clocks in one: the monotonic one, which counts from an origin of its own, and the wall clock, which counts from
/// 1970 and may be set. 64 bits of nanoseconds last 584 years; what lies beyond saturates.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<ManualTime>),
}

/// An instant, and the monotonic clock's time then, or a little later: so a converted time is never too early.
type Origin = (Instant, u64);

impl Clock {
    /// The machine's clocks.
    pub(crate) fn system() -> Self {
        Self(Source::System)
    }

    /// Clocks that advance only when told to.
    pub(crate) fn manual(time: Arc<ManualTime>) -> Self {
        Self(Source::Manual(time))
    }

    /// Whether it goes by this time.
    pub(crate) fn is(&self, time: &Arc<ManualTime>) -> bool {
        matches!(&self.0, Source::Manual(own) if Arc::ptr_eq(own, time))
    }

    pub(crate) fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }

    /// Monotonic nanoseconds. Never ahead of time, so nothing is early.
    pub(crate) fn now(&self) -> u64 {
        match &self.0 {
            Source::System => imp::monotonic(),
            Source::Manual(time) => time.elapsed.load(Ordering::SeqCst),
        }
    }

    /// Nanoseconds since 1970; 0 before.
    pub(crate) fn wall(&self) -> u64 {
        match &self.0 {
            Source::System => since_1970(SystemTime::now()),
            Source::Manual(time) => time.wall.load(Ordering::SeqCst),
        }
    }

    /// The monotonic moment of an instant; `None` for one before the clock's beginning.
    pub(crate) fn moment(&self, instant: Instant) -> Option<u64> {
        let (origin, shown) = self.origin();
        match instant.checked_duration_since(origin) {
            Some(later) => Some(shown.saturating_add(nanos(later))),
            None => shown.checked_sub(nanos(origin - instant)),
        }
    }

    /// The instant of a monotonic moment; `None` beyond the platform's clock.
    pub(crate) fn instant(&self, moment: u64) -> Option<Instant> {
        let (origin, shown) = self.origin();
        match moment.checked_sub(shown) {
            Some(later) => origin.checked_add(Duration::from_nanos(later)),
            None => origin.checked_sub(Duration::from_nanos(shown - moment)),
        }
    }

    fn origin(&self) -> Origin {
        static OF_SYSTEM: Lasting<Origin> = Lasting::new();
        match &self.0 {
            Source::System => *OF_SYSTEM.get(|_| false, || (Instant::now(), imp::monotonic())),
            Source::Manual(time) => (time.origin, 0),
        }
    }
}

/// A time that stands still until it is changed.
#[derive(Debug)]
pub(crate) struct ManualTime {
    origin: Instant,
    elapsed: AtomicU64,
    wall: AtomicU64,
}

impl ManualTime {
    /// The wall clock begins with the machine's.
    pub(crate) fn new() -> Self {
        let wall = since_1970(SystemTime::now());
        Self { origin: Instant::now(), elapsed: AtomicU64::new(0), wall: AtomicU64::new(wall) }
    }

    /// Advances both clocks.
    pub(crate) fn advance(&self, time: Duration) {
        for clock in [&self.elapsed, &self.wall] {
            let advanced = |now: u64| Some(now.saturating_add(nanos(time)));
            clock.fetch_update(Ordering::SeqCst, Ordering::SeqCst, advanced).expect("always advanced");
        }
    }

    /// Sets the wall clock.
    pub(crate) fn set_wall(&self, time: SystemTime) {
        self.wall.store(since_1970(time), Ordering::SeqCst);
    }

    /// The monotonic clock's time.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed.load(Ordering::SeqCst))
    }

    /// The wall clock's time.
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

#[cfg(all(target_os = "linux", not(loom), not(ftpool_portable)))]
mod imp {
    /// As `Instant::now` does, but without conversions, which take four times as many instructions.
    pub(super) fn monotonic() -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is writable.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }
}

#[cfg(not(all(target_os = "linux", not(loom), not(ftpool_portable))))]
mod imp {
    use crate::sys::process::Lasting;
    use std::time::Instant;

    pub(super) fn monotonic() -> u64 {
        static BEGINNING: Lasting<Instant> = Lasting::new();
        super::nanos(BEGINNING.get(|_| false, Instant::now).elapsed())
    }
}
