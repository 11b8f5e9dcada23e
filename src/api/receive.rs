//! Reading an outcome, without waiting where none can arrive.

use super::RecvError;
use crate::pool::{Core, Unfinished, blocking};
use crate::queue::Nothing;
use crate::sync::Deadline;
use std::cell::Cell;

/// A deadline that is evaluated only if there is nothing to read. If the wait would never end, it becomes
/// [`Deadline::NOW`], and `why` is set.
pub(super) struct CheckedDeadline<'a, D> {
    core: &'a Core,
    deadline: D,
    why: &'a Cell<Option<Unfinished>>,
}

impl<D: Into<Deadline>> From<CheckedDeadline<'_, D>> for Deadline {
    #[cold]
    fn from(checked: CheckedDeadline<'_, D>) -> Self {
        let deadline = checked.deadline.into();
        checked.why.set(never_ends(checked.core, deadline));
        if checked.why.get().is_some() { Self::NOW } else { deadline }
    }
}

/// Reads an outcome of one of the pool's jobs by `read`.
#[inline]
pub(super) fn receive<'a, R, D: Into<Deadline>>(
    core: &'a Core,
    deadline: D,
    why: &'a Cell<Option<Unfinished>>,
    read: impl FnOnce(CheckedDeadline<'a, D>) -> Result<R, Nothing>,
) -> Result<R, RecvError> {
    read(CheckedDeadline { core, deadline, why }).map_err(|nothing| match (nothing, why.get()) {
        (Nothing::TimedOut, Some(why)) => why.into(),
        (nothing, _) => nothing.into(),
    })
}

/// Why no outcome can arrive while the calling thread waits, if that is so: it may be the pool's only worker.
fn never_ends(core: &Core, deadline: Deadline) -> Option<Unfinished> {
    match core.may_wait() {
        Ok(()) => None,
        Err(Unfinished::Deadlock) => {
            let alone = core.limit() == 1 && !blocking::is_under_way();
            (alone && deadline == Deadline::NEVER).then_some(Unfinished::Deadlock)
        }
        Err(why) => Some(why),
    }
}
