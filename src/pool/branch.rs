//! The second piece of a fork: offered to others, run by one of them, or taken back.

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
    /// Safety: the branch is that of a `Piece` of the right types, whose code was not taken.
    run: unsafe fn(*const Branch),
    /// Null as long as the branch is the thread's alone. Not an `Arc`, so that there is nothing to drop.
    offered: Cell<*const Offered>,
}

/// A branch, its code, and what that comes to.
#[repr(C)]
pub(super) struct Piece<B, R> {
    pub(super) branch: Branch,
    code: UnsafeCell<MaybeUninit<B>>,
    result: UnsafeCell<MaybeUninit<Result<R, Payload>>>,
}

/// A branch on its way through the queue.
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
        // SAFETY: the caller's 1; `new` has written it.
        unsafe { self.code.get().cast::<B>().read() }
    }

    /// # Safety
    ///
    /// 1. The branch was run, which this thread has acquired, and the result not taken before.
    unsafe fn take_result(&self) -> Result<R, Payload> {
        // SAFETY: the caller's 1; `run_branch` has written it.
        unsafe { self.result.get().cast::<Result<R, Payload>>().read() }
    }

    /// What it came to after it was offered: it is taken back and run here, or waited for.
    ///
    /// # Safety
    ///
    /// 1. It was offered, and has not come back before.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn collect(&self, core: &Arc<Core>) -> Result<R, Payload> {
        // SAFETY: the caller's 1.
        if unsafe { self.branch.take_back_or_join(core, true) } {
            // SAFETY: it was taken out of the queue, or left by whoever took it out.
            let code = unsafe { self.take_code() };
            return unwind::catch(code);
        }
        // SAFETY: whoever ran the branch has said that it is done.
        unsafe { self.take_result() }
    }

    /// Nobody will run it any more, or ask what it came to. It is waited for if somebody has begun it; this thread
    /// unwinds, and runs no code of users' meanwhile.
    ///
    /// # Safety
    ///
    /// 1. It has not come back before, and its code was not taken, except by others.
    pub(super) unsafe fn abandon(&self, core: &Arc<Core>) {
        // SAFETY: the caller's 1; it was offered.
        if self.branch.is_offered() && !unsafe { self.branch.take_back_or_join(core, false) } {
            // SAFETY: whoever ran the branch has said that it is done.
            unwind::dispose(unsafe { self.take_result() });
        } else {
            // SAFETY: nobody else has run the branch, or can.
            unwind::dispose(unsafe { self.take_code() });
        }
    }

    /// Tells pieces of one place in the program from those of others.
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
    // SAFETY: the caller's 2; the queue gives the branch to one thread.
    let code = unsafe { piece.take_code() };
    let result = unwind::catch(code);
    // SAFETY: the joiner does not look before the branch is done.
    unsafe { piece.result.get().cast::<Result<R, Payload>>().write(result) };
}

impl Branch {
    /// Runs its code, on whatever thread.
    ///
    /// # Safety
    ///
    /// 1. The piece is there until this returns, and nobody else runs it.
    pub(super) unsafe fn run(this: *const Self) {
        // SAFETY: the caller's 1.
        let run = unsafe { (*this).run };
        // SAFETY: the caller's 1.
        unsafe { run(this) };
    }

    fn is_offered(&self) -> bool {
        !self.offered.get().is_null()
    }

    /// Offers it to somebody who waits for what it is a piece of, or else as a job of the pool; false if that is full,
    /// or takes no more jobs.
    pub(super) fn offer(&self, core: &Arc<Core>) -> bool {
        let offered = Arc::new(Offered::new(self, core));
        if !offered.try_post() {
            let Ok(id) = core.submit_if_room(Job::new(Promoted(Arc::clone(&offered)))) else { return false };
            offered.set_id(id);
        }
        self.offered.set(Arc::into_raw(offered));
        true
    }

    /// Whether it was offered, and nobody has come to it.
    pub(super) fn is_queued(&self) -> bool {
        // SAFETY: the pointer is null, or an `Arc` that was not taken back.
        unsafe { self.offered.get().as_ref() }.is_some_and(Offered::is_queued)
    }

    /// It comes back: true if nobody has run it and nobody will; false after somebody has.
    ///
    /// # Safety
    ///
    /// 1. It was offered, and has not come back before.
    unsafe fn take_back_or_join(&self, core: &Arc<Core>, helps: bool) -> bool {
        // SAFETY: the caller's 1.
        let offered = unsafe { Arc::from_raw(self.offered.get()) };
        offered.try_take_back(core) || !offered.join(helps)
    }
}

impl Task for Promoted {
    fn run(self, worker: &Worker) {
        worker.stand_in_for(self.0.parent());
        // SAFETY: 1. the queue gives the piece to one thread.
        unsafe { self.0.run() };
        let failure = worker.take_failure();
        worker.ended();
        self.0.done(failure);
    }

    fn cancel(self, _id: u64, _why: Unrun) {
        self.0.leave();
    }
}
