//! Code that can be stopped by a failure it declares, without being a job.

use super::current;
use super::running::Failure;
use super::worker::Worker;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ptr;

per_thread! {
    /// The innermost frame of the calling thread.
    INNERMOST: Cell<*const Frame> = Cell::new(ptr::null())
}

/// A piece of code that hears of failures.
#[derive(Debug)]
pub(crate) struct Frame {
    failed: Cell<bool>,
    outer: *const Frame,
    /// The job that the code is part of.
    job: u64,
}

struct Entered<'a>(&'a Frame);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        INNERMOST.with(|innermost| innermost.set(self.0.outer));
    }
}

/// Runs `code`. What it declares by [`fail`] on this thread stays in the frame.
#[inline]
pub(crate) fn enter<R>(code: impl FnOnce() -> R) -> R {
    let job = current::with(Worker::job).unwrap_or(0);
    let frame = Frame { failed: Cell::new(false), outer: INNERMOST.with(Cell::get), job };
    INNERMOST.with(|innermost| innermost.set(&raw const frame));
    let _entered = Entered(&frame);
    code()
}

/// Runs `code`, which belongs to none of this thread's frames.
pub(super) fn outside<R>(code: impl FnOnce() -> R) -> R {
    let job = current::with(Worker::job).unwrap_or(0);
    let none =
        Frame { failed: Cell::new(false), outer: INNERMOST.with(|innermost| innermost.replace(ptr::null())), job };
    let _entered = Entered(&none);
    code()
}

/// The innermost frame, if the running code belongs to it: a job that runs inside a waiting one does not.
fn innermost<'a>() -> Option<&'a Frame> {
    // SAFETY: the pointer is null, or `enter` keeps the frame further down this thread's stack.
    let frame = unsafe { INNERMOST.with(Cell::get).as_ref() };
    frame.filter(|frame| frame.job == current::with(Worker::job).unwrap_or(0))
}

/// The innermost frame hears of a failure.
pub(crate) fn set_failed() {
    if let Some(frame) = innermost() {
        frame.failed.set(true);
    }
}

/// Whether the code in the innermost frame has declared a failure.
pub(crate) fn has_failed() -> bool {
    watch(|watch| watch.has_failed())
}

/// The innermost frame, for code that asks often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch<'a>(Option<&'a Frame>);

impl Watch<'_> {
    #[inline(always)]
    pub(crate) fn has_failed(self) -> bool {
        self.0.is_some_and(|frame| frame.failed.get())
    }
}

/// Runs `code`, which can ask whether it has failed.
#[inline]
pub(crate) fn watch<R>(code: impl FnOnce(Watch<'_>) -> R) -> R {
    code(Watch(innermost()))
}

/// The code that is running declares a failure: the innermost frame hears of it, or else the job. False if there is
/// neither.
pub(crate) fn fail(failure: Box<Failure>) -> bool {
    match innermost() {
        Some(frame) => {
            frame.failed.set(true);
            true
        }
        None => current::with(|worker| worker.fail(failure)).is_some(),
    }
}
