//! The second piece of a fork: offered to other threads, run by one of them, or taken back.

use super::call_sites::Site;
use super::core::Core;
use super::job::{Job, Task, Unrun};
use super::offered::Offered;
use super::unwind::{self, Payload};
use super::worker::Worker;
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

/// The second piece of a fork, in the frame of its `join`.
pub(super) struct Branch {
    /// Safety: as for [`run_branch`] of the `Piece` that this branch belongs to.
    run: unsafe fn(*const Branch),
    /// An `Arc`, or null while the branch is private to its thread. A raw pointer, so that there is nothing to drop.
    offered: Cell<*const Offered>,
}

/// A branch with its code and its result.
#[repr(C)]
pub(super) struct Piece<B, R> {
    pub(super) branch: Branch,
    code: UnsafeCell<MaybeUninit<B>>,
    result: UnsafeCell<MaybeUninit<Result<R, Payload>>>,
}

/// An offered branch as a job of the pool.
struct Promoted(Arc<Offered>);

impl<B: FnOnce() -> R + Send, R: Send> Piece<B, R> {
    #[inline(always)]
    pub(super) fn new(code: B) -> Self {
        Self {
            branch: Branch { run: run_branch::<B, R>, offered: Cell::new(ptr::null()) },
            code: UnsafeCell::new(MaybeUninit::new(code)),
            result: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// # Safety
    ///
    /// 1. The code was not taken before, and no other thread can reach it.
    #[inline(always)]
    pub(super) unsafe fn take_code(&self) -> B {
        // SAFETY: by the caller's 1; `new` has written it.
        unsafe { self.code.get().cast::<B>().read() }
    }

    /// # Safety
    ///
    /// 1. The branch was run, its end happens before this call, and the result was not taken before.
    unsafe fn take_result(&self) -> Result<R, Payload> {
        // SAFETY: by the caller's 1; `run_branch` has written it.
        unsafe { self.result.get().cast::<Result<R, Payload>>().read() }
    }

    /// Returns the result of an offered piece: takes it back and runs it, or waits for it.
    ///
    /// # Safety
    ///
    /// 1. It was offered, and not taken back or joined before.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn collect(&self, core: &Arc<Core>) -> Result<R, Payload> {
        // SAFETY: the caller's 1.
        if unsafe { self.branch.take_back_or_join(core, true) } {
            // SAFETY: 1. it was taken back, or cancelled: no other thread runs it.
            let code = unsafe { self.take_code() };
            return unwind::catch(code);
        }
        // SAFETY: 1. the thread that ran the branch has reported it as done, which `join` has acquired.
        unsafe { self.take_result() }
    }

    /// Drops the piece: takes it back, or waits until the thread that has begun it has run it. The calling thread
    /// unwinds, so it runs no user code meanwhile.
    ///
    /// # Safety
    ///
    /// 1. It was not taken back or joined before, and its owner has not taken its code.
    pub(super) unsafe fn abandon(&self, core: &Arc<Core>) {
        // SAFETY: 1. by the caller's 1; it was offered.
        if self.branch.is_offered() && !unsafe { self.branch.take_back_or_join(core, false) } {
            // SAFETY: 1. as in `collect`.
            unwind::dispose(unsafe { self.take_result() });
        } else {
            // SAFETY: 1. no other thread has run the branch, or can.
            unwind::dispose(unsafe { self.take_code() });
        }
    }

    /// The fork's place in the program.
    pub(super) fn site() -> Site {
        Site::at(run_branch::<B, R> as *const ())
    }
}

/// # Safety
///
/// 1. `branch` is the first field of a `Piece<B, R>`, which outlives the call. 2. Its code was not taken.
unsafe fn run_branch<B: FnOnce() -> R + Send, R: Send>(branch: *const Branch) {
    // SAFETY: the caller's 1.
    let piece = unsafe { &*branch.cast::<Piece<B, R>>() };
    // SAFETY: 1. by the caller's 2; one thread runs the branch.
    let code = unsafe { piece.take_code() };
    let result = unwind::catch(code);
    // SAFETY: the joiner reads it after the branch was reported as done.
    unsafe { piece.result.get().cast::<Result<R, Payload>>().write(result) };
}

impl Branch {
    /// Runs its code on the calling thread.
    ///
    /// # Safety
    ///
    /// 1. The piece outlives the call, and no other thread runs it.
    pub(super) unsafe fn run(this: *const Self) {
        // SAFETY: by the caller's 1.
        let run = unsafe { (*this).run };
        // SAFETY: 1. and 2. by the caller's 1.
        unsafe { run(this) };
    }

    fn is_offered(&self) -> bool {
        !self.offered.get().is_null()
    }

    /// Offers it to an idle joiner of an enclosing piece, or else as a job of the pool; false if that is full or
    /// closed.
    pub(super) fn offer(&self, core: &Arc<Core>) -> bool {
        let offered = Arc::new(Offered::new(self, core));
        if !offered.try_post() {
            let Ok(id) = core.submit_if_room(Job::new(Promoted(Arc::clone(&offered)))) else { return false };
            offered.set_id(id);
        }
        self.offered.set(Arc::into_raw(offered));
        true
    }

    /// Whether it was offered and not begun.
    pub(super) fn is_queued(&self) -> bool {
        // SAFETY: the pointer is null, or from `Arc::into_raw` and not converted back.
        unsafe { self.offered.get().as_ref() }.is_some_and(Offered::is_queued)
    }

    /// Takes it back, or waits for its end. True if the caller has it back; false if another thread has run it.
    ///
    /// # Safety
    ///
    /// 1. It was offered, and not taken back or joined before.
    unsafe fn take_back_or_join(&self, core: &Arc<Core>, helps: bool) -> bool {
        // SAFETY: 1. the pointer is from `Arc::into_raw`, and by the caller's 1 it is converted back once.
        let offered = unsafe { Arc::from_raw(self.offered.get()) };
        offered.try_take_back(core) || !offered.join(helps.then_some(core))
    }
}

impl Task for Promoted {
    fn run(self, worker: &Worker) {
        // SAFETY: 1. the job was claimed by this thread, and its owner can no longer take the piece back.
        worker.run_part(self.0.parent(), || unsafe { self.0.run() });
        let failure = worker.take_failure();
        worker.ended();
        self.0.done(failure);
    }

    fn cancel(self, _core: &Core, _id: u64, _why: Unrun) {
        self.0.cancelled();
    }
}
