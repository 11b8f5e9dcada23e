//! Fork and join: runs two pieces of work, the second perhaps on another thread. Protocol: `README.md`, "Fork and
//! join".

use super::branch::{Branch, Piece};
use super::call_sites::Site;
use super::core::Core;
use super::offered;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{mem, ptr};

per_thread! {
    /// The calling thread's forks. Has no destructor, so it can be used at any time in the life of a thread.
    FORKS: Forks = Forks::new()
}

/// The most pieces that a thread keeps; deeper joins are function calls.
const MAX_PIECES: usize = 128;

/// While so many private pieces exist, the joins below them are plain: at first, and once the work has gone on for
/// [`WORTH_SHARING`].
const PRIVATE_PIECES: (usize, usize) = (1, 3);

/// The number of joins before the clock is first read, where joins were quick the last time.
const FIRST_CHECK: u32 = 32;

/// Shorter work is not worth a wake-up, which takes about as long.
const WORTH_SHARING: Duration = Duration::from_micros(25);

/// The shortest and the longest time between two checks for a free worker.
const CHECK_INTERVAL: (Duration, Duration) = (Duration::from_micros(4), Duration::from_micros(20));

/// The next offer follows after so many times the time that the last one took, wake-up included: the sizes of pieces
/// are unknown, and decrease.
const OFFER_BACKOFF: u32 = 8;

/// The forks of one thread. Second pieces lie in `pieces`, the oldest first: those below `bottom` were offered, those
/// from there to `top` are private.
struct Forks {
    /// The pool of the outermost join, which outlives it; null outside of joins.
    pool: Cell<*const Core>,
    core: Cell<*const Arc<Core>>,
    /// The name by which the innermost join knows the pool: an address that identifies it.
    name: Cell<*const ()>,
    /// The same while joins are plain: enough private pieces exist, and `countdown` is not 0. Else null.
    plain: Cell<*const ()>,
    top: Cell<usize>,
    bottom: Cell<usize>,
    /// How many private pieces are enough, and the value of `top` from which on there are as many.
    enough: Cell<usize>,
    full: Cell<usize>,
    /// Joins until the next check, and between two checks.
    countdown: Cell<u32>,
    interval: Cell<u32>,
    /// When the work began, and when it was last checked.
    began: Cell<Option<Instant>>,
    last_check: Cell<Option<Instant>>,
    /// When the next piece may be offered; `None` for at once.
    next_offer: Cell<Option<Instant>>,
    pieces: [Cell<*const Branch>; MAX_PIECES],
}

/// Runs both, the second perhaps on a worker, and returns when both have ended. A panic is then propagated; of two
/// panics, the first. If the first piece panics, the second may not be run.
#[inline(always)]
pub(crate) fn join<A, B, RA, RB>(core: &Arc<Core>, a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA,
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    let site = Piece::<B, RB>::site();
    join_by(ptr::from_ref(core).cast(), site, core, a, b)
}

/// As [`join`]. The `name` is an address that identifies the pool during the call, such as that of a handle. Several
/// names for one pool are correct, but a change of names takes the slow path.
#[inline(always)]
pub(crate) fn join_by<A, B, RA, RB>(name: *const (), site: Site, core: &Arc<Core>, a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA,
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    let forks = forks();
    if forks.plain.get() != name {
        return forks.join_slowly(name, site, core, a, b);
    }
    let countdown = forks.countdown.get() - 1;
    forks.countdown.set(countdown);
    if countdown == 0 {
        forks.stop_plain();
    }
    both(a, b)
}

/// Whether the calling thread is in a join.
pub(super) fn is_under_way() -> bool {
    !forks().pool.get().is_null()
}

/// Not inlined, so that small pieces are inlined here: a recursion then makes one call for both of them.
#[inline(never)]
fn both<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA,
    B: FnOnce() -> RB,
{
    (a(), b())
}

#[inline(always)]
fn forks<'a>() -> &'a Forks {
    let forks = FORKS.with(ptr::from_ref);
    // SAFETY: 1. without a destructor it lives as long as its thread; 2. `Forks` is not `Sync`, so the reference stays
    // on this thread.
    unsafe { &*forks }
}

impl Forks {
    const fn new() -> Self {
        Self {
            pool: Cell::new(ptr::null()),
            core: Cell::new(ptr::null()),
            name: Cell::new(ptr::null()),
            plain: Cell::new(ptr::null()),
            top: Cell::new(0),
            bottom: Cell::new(0),
            enough: Cell::new(0),
            full: Cell::new(0),
            countdown: Cell::new(0),
            interval: Cell::new(0),
            began: Cell::new(None),
            last_check: Cell::new(None),
            next_offer: Cell::new(None),
            pieces: [const { Cell::new(ptr::null()) }; MAX_PIECES],
        }
    }

    #[cold]
    #[inline(never)]
    fn join_slowly<A, B, RA, RB>(&self, name: *const (), site: Site, core: *const Arc<Core>, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA,
        B: FnOnce() -> RB + Send,
        RB: Send,
    {
        self.stop_plain(); // Joins may be plain by another name. This one counts, too, and may be the last to do so.
        // SAFETY: the caller has made the pointer from a reference.
        let core = unsafe { &*core };
        if self.pool.get() != Arc::as_ptr(core) {
            return self.enter(name, site, core, a, b);
        }
        self.name.set(name);
        self.join(a, b)
    }

    /// An outermost join on this thread, or one for another pool than the joins around it.
    fn enter<A, B, RA, RB>(&self, name: *const (), site: Site, core: &Arc<Core>, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA,
        B: FnOnce() -> RB + Send,
        RB: Send,
    {
        let quick = site.is_quick();
        let pool = (self.pool.replace(Arc::as_ptr(core)), self.core.replace(core));
        self.name.set(name);
        let outer = (pool, self.bottom.get(), self.enough.get(), self.began.replace(None));
        let _outer = Restore(self, outer);
        // If joins were quick the last time, time is measured from the first check on. Else the first piece is offered
        // at once.
        let now = (!quick).then(Instant::now);
        self.last_check.set(now);
        self.next_offer.set(None);
        self.began.set(now.and_then(|now| now.checked_sub(WORTH_SHARING)));
        self.set_bottom(self.top.get(), if quick { PRIVATE_PIECES.0 } else { PRIVATE_PIECES.1 });
        self.interval.set(if quick { FIRST_CHECK } else { 1 });
        self.countdown.set(self.interval.get() - 1);
        let both = self.join(a, b);
        let took = match now {
            Some(began) => began.elapsed(),
            None => self.last_check.get().zip(self.began.get()).map_or(Duration::ZERO, |(last, first)| last - first),
        };
        site.record(took < WORTH_SHARING);
        both
    }

    fn set_bottom(&self, bottom: usize, enough: usize) {
        self.bottom.set(bottom);
        self.enough.set(enough);
        self.full.set((bottom + enough).min(MAX_PIECES));
    }

    fn is_full(&self) -> bool {
        self.top.get() >= self.full.get()
    }

    /// No join is plain from now on.
    fn stop_plain(&self) {
        self.plain.set(ptr::null());
    }

    /// Joins are plain from now on, if enough private pieces exist.
    fn start_plain(&self) {
        if self.is_full() && self.countdown.get() > 0 {
            self.plain.set(self.name.get());
        }
    }

    /// Counts a join.
    fn count_join(&self) {
        match self.countdown.get() {
            0 => self.check(),
            countdown => self.countdown.set(countdown - 1),
        }
    }

    fn join<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA,
        B: FnOnce() -> RB + Send,
        RB: Send,
    {
        let was_full = self.is_full();
        if was_full {
            self.count_join();
            if self.is_full() {
                self.start_plain();
                return both(a, b);
            }
        }
        let at = self.top.get();
        let piece = Piece::new(b);
        self.pieces[at].set(&raw const piece.branch);
        self.top.set(at + 1);
        if !was_full {
            self.count_join(); // May offer this piece at once.
        }
        self.start_plain();
        let guard = AbandonOnUnwind(&piece);
        let ra = a();
        mem::forget(guard);
        self.stop_plain();
        self.top.set(at);
        if self.bottom.get() <= at {
            // SAFETY: 1. the branch was not offered, so no other thread can reach it.
            let b = unsafe { piece.take_code() };
            return (ra, b());
        }
        self.set_bottom(at, self.enough.get());
        // SAFETY: 1. it lay below `bottom`, so it was offered.
        match unsafe { piece.collect(self.core()) } {
            Ok(rb) => (ra, rb),
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// Checks whether an offer pays, and adapts the interval between checks.
    #[cold]
    #[inline(never)]
    fn check(&self) {
        let now = Instant::now();
        let since = self.last_check.replace(Some(now)).map_or(Duration::ZERO, |before| now - before);
        let interval = self.interval.get();
        let interval = match since {
            short if short < CHECK_INTERVAL.0 => interval.saturating_mul(4).min(1 << 20),
            long if long > CHECK_INTERVAL.1 => (interval / 4).max(1),
            _ => interval,
        };
        self.interval.set(interval);
        self.countdown.set(interval - 1);
        let core = self.core();
        let began = self.began.get().unwrap_or(now);
        self.began.set(Some(began));
        if now - began >= WORTH_SHARING {
            self.set_bottom(self.bottom.get(), PRIVATE_PIECES.1);
            let is_time = self.next_offer.get().is_none_or(|next| now >= next);
            if is_time && (offered::has_idle_joiner(core) || core.has_free_worker()) && self.offer_oldest(core) {
                let done = Instant::now();
                self.last_check.set(Some(done));
                self.next_offer.set(Some(done + (done - now) * OFFER_BACKOFF));
            }
        }
    }

    /// The pool of the current join.
    fn core(&self) -> &Arc<Core> {
        // SAFETY: the outermost join borrows it until it returns.
        unsafe { &*self.core.get() }
    }

    /// Offers the oldest piece, the one with the most work in it, unless an offered one is not begun yet.
    fn offer_oldest(&self, core: &Arc<Core>) -> bool {
        let at = self.bottom.get();
        // SAFETY: branches below `top` lie in frames of this thread that have not ended.
        let branch = |at: usize| unsafe { &*self.pieces[at].get() };
        if at >= self.top.get() || at.checked_sub(1).is_some_and(|last| branch(last).is_queued()) {
            return false;
        }
        // An offer may call user code, which reports a water mark. While it does, no piece is private: what the code
        // forks lies above all of them.
        self.set_bottom(self.top.get(), self.enough.get());
        let offered = branch(at).offer(core); // Else the piece stays private.
        self.set_bottom(at + usize::from(offered), self.enough.get());
        offered
    }
}

/// The state of the joins around an outermost one: pool, bottom, enough and beginning.
type Outer = ((*const Core, *const Arc<Core>), usize, usize, Option<Instant>);

/// Restores it, also if the join unwinds.
struct Restore<'a>(&'a Forks, Outer);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        let Self(forks, ((pool, core), bottom, enough, began)) = self;
        forks.pool.set(*pool);
        forks.core.set(*core);
        forks.set_bottom(*bottom, *enough);
        forks.began.set(*began);
        forks.stop_plain();
        forks.countdown.set(0);
    }
}

/// Dropped only if the first piece panics: then no other thread may reach the second one when the frame ends.
struct AbandonOnUnwind<'a, B: FnOnce() -> R + Send, R: Send>(&'a Piece<B, R>);

impl<B: FnOnce() -> R + Send, R: Send> Drop for AbandonOnUnwind<'_, B, R> {
    #[cold]
    fn drop(&mut self) {
        let (Self(piece), forks) = (&*self, forks());
        let branch = &raw const piece.branch;
        // Only below `top`: above it are pointers to old branches, perhaps with the same address.
        let pieces = &forks.pieces[..forks.top.get()];
        let at = pieces.iter().rposition(|piece| piece.get() == branch).expect("`join` has pushed it");
        forks.stop_plain();
        forks.top.set(at);
        forks.set_bottom(forks.bottom.get().min(at), forks.enough.get());
        // SAFETY: 1. the join that would take or collect it unwinds.
        unsafe { piece.abandon(forks.core()) };
    }
}
