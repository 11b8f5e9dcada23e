//! When delayed and scheduled jobs are due.

use super::SubmitError;
use crate::pool::{ClockKind, Missed as MissedTicks, Placement, Plan, Rhythm, TickInfo, When, Worker, current};
use crate::sys::clock::{self, Clock};
use std::time::{Duration, Instant, SystemTime};

/// When a delayed job is due. A [`Duration`] from now, an [`Instant`] and a [`SystemTime`] convert into it.
///
/// Nothing is ever early. Durations and instants go by the monotonic clock, which does not count the time that the
/// machine is suspended (on Linux) and which nobody sets. A `SystemTime` is a moment on the wall clock and follows it
/// when that is set; if the machine is suspended then, it is due when the machine wakes up. Moments centuries ahead are
/// fine.
///
/// ```
/// use fastthreadpool::{Due, Pool};
/// use std::time::{Duration, SystemTime};
///
/// let pool = Pool::new()?;
/// let soon = SystemTime::now() + Duration::from_millis(10);
/// pool.spawn_at(Due::at_wall_clock(soon).back(), || println!("behind what is queued by then"))?;
/// pool.spawn_at(Due::after(Duration::from_secs(60)).leeway(Duration::from_secs(5)), || println!("about then"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
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
    /// This long after the submit. Zero is now.
    pub fn after(delay: Duration) -> Self {
        Self::new(Moment::After(delay))
    }

    /// At a moment on the monotonic clock.
    pub fn at(instant: Instant) -> Self {
        Self::new(Moment::At(instant))
    }

    /// At a moment on the wall clock, whatever happens to that clock until then.
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

    /// The job may be this much later, which lets the machine wake up once for several timers.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Once due, the job goes behind the jobs that are queued. By default it goes before all that were
    /// submitted without a delay.
    pub fn back(mut self) -> Self {
        self.placement = Placement::Back;
        self
    }

    /// A moment that has passed means now. By default it is an error.
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
            Moment::Wall(time) => self.unless_past(ClockKind::Wall, clock.wall(), clock::since_1970(time))?,
        };
        // Rounded up to a multiple of a power of two, so that timers with about the same leeway are due together.
        let due = if self.leeway.is_zero() { due } else { rounded(due, clock::nanos(self.leeway)) };
        Ok(When { kind, now, due })
    }

    #[cold]
    fn unless_past(&self, kind: ClockKind, now: u64, due: u64) -> Result<(ClockKind, u64, u64), SubmitError> {
        if due < now && !self.or_now { Err(SubmitError::Past) } else { Ok((kind, now, due)) }
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

/// What happens to ticks of a schedule that fall due while the job of an earlier tick is queued or running.
///
/// Ticks that come all at once, because a clock has jumped or the machine was suspended, make one run for the latest of
/// them, unless each is queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// They are skipped; the next tick after the job's end comes at its usual time.
    #[default]
    Skip,
    /// They are merged into one run, as soon as the earlier job has ended.
    Coalesce,
    /// Each of them queues a job. Jobs may pile up, and several may run at the same time.
    Queue,
}

/// When a job is due again and again. A [`Duration`] converts into the schedule with that interval.
///
/// The first tick comes one interval from now, and then one interval after another, counted from the first tick, so
/// that nothing drifts. See [`Pool::schedule`](crate::Pool::schedule).
///
/// ```
/// use fastthreadpool::{Missed, Pool, Schedule};
/// use std::time::Duration;
///
/// let pool = Pool::new()?;
/// let flushes = Schedule::every(Duration::from_secs(1)).first(Duration::ZERO).missed(Missed::Coalesce).most_runs(100);
/// let id = pool.schedule(flushes, || println!("flush"))?;
/// assert!(pool.cancel(id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    interval: Duration,
    first: Due,
    rhythm: Rhythm,
    most_runs: u64,
    stop_on_error: bool,
}

impl Schedule {
    /// A tick every `interval`.
    pub fn every(interval: Duration) -> Self {
        let rhythm = Rhythm::FixedRate(MissedTicks::Skip);
        Self { interval, first: Due::after(interval), rhythm, most_runs: u64::MAX, stop_on_error: false }
    }

    /// When the first tick is due. If that is on the wall clock, so are all others. Replaces what [`back`](Self::back)
    /// has set.
    pub fn first(mut self, due: impl Into<Due>) -> Self {
        self.first = due.into();
        self
    }

    /// Counts the interval from the end of each run, so that no tick is ever missed.
    pub fn fixed_delay(mut self) -> Self {
        self.rhythm = Rhythm::FixedDelay;
        self
    }

    /// What happens to ticks that fall due too soon: [`Missed::Skip`] by default. Replaces
    /// [`fixed_delay`](Self::fixed_delay).
    pub fn missed(mut self, missed: Missed) -> Self {
        self.rhythm = Rhythm::FixedRate(match missed {
            Missed::Skip => MissedTicks::Skip,
            Missed::Coalesce => MissedTicks::Coalesce,
            Missed::Queue => MissedTicks::Queue,
        });
        self
    }

    /// Ends after this many runs. A tick that was cancelled while queued counts as a run.
    pub fn most_runs(mut self, runs: u64) -> Self {
        self.most_runs = runs;
        self
    }

    /// Ends after a run that fails. By default it goes on.
    pub fn stop_on_error(mut self) -> Self {
        self.stop_on_error = true;
        self
    }

    /// The jobs go behind the jobs that are queued.
    pub fn back(mut self) -> Self {
        self.first = self.first.back();
        self
    }

    pub(super) fn plan(&self, clock: &Clock) -> Result<(When, Placement, Plan), SubmitError> {
        if self.interval.is_zero() || self.most_runs == 0 {
            return Err(SubmitError::InvalidSchedule);
        }
        let plan = Plan {
            interval: clock::nanos(self.interval),
            rhythm: self.rhythm,
            most_runs: self.most_runs,
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

/// The tick that a scheduled or delayed job runs for. Read inside the job with [`current_tick`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// Which tick of the schedule this is, counted from 1, skipped ones included; 1 for a delayed job.
    pub number: u64,
    /// When it was due.
    pub scheduled: Instant,
    /// How much later the job started.
    pub late_by: Duration,
}

/// The tick that the running job was submitted for; `None` outside a job, and in one that was not delayed.
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
