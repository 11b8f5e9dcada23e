//! Code that can be stopped by a failure it declares, without being a job.

use super::current;
use super::worker::{Failure, Worker};
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ptr;

per_thread! {
    /// The innermost frame of the calling thread.
    INNERMOST: Cell<*const Frame> = Cell::new(ptr::null())
}

/// A piece of code that hears of failures.
struct Frame {
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
#[inline]
pub(crate) fn has_failed() -> bool {
    innermost().is_some_and(|frame| frame.failed.get())
}

/// The code that is running declares a failure: the innermost frame hears of it, or else the job. False if there is neither.
pub(crate) fn fail(failure: Failure) -> bool {
    match innermost() {
        Some(frame) => {
            frame.failed.set(true);
            true
        }
        None => current::with(|worker| worker.fail(failure)).is_some(),
    }
}
