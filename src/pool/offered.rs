//! The state that the joiner and the runner of an offered piece share. Protocol: `README.md`, "Helping".

use super::branch::Branch;
use super::core::Core;
use super::running::Failure;
use super::worker::Worker;
use super::{current, frame};
use crate::sys::atomic::{AtomicPtr, Ordering};
use crate::sys::futex::Futex;
use crate::sys::hint;
use crate::sys::lock::Lock;
use crate::sys::thread::per_thread;
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
    letter: AtomicPtr<Offered>,
    branch: *const Branch,
    core: *const Core,
    /// The enclosing offered piece, which ends later; or null.
    around: *const Offered,
    /// The job that forked; 0 for none.
    parent: u64,
    /// Its id, if it was queued as a job.
    id: Cell<u64>,
    /// Otherwise, the piece to whose mailbox it was posted.
    place: Cell<*const Offered>,
    failure: Lock<Option<Box<Failure>>>,
}

// SAFETY: 1. only the thread that forked uses `id` and `place`; 2. the branch lies in a frame of that thread, which
// waits for its runner; 3. `core` is only compared, and `around` outlives this; 4. everything else is `Sync`.
unsafe impl Sync for Offered {}
// SAFETY: as above.
unsafe impl Send for Offered {}

/// A thread has begun it.
const BEGUN: u32 = 1;
const DONE: u32 = 2;
/// It was cancelled as a job, which leaves it to its joiner.
const LEFT: u32 = 4;
/// The joiner waits, and would run a piece of this one.
const IDLE: u32 = 8;
/// The joiner sleeps, and must be woken.
const ASLEEP: u32 = 16;

/// How long a joiner spins, in nanoseconds: until a piece of what it waits for may be posted.
const AWAKE: u32 = 20_000;

/// What ends a joiner's wait.
enum News {
    Done,
    Left,
    Letter(Arc<Offered>),
}

impl Offered {
    pub(super) fn new(branch: *const Branch, core: &Core) -> Self {
        Self {
            word: Futex::new(0),
            letter: AtomicPtr::new(ptr::null_mut()),
            branch,
            core,
            around: RUNNING.with(Cell::get),
            parent: current::with(Worker::job).unwrap_or(0),
            id: Cell::new(0),
            place: Cell::new(ptr::null()),
            failure: Lock::new(None),
        }
    }

    pub(super) fn set_id(&self, id: u64) {
        self.id.set(id);
    }

    pub(super) fn parent(&self) -> u64 {
        self.parent
    }

    /// Whether no thread has begun it.
    pub(super) fn is_queued(&self) -> bool {
        self.word.load(Ordering::Relaxed) & (BEGUN | DONE | LEFT) == 0
    }

    /// Takes it back for its owner; false if another thread has taken it.
    pub(super) fn try_take_back(self: &Arc<Self>, core: &Arc<Core>) -> bool {
        // SAFETY: the piece that it was posted to encloses it, so it ends later.
        let Some(place) = (unsafe { self.place.get().as_ref() }) else { return core.retract(self.id.get()) };
        let own = Arc::as_ptr(self).cast_mut();
        let letter = &place.letter;
        let taken = letter.compare_exchange(own, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed).is_ok(); // M4
        if taken {
            // SAFETY: the mailbox held one reference, which this thread has taken out.
            drop(unsafe { Arc::from_raw(own) });
        }
        taken
    }

    /// Posts it to an idle joiner of an enclosing piece; false if there is none.
    pub(super) fn try_post(self: &Arc<Self>) -> bool {
        let Some(place) = waited_for(self.core) else { return false };
        let letter = Arc::into_raw(Arc::clone(self)).cast_mut();
        let empty = ptr::null_mut();
        let posted = place.letter.compare_exchange(empty, letter, Ordering::Release, Ordering::Relaxed); // M1
        if posted.is_err() {
            // SAFETY: it is the reference that was made above.
            drop(unsafe { Arc::from_raw(letter) });
            return false;
        }
        self.place.set(place);
        place.wake(place.word.fetch_and(!ASLEEP, Ordering::AcqRel)); // M2
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
        let _running = Running::enter(self);
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
    pub(super) fn leave(&self) {
        self.ended(LEFT);
    }

    fn ended(&self, end: u32) {
        self.wake(self.word.swap(end, Ordering::AcqRel)); // M3
    }

    /// Waits for its end, and runs pieces of it meanwhile if the caller `helps`. False if it was cancelled, and not
    /// run.
    pub(super) fn join(&self, helps: bool) -> bool {
        let done = loop {
            if helps {
                self.word.fetch_or(IDLE, Ordering::Relaxed); // J1
            }
            match self.news() {
                News::Done => break true,
                News::Left => break false,
                News::Letter(letter) => {
                    self.word.fetch_and(!IDLE, Ordering::Relaxed);
                    letter.help();
                }
            }
        };
        if let Some(failure) = self.failure.lock().take() {
            current::with(|worker| worker.fail(failure));
        }
        done
    }

    fn news(&self) -> News {
        for _ in 0..if hint::may_spin() { hint::pauses_in(AWAKE) } else { 0 } {
            if let Some(news) = self.look() {
                return news; // J2
            }
            hint::spin();
        }
        loop {
            let word = self.word.fetch_or(ASLEEP, Ordering::AcqRel) | ASLEEP; // J3
            if let Some(news) = self.look() {
                self.word.fetch_and(!ASLEEP, Ordering::Relaxed);
                return news;
            }
            self.word.wait(word, None);
        }
    }

    fn look(&self) -> Option<News> {
        match self.word.load(Ordering::Acquire) & (DONE | LEFT) {
            0 => {}
            DONE => return Some(News::Done),
            _ => return Some(News::Left),
        }
        if self.letter.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let letter = self.letter.swap(ptr::null_mut(), Ordering::Acquire).cast_const(); // J4
        // SAFETY: a mailbox holds one reference, which belongs to the thread that takes it out.
        (!letter.is_null()).then(|| News::Letter(unsafe { Arc::from_raw(letter) }))
    }

    /// A joiner runs a piece of what it waits for, under the id of the job that forked it. A failure that it declares
    /// is its joiner's.
    fn help(&self) {
        // SAFETY: 1. it was in one mailbox, and this thread has taken it out.
        let run = || frame::outside(|| unsafe { self.run() });
        let failure = current::with(|worker| worker.run_piece(self.parent, run));
        match failure {
            Some(failure) => self.done(failure),
            None => {
                run();
                self.done(None);
            }
        }
    }
}

/// Whether the joiner of a piece that the calling thread runs is idle, and would run a piece of it.
pub(super) fn is_waited_for(core: &Core) -> bool {
    waited_for(core).is_some()
}

/// The innermost piece that the calling thread runs whose joiner is idle and whose mailbox is empty.
fn waited_for<'a>(core: *const Core) -> Option<&'a Offered> {
    // SAFETY: the pointer is null, or to a piece that this thread runs.
    let innermost = unsafe { RUNNING.with(Cell::get).as_ref() };
    // SAFETY: the pointer is null, or to an enclosing piece, which ends later.
    let mut pieces = iter::successors(innermost, |piece| unsafe { piece.around.as_ref() });
    pieces.find(|piece| {
        let is_idle = piece.word.load(Ordering::Relaxed) & IDLE != 0;
        is_idle && ptr::eq(piece.core, core) && piece.letter.load(Ordering::Relaxed).is_null()
    })
}

/// The calling thread runs an offered piece until this is dropped.
struct Running {
    outer: *const Offered,
}

impl Running {
    fn enter(piece: &Offered) -> Self {
        Self { outer: RUNNING.with(|running| running.replace(piece)) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with(|running| running.set(self.outer));
    }
}
