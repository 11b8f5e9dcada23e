//! Waits for outcomes that are known to be in vain, and do not take place.

use super::RecvError;
use crate::pool::{Core, Unfinished, blocking};
use crate::queue::Nothing;
use crate::sync::Deadline;
use std::cell::Cell;

/// A deadline that is looked at when there is nothing to read, and lies in the past if nothing can come.
pub(super) struct Patience<'a, D> {
    core: &'a Core,
    deadline: D,
    why: &'a Cell<Option<Unfinished>>,
}

impl<D: Into<Deadline>> From<Patience<'_, D>> for Deadline {
    #[cold]
    fn from(patience: Patience<'_, D>) -> Self {
        let deadline = patience.deadline.into();
        patience.why.set(waits_in_vain(patience.core, deadline));
        if patience.why.get().is_some() { Self::NOW } else { deadline }
    }
}

/// Reads an outcome of one of the pool's jobs.
#[inline]
pub(super) fn receive<'a, R, D: Into<Deadline>>(
    core: &'a Core,
    deadline: D,
    why: &'a Cell<Option<Unfinished>>,
    read: impl FnOnce(Patience<'a, D>) -> Result<R, Nothing>,
) -> Result<R, RecvError> {
    read(Patience { core, deadline, why }).map_err(|nothing| match (nothing, why.get()) {
        (Nothing::TimedOut, Some(why)) => why.into(),
        (nothing, _) => nothing.into(),
    })
}

/// Why the calling thread would wait in vain, if it would: it is the pool's only worker and would wait for ever, say.
fn waits_in_vain(core: &Core, deadline: Deadline) -> Option<Unfinished> {
    match core.may_wait() {
        Ok(()) => None,
        Err(Unfinished::Deadlock) => {
            let alone = core.limit() == 1 && !blocking::is_under_way();
            (alone && deadline == Deadline::NEVER).then_some(Unfinished::Deadlock)
        }
        Err(why) => Some(why),
    }
}
