//! Frames: which code, other than a job, receives the failures that it declares.

use super::current;
use super::running::Failure;
use crate::sys::thread::{self, per_thread};
use std::cell::Cell;
use std::ptr;

per_thread! {
    /// The innermost frame of the calling thread.
    INNERMOST: Cell<*const Frame> = Cell::new(ptr::null())
}

/// A call that receives failures.
#[derive(Debug)]
pub(crate) struct Frame {
    failed: Cell<bool>,
    /// The job that makes the call; 0 for none.
    job: u64,
    /// Whether it is a callback, in which failures have no effect.
    ignores: bool,
}

impl Frame {
    #[inline]
    fn new(ignores: bool) -> Self {
        Self { failed: Cell::new(false), job: current::job(), ignores }
    }
}

/// Runs `code` in a frame, which receives the failures that it declares by [`fail`] on this thread.
#[inline]
pub(crate) fn enter<R>(code: impl FnOnce() -> R) -> R {
    let frame = Frame::new(false);
    let _entered = thread::enter(&INNERMOST, &raw const frame);
    code()
}

/// Runs a callback: `code` that is neither the running job's nor the body of a loop, so that its failures have no
/// effect on these.
pub(crate) fn callback<R>(code: impl FnOnce() -> R) -> R {
    let frame = Frame::new(true);
    let _entered = thread::enter(&INNERMOST, &raw const frame);
    code()
}

/// Runs `code` outside all frames of this thread.
pub(super) fn outside<R>(code: impl FnOnce() -> R) -> R {
    let _entered = thread::enter(&INNERMOST, ptr::null());
    code()
}

/// The innermost frame, if the running code belongs to it: a job nested in a waiting one does not.
fn innermost<'a>() -> Option<&'a Frame> {
    // SAFETY: the pointer is null, or to a frame further down this thread's stack, which `enter` removes before it
    // ends.
    let frame = unsafe { INNERMOST.with(Cell::get).as_ref() };
    frame.filter(|frame| frame.job == current::job())
}

/// Records a failure in the innermost frame.
pub(crate) fn set_failed() {
    if let Some(frame) = innermost() {
        frame.failed.set(true);
    }
}

/// Whether the code in the innermost frame has declared a failure.
pub(crate) fn has_failed() -> bool {
    watch(|watch| watch.has_failed())
}

/// The innermost frame, for frequent checks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch<'a>(Option<&'a Frame>);

impl Watch<'_> {
    #[inline(always)]
    pub(crate) fn has_failed(self) -> bool {
        self.0.is_some_and(|frame| frame.failed.get())
    }
}

/// Runs `code`, which can check whether it has failed.
#[inline]
pub(crate) fn watch<R>(code: impl FnOnce(Watch<'_>) -> R) -> R {
    code(Watch(innermost()))
}

/// Declares a failure of the running code, which the innermost frame receives, or else the job. False if there is
/// neither.
pub(crate) fn fail(failure: Box<Failure>) -> bool {
    match innermost() {
        Some(frame) if frame.ignores => false,
        Some(frame) => {
            frame.failed.set(true);
            true
        }
        None => current::with(|worker| worker.fail(failure)).is_some(),
    }
}
