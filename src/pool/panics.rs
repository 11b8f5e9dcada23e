//! Where jobs have panicked, in pools that record it.

use super::worker::Worker;
use super::{Core, current};
use crate::sys::thread::per_thread;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

/// How much a pool records of panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PanicDetail {
    /// What was thrown, which costs nothing.
    #[default]
    Payload,
    /// The place in the source as well.
    Location,
    /// The backtrace as well.
    Backtrace,
}

/// Where a panic was.
#[derive(Debug)]
pub(crate) struct Trace {
    /// File, line and column.
    pub(crate) location: String,
    pub(crate) backtrace: Option<String>,
}

per_thread! {
    /// The last panic on this thread in a job of a pool that records panics, with the job.
    LAST: RefCell<Option<(u64, Trace)>> = RefCell::new(None)
}

/// Only the panic hook learns where a panic is. Once in the life of the process, when the first pool asks; the hook
/// that was there before goes on doing what it did.
pub(super) fn listen(detail: PanicDetail) {
    static LISTENING: Once = Once::new();
    if detail > PanicDetail::Payload {
        LISTENING.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                note(info);
                before(info);
            }));
        });
    }
}

fn note(info: &PanicHookInfo<'_>) {
    let asked = current::with(|worker| (worker.job(), worker.core().panic_detail()));
    let Some((job, detail)) = asked.filter(|&(_, detail)| detail > PanicDetail::Payload) else { return };
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = (detail == PanicDetail::Backtrace).then(|| Backtrace::force_capture().to_string());
    // An error means that this thread's locals are gone.
    let _ = LAST.try_with(|last| last.replace(Some((job, Trace { location, backtrace }))));
}

impl Core {
    fn panic_detail(&self) -> PanicDetail {
        self.settings.panic_detail
    }
}

impl Worker {
    /// Where the running job has panicked, if the pool records it.
    #[cold]
    pub(crate) fn take_trace(&self) -> Option<Trace> {
        // One that was caught by another job does not concern this one.
        let last = LAST.try_with(|last| last.take()).ok().flatten();
        last.filter(|(job, _)| *job == self.job()).map(|(_, trace)| trace)
    }
}
