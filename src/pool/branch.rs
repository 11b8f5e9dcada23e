//! The second piece of a fork: offered to others, run by one of them, or taken back.

use super::core::Core;
use super::current;
use super::job::{Job, Task, Unrun};
use super::running::Failure;
use super::unwind::{self, Payload};
use super::worker::Worker;
use crate::sync::{Deadline, EventCount};
use crate::sys::atomic::{AtomicU32, Ordering};
use crate::sys::hint;
use crate::sys::lock::Lock;
use crate::sys::size::LOOKS;
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

/// The second piece of a fork, in the frame of its `join`.
pub(super) struct Branch {
    /// Safety: the branch is that of a `Piece` of the right types, whose code was not taken.
    run: unsafe fn(*const Branch),
    /// Null as long as the branch is the thread's alone. Not an `Arc`, so that there is nothing to drop.
    shared: Cell<*const Shared>,
}

/// A branch, its code, and what that comes to.
#[repr(C)]
pub(super) struct Piece<B, R> {
    pub(super) branch: Branch,
    code: UnsafeCell<MaybeUninit<B>>,
    result: UnsafeCell<MaybeUninit<Result<R, Payload>>>,
}

/// What there is to know of a branch that others may take.
///
/// # Memory ordering
///
/// The taker's release of DONE pairs with the joiner's acquire: it sees the result.
#[derive(Debug)]
struct Shared {
    state: AtomicU32,
    changed: EventCount,
    /// The job that forked.
    parent: u64,
    id: Cell<u64>,
    failure: Lock<Option<Failure>>,
}

// SAFETY: `id` is used by the thread that forked only, everything else can be shared.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

const QUEUED: u32 = 0;
const BEGUN: u32 = 1;
const DONE: u32 = 2;
/// Whoever cancels all jobs leaves this one to its joiner.
const LEFT: u32 = 3;

/// A branch on its way through the queue.
struct Promoted {
    branch: *const Branch,
    shared: Arc<Shared>,
}

// SAFETY: the joiner waits for whoever runs the branch, and `join` asks that its code and result be Send.
unsafe impl Send for Promoted {}

impl<B: FnOnce() -> R + Send, R: Send> Piece<B, R> {
    #[inline(always)]
    pub(super) fn new(code: B) -> Self {
        Self {
            branch: Branch { run: run_branch::<B, R>, shared: Cell::new(ptr::null()) },
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
        if unsafe { self.branch.is_taken_back(core) } {
            // SAFETY: it was taken out of the queue, or left by whoever took it out.
            let code = unsafe { self.take_code() };
            return unwind::catch(code);
        }
        // SAFETY: whoever ran the branch has said that it is done.
        unsafe { self.take_result() }
    }

    /// Nobody will run it any more, or ask what it came to. It is waited for if somebody has begun it.
    ///
    /// # Safety
    ///
    /// 1. It has not come back before, and its code was not taken, except by others.
    pub(super) unsafe fn abandon(&self, core: &Arc<Core>) {
        // SAFETY: the caller's 1; it was offered.
        if self.branch.is_offered() && !unsafe { self.branch.is_taken_back(core) } {
            // SAFETY: whoever ran the branch has said that it is done.
            unwind::dispose(unsafe { self.take_result() });
        } else {
            // SAFETY: nobody else has run the branch, or can.
            unwind::dispose(unsafe { self.take_code() });
        }
    }

    /// Tells pieces of one place in the program from those of others.
    pub(super) fn site() -> usize {
        run_branch::<B, R> as *const () as usize
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
    fn is_offered(&self) -> bool {
        !self.shared.get().is_null()
    }

    /// Offers it as a job of the pool; false if the pool takes no more jobs.
    pub(super) fn offer(&self, core: &Arc<Core>) -> bool {
        let shared = Arc::new(Shared {
            state: AtomicU32::new(QUEUED),
            changed: EventCount::new(),
            parent: current::with(Worker::job).unwrap_or(0),
            id: Cell::new(0),
            failure: Lock::new(None),
        });
        let Ok(id) = core.submit(Job::new(Promoted { branch: self, shared: Arc::clone(&shared) })) else {
            return false;
        };
        shared.id.set(id);
        self.shared.set(Arc::into_raw(shared));
        true
    }

    /// Whether it was offered, and nobody has come to it.
    pub(super) fn is_queued(&self) -> bool {
        // SAFETY: the pointer is null, or an `Arc` that was not taken back.
        let shared = unsafe { self.shared.get().as_ref() };
        shared.is_some_and(|shared| shared.state.load(Ordering::Relaxed) == QUEUED)
    }

    /// It comes back: true if nobody has run it and nobody will; false after somebody has.
    ///
    /// # Safety
    ///
    /// 1. It was offered, and has not come back before.
    unsafe fn is_taken_back(&self, core: &Arc<Core>) -> bool {
        // SAFETY: the caller's 1.
        let shared = unsafe { Arc::from_raw(self.shared.get()) };
        if core.retract(shared.id.get()) {
            return true;
        }
        let ended = || Some(shared.state.load(Ordering::Acquire)).filter(|&state| state >= DONE);
        let state = (0..LOOKS).find_map(|_| {
            hint::spin();
            ended()
        });
        let state = state.or_else(|| shared.changed.wait_until(Deadline::NEVER, ended));
        if let Some(failure) = shared.failure.lock().take() {
            current::with(|worker| worker.fail(failure));
        }
        state == Some(LEFT)
    }
}

impl Shared {
    fn ended(&self, state: u32) {
        self.state.store(state, Ordering::Release);
        self.changed.notify();
    }
}

impl Task for Promoted {
    fn run(self, worker: &Worker) {
        self.shared.state.store(BEGUN, Ordering::Relaxed);
        worker.stand_in_for(self.shared.parent);
        // SAFETY: 1. the joiner waits, so the piece is there; 2. the queue gives the branch to one thread.
        let run = unsafe { (*self.branch).run };
        // SAFETY: as above.
        unsafe { run(self.branch) };
        *self.shared.failure.lock() = worker.take_failure();
        worker.ended();
        self.shared.ended(DONE);
    }

    fn cancel(self, _id: u64, _why: Unrun) {
        self.shared.ended(LEFT);
    }
}
