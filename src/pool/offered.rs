//! What whoever joins an offered piece and whoever runs it have in common.

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
    /// The offered piece that the calling thread runs, the innermost one.
    RUNNING: Cell<*const Offered> = Cell::new(ptr::null())
}

/// An offered piece. It has a letter box, for a piece of it that its joiner may run while it waits. Protocol:
/// `README.md`, "Helping".
///
/// # Memory ordering
///
/// The release of an end (M3) pairs with the joiner's acquire (J2): it sees the result. The release of a letter (M1)
/// pairs with the acquire of whoever takes it out (J4). M2 and J3 are both exchanges of one word: the later one sees
/// what was done before the earlier one.
#[derive(Debug)]
pub(super) struct Offered {
    word: Futex,
    letter: AtomicPtr<Offered>,
    branch: *const Branch,
    core: *const Core,
    /// The offered piece that this is a piece of. It ends later.
    around: *const Offered,
    /// The job that forked.
    parent: u64,
    /// Its id, if it was offered in the queue.
    id: Cell<u64>,
    /// In whose box it was offered else.
    place: Cell<*const Offered>,
    failure: Lock<Option<Box<Failure>>>,
}

// SAFETY: `id` and `place` are used by the thread that forked only. The branch is in a frame of that thread, which
// waits for whoever runs it; everything else can be shared.
unsafe impl Sync for Offered {}
// SAFETY: as above.
unsafe impl Send for Offered {}

/// Somebody has begun it.
const BEGUN: u32 = 1;
const DONE: u32 = 2;
/// Whoever cancels all jobs leaves this one to its joiner.
const LEFT: u32 = 4;
/// The joiner waits, and would run a piece of it.
const IDLE: u32 = 8;
/// It sleeps, and must be woken.
const ASLEEP: u32 = 16;

/// How long a joiner waits awake, in nanoseconds: until a piece of what it waits for may be offered.
const AWAKE: u32 = 20_000;

/// What a joiner waits for.
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

    /// Whether nobody has come to it.
    pub(super) fn is_queued(&self) -> bool {
        self.word.load(Ordering::Relaxed) & (BEGUN | DONE | LEFT) == 0
    }

    /// Its owner takes it back; false if somebody has begun it or will.
    pub(super) fn try_take_back(self: &Arc<Self>, core: &Arc<Core>) -> bool {
        // SAFETY: what it is a piece of ends after this one, which is not over.
        let Some(place) = (unsafe { self.place.get().as_ref() }) else { return core.retract(self.id.get()) };
        let own = Arc::as_ptr(self).cast_mut();
        let letter = &place.letter;
        let taken = letter.compare_exchange(own, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed).is_ok(); // M4
        if taken {
            // SAFETY: the letter was one reference, and is nobody's now.
            drop(unsafe { Arc::from_raw(own) });
        }
        taken
    }

    /// Puts it into the box of somebody who waits for what it is a piece of; false if nobody does.
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
    /// 1. Nobody else does, and nobody has taken it back.
    pub(super) unsafe fn run(&self) {
        self.word.fetch_or(BEGUN, Ordering::Relaxed); // Not a store: the joiner may be waiting already.
        let _running = Running::enter(self);
        // SAFETY: the caller's 1: the joiner waits, so the branch is there.
        unsafe { Branch::run(self.branch) };
    }

    /// It is over, and whoever runs it has declared `failure`.
    pub(super) fn done(&self, failure: Option<Box<Failure>>) {
        if failure.is_some() {
            *self.failure.lock() = failure;
        }
        self.ended(DONE);
    }

    pub(super) fn leave(&self) {
        self.ended(LEFT);
    }

    fn ended(&self, end: u32) {
        self.wake(self.word.swap(end, Ordering::AcqRel)); // M3
    }

    /// Waits for its end, and if it `helps` runs pieces of it meanwhile. Whether somebody has run it; else nobody will.
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
        // SAFETY: a letter is a reference, which belongs to whoever has taken it out.
        (!letter.is_null()).then(|| News::Letter(unsafe { Arc::from_raw(letter) }))
    }

    /// A joiner runs a piece of what it waits for. It goes by the name of the job that forked it, and what it declares
    /// is for whoever joins it.
    fn help(&self) {
        // SAFETY: 1. the letter was in one box, and this thread has taken it out.
        let run = || frame::outside(|| unsafe { self.run() });
        let failure = current::with(|worker| worker.lend(self.parent, run));
        match failure {
            Some(failure) => self.done(failure),
            None => {
                run();
                self.done(None);
            }
        }
    }
}

/// Whether somebody waits for what the calling thread runs, and would run a piece of it.
pub(super) fn is_waited_for(core: &Core) -> bool {
    waited_for(core).is_some()
}

/// Such a piece: the innermost one with an empty box.
fn waited_for<'a>(core: *const Core) -> Option<&'a Offered> {
    // SAFETY: null, or this thread runs it.
    let innermost = unsafe { RUNNING.with(Cell::get).as_ref() };
    // SAFETY: null, or it ends after that of which it is the surroundings.
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
