//! Frames: which code, other than a job, receives the failures that it declares.

use super::current;
use super::running::Failure;
use crate::sys::thread::{self, per_thread};
use std::cell::{Cell, OnceCell};
use std::ptr;

per_thread! {
    /// The innermost frame of the calling thread.
    INNERMOST: Cell<*const Frame> = Cell::new(ptr::null())
}

/// A call that receives failures, of which it keeps the first.
#[derive(Debug)]
pub(crate) struct Frame {
    failure: OnceCell<Box<Failure>>,
    /// The job that makes the call; 0 for none.
    job: u64,
    /// Whether it is a callback, in which failures have no effect.
    ignores: bool,
}

impl Frame {
    #[inline]
    fn new(ignores: bool) -> Self {
        Self { failure: OnceCell::new(), job: current::job(), ignores }
    }
}

/// Runs `code` in a frame. An error is the first failure that it has declared by [`fail`] on this thread.
#[inline]
pub(crate) fn enter<R>(code: impl FnOnce() -> R) -> Result<R, Box<Failure>> {
    let frame = Frame::new(false);
    let entered = thread::enter(&INNERMOST, &raw const frame);
    let value = code();
    drop(entered);
    frame.failure.into_inner().map_or(Ok(value), Err)
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
        self.0.is_some_and(|frame| frame.failure.get().is_some())
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
            let _ = frame.failure.set(failure);
            true
        }
        None => current::with(|worker| worker.fail(failure)).is_some(),
    }
}
