//! The state that the joiner and the runner of an offered piece share. Protocol: `README.md`, "Helping".

use super::branch::Branch;
use super::core::Core;
use super::nested::Parent;
use super::running::Failure;
use super::worker::Worker;
use super::{current, frame};
use crate::sys::atomic::{AtomicPtr, Ordering};
use crate::sys::futex::Futex;
use crate::sys::hint;
use crate::sys::lock::Lock;
use crate::sys::thread::{self, per_thread};
use std::cell::Cell;
use std::sync::Arc;
use std::{iter, ptr};

per_thread! {
    /// The innermost offered piece that the calling thread runs.
    RUNNING: Cell<*const Offered> = Cell::new(ptr::null())
}

/// An offered piece. Its mailbox holds a piece of it that its joiner may run while it waits.
///
/// # Memory ordering
///
/// The release of the end (M3) pairs with the joiner's acquire (J2), which observes the result. The release of a posted
/// piece (M1) pairs with the acquire of the thread that takes it out (J4). M2 and J3 are exchanges of one word: the
/// later one observes what was done before the earlier one.
#[derive(Debug)]
pub(super) struct Offered {
    word: Futex,
    mailbox: AtomicPtr<Offered>,
    branch: *const Branch,
    core: *const Core,
    /// The enclosing offered piece, which ends later; or null.
    enclosing: *const Offered,
    /// What forked.
    parent: Parent,
    /// Its id, if it was queued as a job.
    id: Cell<u64>,
    /// Otherwise, the piece to whose mailbox it was posted.
    posted_to: Cell<*const Offered>,
    failure: Lock<Option<Box<Failure>>>,
}

// SAFETY: 1. only the thread that forked uses `id` and `posted_to`; 2. the branch lies in a frame of that thread, which
// waits for its runner; 3. `core` is only compared, and `enclosing` outlives this; 4. everything else is `Sync`.
unsafe impl Sync for Offered {}
// SAFETY: as above.
unsafe impl Send for Offered {}

/// A thread has begun it.
const BEGUN: u32 = 1;
const DONE: u32 = 2;
/// It was cancelled as a job, which leaves it to its joiner.
const CANCELLED: u32 = 4;
/// The joiner waits, and would run a piece of this one.
const IDLE: u32 = 8;
/// The joiner sleeps, and must be woken.
const ASLEEP: u32 = 16;

/// How long a joiner spins, in nanoseconds: until a piece of what it waits for may be posted.
const SPIN_NANOS: u32 = 20_000;

/// What ends a joiner's wait.
enum JoinEvent {
    Done,
    Cancelled,
    Posted(Arc<Offered>),
}

impl Offered {
    pub(super) fn new(branch: *const Branch, core: &Core) -> Self {
        Self {
            word: Futex::new(0),
            mailbox: AtomicPtr::new(ptr::null_mut()),
            branch,
            core,
            enclosing: RUNNING.with(Cell::get),
            parent: Parent::current(),
            id: Cell::new(0),
            posted_to: Cell::new(ptr::null()),
            failure: Lock::new(None),
        }
    }

    pub(super) fn set_id(&self, id: u64) {
        self.id.set(id);
    }

    pub(super) fn parent(&self) -> Parent {
        self.parent
    }

    /// Whether no thread has begun it.
    pub(super) fn is_queued(&self) -> bool {
        self.word.load(Ordering::Relaxed) & (BEGUN | DONE | CANCELLED) == 0
    }

    /// Takes it back for its owner; false if another thread has taken it.
    pub(super) fn try_take_back(self: &Arc<Self>, core: &Arc<Core>) -> bool {
        // SAFETY: the piece that it was posted to encloses it, so it ends later.
        let Some(target) = (unsafe { self.posted_to.get().as_ref() }) else { return core.retract(self.id.get()) };
        let own = Arc::as_ptr(self).cast_mut();
        let mailbox = &target.mailbox;
        let taken = mailbox.compare_exchange(own, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed).is_ok(); // M4
        if taken {
            // SAFETY: the mailbox held one reference, which this thread has taken out.
            drop(unsafe { Arc::from_raw(own) });
        }
        taken
    }

    /// Posts it to an idle joiner of an enclosing piece; false if there is none.
    pub(super) fn try_post(self: &Arc<Self>) -> bool {
        let Some(target) = idle_joiner(self.core) else { return false };
        let posted = Arc::into_raw(Arc::clone(self)).cast_mut();
        let empty = ptr::null_mut();
        let exchanged = target.mailbox.compare_exchange(empty, posted, Ordering::Release, Ordering::Relaxed); // M1
        if exchanged.is_err() {
            // SAFETY: it is the reference that was made above.
            drop(unsafe { Arc::from_raw(posted) });
            return false;
        }
        self.posted_to.set(target);
        target.wake(target.word.fetch_and(!ASLEEP, Ordering::AcqRel)); // M2
        true
    }

    fn wake(&self, before: u32) {
        if before & ASLEEP != 0 {
            self.word.wake_one();
        }
    }

    /// Runs it on this thread.
    ///
    /// # Safety
    ///
    /// 1. No other thread runs it, and it was not taken back.
    pub(super) unsafe fn run(&self) {
        self.word.fetch_or(BEGUN, Ordering::Relaxed); // Not a store: the joiner may have set IDLE already.
        let _entered = thread::enter(&RUNNING, self);
        // SAFETY: 1. by the caller's 1; the joiner waits for this, so the branch exists.
        unsafe { Branch::run(self.branch) };
    }

    /// It has ended; its code has declared `failure`.
    pub(super) fn done(&self, failure: Option<Box<Failure>>) {
        if failure.is_some() {
            *self.failure.lock() = failure;
        }
        self.ended(DONE);
    }

    /// It was cancelled as a job.
    pub(super) fn cancelled(&self) {
        self.ended(CANCELLED);
    }

    fn ended(&self, end: u32) {
        self.wake(self.word.swap(end, Ordering::AcqRel)); // M3
    }

    /// Waits for its end, and runs pieces of it meanwhile if the caller `helps` a pool. False if it was cancelled, and
    /// not run.
    pub(super) fn join(&self, helps: Option<&Arc<Core>>) -> bool {
        let done = loop {
            if helps.is_some() {
                self.word.fetch_or(IDLE, Ordering::Relaxed); // J1
            }
            match self.wait_for_event() {
                JoinEvent::Done => break true,
                JoinEvent::Cancelled => break false,
                JoinEvent::Posted(piece) => {
                    self.word.fetch_and(!IDLE, Ordering::Relaxed);
                    piece.help(helps.expect("only an idle joiner gets a piece"));
                }
            }
        };
        if let Some(failure) = self.failure.lock().take() {
            frame::fail(failure);
        }
        done
    }

    fn wait_for_event(&self) -> JoinEvent {
        for _ in 0..if hint::may_spin() { hint::pauses_in(SPIN_NANOS) } else { 0 } {
            if let Some(event) = self.poll() {
                return event; // J2
            }
            hint::spin();
        }
        loop {
            let word = self.word.fetch_or(ASLEEP, Ordering::AcqRel) | ASLEEP; // J3
            if let Some(event) = self.poll() {
                self.word.fetch_and(!ASLEEP, Ordering::Relaxed);
                return event;
            }
            self.word.wait(word, None);
        }
    }

    fn poll(&self) -> Option<JoinEvent> {
        match self.word.load(Ordering::Acquire) & (DONE | CANCELLED) {
            0 => {}
            DONE => return Some(JoinEvent::Done),
            _ => return Some(JoinEvent::Cancelled),
        }
        if self.mailbox.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let piece = self.mailbox.swap(ptr::null_mut(), Ordering::Acquire).cast_const(); // J4
        // SAFETY: a mailbox holds one reference, which belongs to the thread that takes it out.
        (!piece.is_null()).then(|| JoinEvent::Posted(unsafe { Arc::from_raw(piece) }))
    }

    /// A joiner runs a piece of what it waits for, as a part of the job that forked it. A failure that it declares
    /// is its joiner's.
    fn help(&self, core: &Arc<Core>) {
        // SAFETY: 1. it was in one mailbox, and this thread has taken it out.
        let run = || frame::outside(|| unsafe { self.run() });
        let run = |worker: &Worker| worker.run_piece(self.parent, run);
        let failure = if core.is_current() { current::with(run).flatten() } else { core.as_guest(run) };
        self.done(failure);
    }
}

/// Whether the joiner of a piece that the calling thread runs is idle, and would run a piece of it.
pub(super) fn has_idle_joiner(core: &Core) -> bool {
    idle_joiner(core).is_some()
}

/// The innermost piece that the calling thread runs whose joiner is idle and whose mailbox is empty.
fn idle_joiner<'a>(core: *const Core) -> Option<&'a Offered> {
    // SAFETY: the pointer is null, or to a piece that this thread runs.
    let innermost = unsafe { RUNNING.with(Cell::get).as_ref() };
    // SAFETY: the pointer is null, or to an enclosing piece, which ends later.
    let mut pieces = iter::successors(innermost, |piece| unsafe { piece.enclosing.as_ref() });
    pieces.find(|piece| {
        let is_idle = piece.word.load(Ordering::Relaxed) & IDLE != 0;
        is_idle && ptr::eq(piece.core, core) && piece.mailbox.load(Ordering::Relaxed).is_null()
    })
}
