//! The kinds of timers, and the observations of their runs.

/// How a job is submitted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Without a delay; it expires unless it begins within a time.
    Now { start_within: Option<u64> },
    /// Once, when it is due.
    Once(First),
    /// At every tick.
    Every { first: First, interval: u64, rhythm: Rhythm, max_runs: u64, stop_on_error: bool },
}

/// When a timer is first due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    pub(crate) moment: Moment,
    pub(crate) leeway: u64,
    pub(crate) back: bool,
    pub(crate) or_now: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    After(u64),
    /// Nanoseconds since 1970.
    Wall(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    Skip,
    Coalesce,
    Queue,
    FixedDelay,
}

/// What a job does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    pub(crate) action: Action,
    /// It keeps running until the test lets it go on.
    pub(crate) stops: bool,
    /// Which of its runs fails.
    pub(crate) fails: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Nothing,
    Advance(u64),
    /// Timers are known by the order of their submission.
    Cancel(usize),
    Reset(usize, u64),
    /// Submits a delayed job that does nothing.
    Submit(u64),
    CancelTimers,
    CancelAll,
}

/// A run, as the job sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) timer: usize,
    /// The tick's number, and how late it was.
    pub(crate) tick: Option<(u64, u64)>,
    /// What its action has returned.
    pub(crate) answer: usize,
}

/// The queries about a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) due_in: Option<u64>,
    pub(crate) queued: usize,
    pub(crate) running: usize,
    pub(crate) ticks: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Done,
    Failed,
    Cancelled,
    Expired,
}
