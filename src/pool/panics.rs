//! Recording where jobs panic.

use super::worker::Worker;
use super::{Core, current};
use crate::sys::thread::per_thread;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

/// How much a pool records about panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PanicDetail {
    /// The payload, which costs nothing.
    #[default]
    Payload,
    /// Also the location in the source.
    Location,
    /// Also the backtrace.
    Backtrace,
}

/// Where a panic occurred.
#[derive(Debug)]
pub(crate) struct Trace {
    /// File, line and column.
    pub(crate) location: String,
    pub(crate) backtrace: Option<String>,
}

per_thread! {
    /// The last panic on this thread in a job of a pool that records panics, with the job's id.
    LAST: RefCell<Option<(u64, Trace)>> = RefCell::new(None)
}

/// Installs a panic hook for the first pool of the process that needs one: only a hook is given the location. It calls
/// the previous hook. No thread waits for the one that installs it: in the child of a fork that one may not exist. All
/// that is lost are the locations of panics meanwhile.
pub(super) fn install_hook(detail: PanicDetail) {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if detail > PanicDetail::Payload && !INSTALLED.swap(true, Ordering::Relaxed) {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            record(info);
            previous(info);
        }));
    }
}

fn record(info: &PanicHookInfo<'_>) {
    let asked = current::with(|worker| (worker.job(), worker.core().panic_detail()));
    let Some((job, detail)) = asked.filter(|&(_, detail)| detail > PanicDetail::Payload) else { return };
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = (detail == PanicDetail::Backtrace).then(|| Backtrace::force_capture().to_string());
    // An error means that this thread's thread-locals are destroyed.
    let _ = LAST.try_with(|last| last.replace(Some((job, Trace { location, backtrace }))));
}

impl Core {
    fn panic_detail(&self) -> PanicDetail {
        self.settings.panic_detail
    }
}

impl Worker {
    /// Takes the trace of the running job's panic, if the pool records it.
    #[cold]
    pub(crate) fn take_trace(&self) -> Option<Trace> {
        // Another job's panic may have been recorded last.
        let last = LAST.try_with(|last| last.take()).ok().flatten();
        last.filter(|(job, _)| *job == self.job()).map(|(_, trace)| trace)
    }
}
