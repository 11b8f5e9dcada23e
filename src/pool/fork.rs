//! Fork and join: of two pieces of work, another worker may take the second.

use super::core::Core;
use super::job::{Job, Task, Unrun};
use super::running::Failure;
use super::unwind::{self, Payload};
use super::worker::Worker;
use super::{current, habits};
use crate::sync::{Deadline, EventCount};
use crate::sys::atomic::{AtomicU32, Ordering};
use crate::sys::hint;
use crate::sys::lock::Lock;
use crate::sys::size::LOOKS;
use crate::sys::thread::per_thread;
use std::cell::{Cell, UnsafeCell};
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

per_thread! {
    /// The calling thread's forks. Has no destructor, so it can be used at any time in the life of a thread.
    FORKS: Forks = Forks::new()
}

/// Forks that lie above one another and can be shared; deeper ones are not.
const DEPTH: usize = 128;

/// Work that ends sooner is not worth waking anybody for: that takes about as long.
const PAYS: Duration = Duration::from_micros(10);

/// How often a thread looks whether somebody else is free, at the least and at the most.
const LOOK: (Duration, Duration) = (Duration::from_micros(4), Duration::from_micros(20));

/// Forks of one thread, oldest first: those below `bottom` were shared, the rest is this thread's alone. Protocol:
/// `README.md`, "Fork and join".
struct Forks {
    /// The pool whose fork this is, which lives meanwhile; null outside of one.
    pool: Cell<*const Core>,
    core: Cell<*const Arc<Core>>,
    top: Cell<usize>,
    bottom: Cell<usize>,
    /// Forks until the next look, and between looks.
    countdown: Cell<u32>,
    interval: Cell<u32>,
    began: Cell<Option<Instant>>,
    looked: Cell<Option<Instant>>,
    pending: [Cell<*const Branch>; DEPTH],
}

/// The second piece of a fork, in the frame of its `join`.
struct Branch {
    /// Safety: the branch is that of a `Piece` of the right types, whose code was not taken.
    run: unsafe fn(*const Branch),
    /// Null as long as the branch is the thread's alone. Not an `Arc`, so that there is nothing to drop.
    shared: Cell<*const Shared>,
}

#[repr(C)]
struct Piece<B, R> {
    branch: Branch,
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

/// Runs both, the second perhaps on a worker, and returns when both have ended. A panic goes on in the caller then; the first
/// one if there are two, and the second piece may not be run if the first one panics.
#[inline(always)]
pub(crate) fn join<A, B, RA, RB>(core: &Arc<Core>, a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA,
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    let forks = forks();
    if forks.pool.get() == Arc::as_ptr(core) { forks.join(a, b) } else { forks.enter(core, a, b) }
}

#[inline(always)]
fn forks<'a>() -> &'a Forks {
    let forks = FORKS.with(ptr::from_ref);
    // SAFETY: it has no destructor, so it lives as long as the thread, whose only it is: the reference cannot be sent.
    unsafe { &*forks }
}

impl Forks {
    const fn new() -> Self {
        Self {
            pool: Cell::new(ptr::null()),
            core: Cell::new(ptr::null()),
            top: Cell::new(0),
            bottom: Cell::new(0),
            countdown: Cell::new(0),
            interval: Cell::new(0),
            began: Cell::new(None),
            looked: Cell::new(None),
            pending: [const { Cell::new(ptr::null()) }; DEPTH],
        }
    }

    /// The outermost join of a pool on this thread.
    #[inline(never)]
    fn enter<A, B, RA, RB>(&self, core: &Arc<Core>, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA,
        B: FnOnce() -> RB + Send,
        RB: Send,
    {
        let site = run_branch::<B, RB> as *const () as usize;
        let quick = habits::is_quick(site);
        let now = Instant::now();
        let pool = (self.pool.replace(Arc::as_ptr(core)), self.core.replace(core));
        let outer = (pool, self.bottom.replace(self.top.get()), self.began.replace(Some(now)));
        self.looked.set(Some(now));
        // What has always been quick is looked at later; else the first fork is offered at once.
        self.interval.set(if quick { 16 } else { 1 });
        self.countdown.set(self.interval.get());
        if !quick {
            self.began.set(now.checked_sub(PAYS));
        }
        let _outer = Restore(self, outer);
        let both = self.join(a, b);
        habits::note(site, now.elapsed() < PAYS);
        both
    }

    #[inline(always)]
    fn join<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA,
        B: FnOnce() -> RB + Send,
        RB: Send,
    {
        let at = self.top.get();
        if at >= DEPTH {
            return (a(), b());
        }
        let piece = Piece::new(b);
        self.pending[at].set(&raw const piece.branch);
        self.top.set(at + 1);
        let countdown = self.countdown.get() - 1;
        self.countdown.set(countdown);
        if countdown == 0 {
            self.look();
        }
        let unfinished = Unfinished(&piece);
        let ra = a();
        mem::forget(unfinished);
        self.top.set(at);
        if self.bottom.get() <= at {
            // SAFETY: the branch was not shared, so its code is still here, and this thread's.
            let b = unsafe { piece.take_code() };
            return (ra, b());
        }
        self.bottom.set(at);
        match collect(&piece) {
            Ok(rb) => (ra, rb),
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// Looks whether it pays to share a branch, and adapts how often it looks.
    #[cold]
    #[inline(never)]
    fn look(&self) {
        let now = Instant::now();
        let since = self.looked.replace(Some(now)).map_or(Duration::ZERO, |before| now - before);
        let interval = self.interval.get();
        let interval = match since {
            short if short < LOOK.0 => interval.saturating_mul(4).min(1 << 20),
            long if long > LOOK.1 => (interval / 4).max(1),
            _ => interval,
        };
        self.interval.set(interval);
        self.countdown.set(interval);
        let core = self.core();
        if self.began.get().is_none_or(|began| now - began >= PAYS) && core.has_free_hands() {
            self.share(core);
        }
    }

    /// The pool of the fork that is under way.
    fn core(&self) -> &Arc<Core> {
        // SAFETY: the outermost join has borrowed it, and is under way.
        unsafe { &*self.core.get() }
    }

    /// Offers the oldest branch, the one with the most work below it, unless one that was offered still waits.
    fn share(&self, core: &Arc<Core>) {
        let at = self.bottom.get();
        // SAFETY: branches below `top` lie in frames of this thread, which have not ended.
        let branch = |at: usize| unsafe { &*self.pending[at].get() };
        if at >= self.top.get() || at.checked_sub(1).is_some_and(|last| branch(last).is_queued()) {
            return;
        }
        let shared = Arc::new(Shared {
            state: AtomicU32::new(QUEUED),
            changed: EventCount::new(),
            parent: current::with(Worker::job).unwrap_or(0),
            id: Cell::new(0),
            failure: Lock::new(None),
        });
        let job = Job::new(Promoted { branch: branch(at), shared: Arc::clone(&shared) });
        // A pool that takes no more jobs: the branch stays here.
        if let Ok(id) = core.submit(job) {
            shared.id.set(id);
            branch(at).shared.set(Arc::into_raw(shared));
            self.bottom.set(at + 1);
        }
    }
}

/// What an outermost join has found: pool, bottom and beginning of the fork around it.
type Outer = ((*const Core, *const Arc<Core>), usize, Option<Instant>);

/// Puts it back, also if the join unwinds.
struct Restore<'a>(&'a Forks, Outer);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        let Self(forks, ((pool, core), bottom, began)) = self;
        forks.pool.set(*pool);
        forks.core.set(*core);
        forks.bottom.set(*bottom);
        forks.began.set(*began);
        forks.countdown.set(1);
    }
}

/// The first piece is running. Dropped only if it panics: then the second must be out of reach before the frame is gone.
struct Unfinished<'a, B: FnOnce() -> R + Send, R: Send>(&'a Piece<B, R>);

impl<B: FnOnce() -> R + Send, R: Send> Drop for Unfinished<'_, B, R> {
    #[cold]
    fn drop(&mut self) {
        let (Self(piece), forks) = (&*self, forks());
        let branch = &raw const piece.branch;
        let at = forks.pending.iter().rposition(|pending| pending.get() == branch).expect("it was put there");
        forks.top.set(at);
        if forks.bottom.get() > at {
            forks.bottom.set(at);
            if !piece.branch.is_taken_back(forks.core()) {
                // SAFETY: whoever ran the branch has said that it is done.
                unwind::dispose(unsafe { piece.take_result() });
                return;
            }
        }
        // SAFETY: nobody else has run the branch, or can.
        unwind::dispose(unsafe { piece.take_code() });
    }
}

impl<B: FnOnce() -> R + Send, R: Send> Piece<B, R> {
    #[inline(always)]
    fn new(code: B) -> Self {
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
    unsafe fn take_code(&self) -> B {
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

/// What a shared branch came to: it is taken back and run here, or waited for.
#[cold]
#[inline(never)]
fn collect<B: FnOnce() -> R + Send, R: Send>(piece: &Piece<B, R>) -> Result<R, Payload> {
    if piece.branch.is_taken_back(forks().core()) {
        // SAFETY: it was taken out of the queue, or left by whoever took it out.
        let code = unsafe { piece.take_code() };
        return unwind::catch(code);
    }
    // SAFETY: whoever ran the branch has said that it is done.
    unsafe { piece.take_result() }
}

impl Branch {
    /// Whether it was shared, and nobody has come to it.
    fn is_queued(&self) -> bool {
        // SAFETY: the pointer is null, or an `Arc` that was not taken back.
        let shared = unsafe { self.shared.get().as_ref() };
        shared.is_some_and(|shared| shared.state.load(Ordering::Relaxed) == QUEUED)
    }

    /// A shared branch comes back: true if nobody has run it and nobody will; false after somebody has.
    fn is_taken_back(&self, core: &Arc<Core>) -> bool {
        // SAFETY: the branch was shared, and comes back once.
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
