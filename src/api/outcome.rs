//! Outcomes of jobs, and their entries in the queues of a results object.

use super::{JobError, JobId, Tick};
use crate::queue::{Owner, Ticket};
use std::any::Any;
use std::time::Duration;

/// The outcome of a job: its value, or why there is none. Read from a [`Results`](crate::Results) object, and passed to
/// callbacks such as [`Request::then`](crate::Request::then).
#[derive(Debug)]
pub struct Outcome<T> {
    /// The id that was returned when the job was submitted.
    pub id: JobId,
    /// The job's value, or why there is none.
    pub result: Result<T, JobError>,
    extra: Option<Box<Extra>>,
}

/// The parts that few outcomes have.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) times: Option<Times>,
    pub(crate) tick: Option<Tick>,
    pub(crate) attachment: Option<Attachment>,
    /// The job was cancelled, and its callback has put another result in the place of that.
    pub(super) was_cancelled: bool,
}

impl Extra {
    pub(super) fn of(times: Option<Times>) -> Option<Box<Self>> {
        times.map(|times| Box::new(Self { times: Some(times), ..Self::default() }))
    }
}

/// Data that is returned to the user with an outcome.
pub(crate) type Attachment = Box<dyn Any + Send + Sync>;

/// How long a job was queued and how long it ran. Measured in pools with [`Builder::timing`](crate::Builder::timing).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// The time from the submit until the job started, or ended without having run.
    pub queued: Duration,
    /// The time from its start until it ended, or emitted this value; 0 if it did not run.
    pub ran: Duration,
}

/// An entry of a done queue. Most are plain, which takes no more memory than id and value.
#[derive(Debug)]
pub(super) enum Done<T> {
    Plain(JobId, T),
    Full(Box<(JobId, T, Extra)>),
}

/// An entry of a failed queue.
#[derive(Debug)]
pub(super) struct Failed {
    id: JobId,
    error: JobError,
    extra: Option<Box<Extra>>,
}

/// The two queues of a results object.
pub(super) type Queues<T> = Owner<Done<T>, Failed>;

/// The right to one delivery to a results object.
pub(super) type Delivery<T> = Ticket<Done<T>, Failed>;

impl<T> Outcome<T> {
    pub(super) fn new(id: JobId, result: Result<T, JobError>, times: Option<Times>) -> Self {
        Self { id, result, extra: Extra::of(times) }
    }

    /// Adds the tick of a delayed or scheduled job.
    pub(super) fn of_tick(mut self, tick: Option<Tick>) -> Self {
        if tick.is_some() {
            self.extra.get_or_insert_default().tick = tick;
        }
        self
    }

    /// When a delayed or scheduled job was due, how late it started, and which tick of its schedule this was; `None`
    /// for other jobs, and for a job that did not start.
    pub fn tick(&self) -> Option<Tick> {
        self.extra.as_deref().and_then(|extra| extra.tick)
    }

    /// How long the job was queued and how long it ran; `None` if the pool does not [measure
    /// times](crate::Builder::timing).
    pub fn times(&self) -> Option<Times> {
        self.extra.as_deref().and_then(|extra| extra.times)
    }

    #[cfg(feature = "capi")]
    pub(crate) fn is_plain(&self) -> bool {
        self.extra.is_none()
    }

    pub(super) fn attach(&mut self, attachment: Attachment) {
        self.extra.get_or_insert_default().attachment = Some(attachment);
    }

    /// The job was cancelled, whatever the result is now.
    pub(super) fn stay_cancelled(&mut self) {
        if !matches!(self.result, Err(JobError::Cancelled)) {
            self.extra.get_or_insert_default().was_cancelled = true;
        }
    }

    pub(super) fn into_parts(self) -> (Result<T, JobError>, Option<Box<Extra>>) {
        (self.result, self.extra)
    }

    #[cfg(feature = "capi")]
    pub(crate) fn extra(&self) -> Option<&Extra> {
        self.extra.as_deref()
    }

    /// The id and value of an outcome that was read from the done queue.
    #[inline(always)]
    pub(super) fn into_value(self) -> (JobId, T) {
        (self.id, self.result.expect("the done queue has values"))
    }

    /// The id and error of an outcome that was read from the failed queue.
    pub(super) fn into_error(self) -> (JobId, JobError) {
        (self.id, self.result.err().expect("the failed queue has errors"))
    }

    #[inline(always)]
    pub(super) fn into_entry(self) -> Result<Done<T>, Failed> {
        let Self { id, result, extra } = self;
        match (result, extra) {
            (Ok(value), None) => Ok(Done::Plain(id, value)),
            (Ok(value), Some(extra)) => Ok(Done::Full(Box::new((id, value, *extra)))),
            (Err(error), extra) => Err(Failed { id, error, extra }),
        }
    }
}

impl<T> Done<T> {
    pub(super) fn into_value(self) -> T {
        match self {
            Self::Plain(_, value) => value,
            Self::Full(entry) => entry.1,
        }
    }
}

impl<T> From<Result<Done<T>, Failed>> for Outcome<T> {
    #[inline(always)]
    fn from(entry: Result<Done<T>, Failed>) -> Self {
        match entry {
            Ok(Done::Plain(id, value)) => Self { id, result: Ok(value), extra: None },
            Ok(Done::Full(entry)) => {
                let (id, value, extra) = *entry;
                Self { id, result: Ok(value), extra: Some(Box::new(extra)) }
            }
            Err(Failed { id, error, extra }) => Self { id, result: Err(error), extra },
        }
    }
}
