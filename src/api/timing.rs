//! When delayed and scheduled jobs are due.

use super::{MissedTicks, SubmitError};
use crate::pool::{ClockKind, Placement, Plan, Rhythm, TickInfo, When, Worker, current};
use crate::sys::clock::{self, Clock};
use std::time::{Duration, Instant, SystemTime};

/// When a delayed job is due. A [`Duration`] from now, an [`Instant`] and a [`SystemTime`] convert into it.
///
/// No job starts early. Durations and instants go by the monotonic clock, which is never set, and which on Linux does
/// not count the time that the machine is suspended. A `SystemTime` goes by the wall clock, also if that is set
/// meanwhile; if the machine is suspended at that time, the job is due when it wakes up. Times centuries ahead are
/// allowed.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Due, Pool};
/// use std::time::{Duration, SystemTime};
///
/// let pool = Pool::new()?;
/// let soon = SystemTime::now() + Duration::from_millis(10);
/// pool.spawn_at(Due::at_wall_clock(soon).back(), || println!("behind the jobs that are queued by then"))?;
/// pool.spawn_at(Due::after(Duration::from_secs(60)).leeway(Duration::from_secs(5)), || println!("60 to 65 s later"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a due time does nothing before a job is submitted with it"]
pub struct Due {
    moment: Moment,
    leeway: Duration,
    placement: Placement,
    or_now: bool,
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    After(Duration),
    At(Instant),
    Wall(SystemTime),
}

impl Due {
    /// Due this long after the submit. Zero means at once.
    pub fn after(delay: Duration) -> Self {
        Self::new(Moment::After(delay))
    }

    /// Due at a time of the monotonic clock.
    pub fn at(instant: Instant) -> Self {
        Self::new(Moment::At(instant))
    }

    /// Due when the wall clock shows this time, also if that clock is set meanwhile.
    pub fn at_wall_clock(time: SystemTime) -> Self {
        Self::new(Moment::Wall(time))
    }

    /// Replaces the time, and keeps the other settings.
    #[cfg(feature = "capi")]
    pub(crate) fn delayed_by(mut self, delay: Duration) -> Self {
        self.moment = Moment::After(delay);
        self
    }

    fn new(moment: Moment) -> Self {
        Self { moment, leeway: Duration::ZERO, placement: Placement::Front, or_now: false }
    }

    /// Allows the job to be up to this much later, which lets the machine wake up once for several timers.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Queues the job behind the jobs that are queued when it is due. By default it goes ahead of the jobs that were
    /// submitted without a delay.
    pub fn back(mut self) -> Self {
        self.placement = Placement::Back;
        self
    }

    /// Makes the job due at once if its time has passed. By default that is [`SubmitError::Past`].
    pub fn or_now(mut self) -> Self {
        self.or_now = true;
        self
    }

    pub(super) fn placement(&self) -> Placement {
        self.placement
    }

    #[inline]
    pub(super) fn when(&self, clock: &Clock) -> Result<When, SubmitError> {
        let (kind, now, due) = match self.moment {
            Moment::After(delay) => {
                let now = clock.now();
                (ClockKind::Monotonic, now, now.saturating_add(clock::nanos(delay)))
            }
            Moment::At(instant) => self.unless_past(ClockKind::Monotonic, clock.now(), clock.moment(instant))?,
            Moment::Wall(time) => self.unless_past(ClockKind::Wall, clock.wall(), Some(clock::since_1970(time)))?,
        };
        // Rounded up to a multiple of a power of two, so that timers with about the same leeway are due together.
        let due = if self.leeway.is_zero() { due } else { rounded(due, clock::nanos(self.leeway)) };
        Ok(When { kind, now, due })
    }

    #[cold]
    fn unless_past(&self, kind: ClockKind, now: u64, due: Option<u64>) -> Result<(ClockKind, u64, u64), SubmitError> {
        let past = due.is_none_or(|due| due < now);
        if past && !self.or_now { Err(SubmitError::Past) } else { Ok((kind, now, due.unwrap_or(0))) }
    }
}

#[cold]
fn rounded(due: u64, leeway: u64) -> u64 {
    let below = (1 << leeway.checked_ilog2().unwrap_or(0)) - 1;
    due.checked_add(below).map_or(u64::MAX, |due| due & !below)
}

impl From<Duration> for Due {
    fn from(delay: Duration) -> Self {
        Self::after(delay)
    }
}

impl From<Instant> for Due {
    fn from(instant: Instant) -> Self {
        Self::at(instant)
    }
}

impl From<SystemTime> for Due {
    fn from(time: SystemTime) -> Self {
        Self::at_wall_clock(time)
    }
}

/// When a job is due again and again. A [`Duration`] converts into the schedule with that interval.
///
/// By default the first tick comes one interval from now. All others are counted from the first one, so that the
/// schedule does not drift. See [`Pool::schedule`](crate::Pool::schedule).
///
/// # Examples
///
/// ```
/// use fastthreadpool::{MissedTicks, Pool, Schedule};
/// use std::time::Duration;
///
/// let pool = Pool::new()?;
/// let every_second = Schedule::every(Duration::from_secs(1)).first(Duration::ZERO);
/// let flushes = every_second.missed(MissedTicks::Coalesce).max_runs(100);
/// let id = pool.schedule(flushes, || println!("flush"))?;
/// assert!(pool.cancel(id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a schedule does nothing before a job is submitted with it"]
pub struct Schedule {
    interval: Duration,
    first: Due,
    rhythm: Rhythm,
    max_runs: u64,
    stop_on_error: bool,
}

impl Schedule {
    /// Makes a schedule with a tick every `interval`.
    pub fn every(interval: Duration) -> Self {
        let rhythm = Rhythm::FixedRate(MissedTicks::default());
        Self { interval, first: Due::after(interval), rhythm, max_runs: u64::MAX, stop_on_error: false }
    }

    /// Sets when the first tick is due. If it goes by the wall clock, so do all others. Its placement holds for all
    /// ticks, and replaces [`back`](Self::back).
    pub fn first(mut self, due: impl Into<Due>) -> Self {
        self.first = due.into();
        self
    }

    /// Counts the interval from the end of each run, so that no ticks are missed. Replaces [`missed`](Self::missed).
    pub fn fixed_delay(mut self) -> Self {
        self.rhythm = Rhythm::FixedDelay;
        self
    }

    /// Sets what happens to ticks that are due while an earlier job is queued or running: [`MissedTicks::Skip`] by
    /// default. Replaces [`fixed_delay`](Self::fixed_delay).
    pub fn missed(mut self, missed: MissedTicks) -> Self {
        self.rhythm = Rhythm::FixedRate(missed);
        self
    }

    /// Ends the schedule after this many runs. A tick that was cancelled while it was queued counts as a run.
    pub fn max_runs(mut self, runs: u64) -> Self {
        self.max_runs = runs;
        self
    }

    /// Ends the schedule after a run that fails. By default it goes on.
    pub fn stop_on_error(mut self) -> Self {
        self.stop_on_error = true;
        self
    }

    /// Queues each job behind the jobs that are queued when it is due, as [`Due::back`].
    pub fn back(mut self) -> Self {
        self.first = self.first.back();
        self
    }

    pub(super) fn plan(&self, clock: &Clock) -> Result<(When, Placement, Plan), SubmitError> {
        if self.interval.is_zero() || self.max_runs == 0 {
            return Err(SubmitError::InvalidSchedule);
        }
        let plan = Plan {
            interval: clock::nanos(self.interval),
            rhythm: self.rhythm,
            max_runs: self.max_runs,
            stop_on_error: self.stop_on_error,
        };
        Ok((self.first.when(clock)?, self.first.placement, plan))
    }
}

impl From<Duration> for Schedule {
    fn from(interval: Duration) -> Self {
        Self::every(interval)
    }
}

/// The tick that a scheduled or delayed job runs for. From [`current_tick`] in the job, and
/// [`Outcome::tick`](crate::Outcome::tick) afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of the tick in its schedule, counted from 1, including skipped ticks; 1 for a delayed job.
    pub number: u64,
    /// When the tick was due.
    pub scheduled: Instant,
    /// How much later than that the job started.
    pub late_by: Duration,
}

/// Returns the tick that the running job was queued for; `None` outside a job, and in one that was not delayed.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Pool, current_tick};
/// use std::time::Duration;
///
/// let pool = Pool::new()?;
/// let ticks = pool.results();
/// ticks.submit_later(Duration::from_millis(1), || current_tick().map(|tick| tick.number))?;
/// assert_eq!(ticks.as_completed().next().unwrap().result.unwrap(), Some(1));
/// assert_eq!(current_tick(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn current_tick() -> Option<Tick> {
    current::with(tick_of).flatten()
}

/// The tick that the worker's running job was queued for.
#[inline]
pub(super) fn tick_of(worker: &Worker) -> Option<Tick> {
    worker.tick().and_then(|info| tick(worker, info))
}

#[cold]
fn tick(worker: &Worker, info: TickInfo) -> Option<Tick> {
    let late_by = Duration::from_nanos(info.late_by);
    let began = worker.core().clock().instant(info.began)?;
    Some(Tick { number: info.number, scheduled: began.checked_sub(late_by).unwrap_or(began), late_by })
}
