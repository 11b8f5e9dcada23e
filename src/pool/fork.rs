//! Fork and join: of two pieces of work, another worker may take the second.

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

/// Forks that lie above one another and can be shared; deeper ones are not.
const DEPTH: usize = 128;

/// While so many lie there for others, the forks below them are function calls: the oldest have the most below them. At
/// first, and when it has been seen that it pays to share.
const ENOUGH: (usize, usize) = (1, 3);

/// How many forks are made, where they have always been quick, before the clock is looked at.
const FIRST_LOOK: u32 = 32;

/// Work that ends sooner is not worth waking anybody for: that takes about as long.
const PAYS: Duration = Duration::from_micros(25);

/// How often a thread looks whether somebody else is free, at the least and at the most.
const LOOK: (Duration, Duration) = (Duration::from_micros(4), Duration::from_micros(20));

/// How much longer it works between two offers than the last one took, waking somebody included: pieces become smaller,
/// and nobody knows how small they are.
const PATIENCE: u32 = 8;

/// Forks of one thread, oldest first: those below `bottom` were shared, the rest is this thread's alone. Protocol:
/// `README.md`, "Fork and join".
struct Forks {
    /// The pool whose fork this is, which lives meanwhile; null outside of one.
    pool: Cell<*const Core>,
    core: Cell<*const Arc<Core>>,
    /// What the innermost join has called the pool.
    name: Cell<*const ()>,
    /// The same while joins are function calls: enough branches lie there, and `countdown` is not 0. Else null.
    plain: Cell<*const ()>,
    top: Cell<usize>,
    bottom: Cell<usize>,
    /// How many that were not shared are enough, and what `top` is then at least.
    enough: Cell<usize>,
    full: Cell<usize>,
    /// Joins until the next look, and between looks.
    countdown: Cell<u32>,
    interval: Cell<u32>,
    began: Cell<Option<Instant>>,
    looked: Cell<Option<Instant>>,
    /// When the next branch may be offered; at once if that is not said.
    offers: Cell<Option<Instant>>,
    pending: [Cell<*const Branch>; DEPTH],
}

/// Runs both, the second perhaps on a worker, and returns when both have ended. A panic goes on in the caller then; the
/// first one if there are two, and the second piece may not be run if the first one panics.
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

/// As [`join`]. The `name` is an address that is no other pool's meanwhile: what a caller has at hand anyway. Another
/// name of the same pool is no less right, but costs a look at what is behind it.
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
        forks.hold();
    }
    both(a, b)
}

/// Whether the calling thread has forked.
pub(super) fn is_under_way() -> bool {
    !forks().pool.get().is_null()
}

/// Not inlined: what is small is inlined here twice then, and a recursion makes one call for two.
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
    // SAFETY: it has no destructor, so it lives as long as the thread, whose only it is: the reference cannot be sent.
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
            looked: Cell::new(None),
            offers: Cell::new(None),
            pending: [const { Cell::new(ptr::null()) }; DEPTH],
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
        // SAFETY: the caller has made the pointer of a reference.
        let core = unsafe { &*core };
        if self.pool.get() != Arc::as_ptr(core) {
            return self.enter(name, site, core, a, b);
        }
        self.name.set(name);
        self.join(a, b)
    }

    /// The outermost join of a pool on this thread.
    fn enter<A, B, RA, RB>(&self, name: *const (), site: Site, core: &Arc<Core>, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA,
        B: FnOnce() -> RB + Send,
        RB: Send,
    {
        self.hold();
        let quick = site.is_quick();
        let pool = (self.pool.replace(Arc::as_ptr(core)), self.core.replace(core));
        self.name.set(name);
        let outer = (pool, self.bottom.get(), self.enough.get(), self.began.replace(None));
        let _outer = Restore(self, outer);
        // What has always been quick has its time measured from the first look on; else the first fork is offered at
        // once.
        let now = (!quick).then(Instant::now);
        self.looked.set(now);
        self.offers.set(None);
        self.began.set(now.and_then(|now| now.checked_sub(PAYS)));
        self.set_bottom(self.top.get(), if quick { ENOUGH.0 } else { ENOUGH.1 });
        self.interval.set(if quick { FIRST_LOOK } else { 1 });
        self.countdown.set(self.interval.get() - 1);
        let both = self.join(a, b);
        let took = match now {
            Some(began) => began.elapsed(),
            None => self.looked.get().zip(self.began.get()).map_or(Duration::ZERO, |(last, first)| last - first),
        };
        site.note(took < PAYS);
        both
    }

    fn set_bottom(&self, bottom: usize, enough: usize) {
        self.bottom.set(bottom);
        self.enough.set(enough);
        self.full.set((bottom + enough).min(DEPTH));
    }

    fn is_full(&self) -> bool {
        self.top.get() >= self.full.get()
    }

    /// No join is a mere function call from now on.
    fn hold(&self) {
        self.plain.set(ptr::null());
    }

    /// Those below are, if enough branches lie there.
    fn release(&self) {
        if self.is_full() && self.countdown.get() > 0 {
            self.plain.set(self.name.get());
        }
    }

    /// One join more.
    fn tick(&self) {
        match self.countdown.get() {
            0 => self.look(),
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
            self.tick();
            if self.is_full() {
                self.release();
                return both(a, b);
            }
        }
        let at = self.top.get();
        let piece = Piece::new(b);
        self.pending[at].set(&raw const piece.branch);
        self.top.set(at + 1);
        if !was_full {
            self.tick(); // Perhaps this one is offered at once.
        }
        self.release();
        let guard = AbandonOnUnwind(&piece);
        let ra = a();
        mem::forget(guard);
        self.hold();
        self.top.set(at);
        if self.bottom.get() <= at {
            // SAFETY: the branch was not shared, so its code is still here, and this thread's.
            let b = unsafe { piece.take_code() };
            return (ra, b());
        }
        self.set_bottom(at, self.enough.get());
        // SAFETY: 1. it lay below `bottom`.
        match unsafe { piece.collect(self.core()) } {
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
        self.countdown.set(interval - 1);
        let core = self.core();
        let began = self.began.get().unwrap_or(now);
        self.began.set(Some(began));
        if now - began >= PAYS {
            self.set_bottom(self.bottom.get(), ENOUGH.1);
            let is_time = self.offers.get().is_none_or(|offers| now >= offers);
            if is_time && (offered::is_waited_for(core) || core.has_free_hands()) && self.share(core) {
                let done = Instant::now();
                self.looked.set(Some(done));
                self.offers.set(Some(done + (done - now) * PATIENCE));
            }
        }
    }

    /// The pool of the fork that is under way.
    fn core(&self) -> &Arc<Core> {
        // SAFETY: the outermost join has borrowed it, and is under way.
        unsafe { &*self.core.get() }
    }

    /// Offers the oldest branch, the one with the most work below it, unless one that was offered still waits.
    fn share(&self, core: &Arc<Core>) -> bool {
        let at = self.bottom.get();
        // SAFETY: branches below `top` lie in frames of this thread, which have not ended.
        let branch = |at: usize| unsafe { &*self.pending[at].get() };
        if at >= self.top.get() || at.checked_sub(1).is_some_and(|last| branch(last).is_queued()) {
            return false;
        }
        // Whoever is told that the queue is long is users' code: what that forks lies above all that lies here.
        self.set_bottom(self.top.get(), self.enough.get());
        let offered = branch(at).offer(core); // Else the branch stays here.
        self.set_bottom(at + usize::from(offered), self.enough.get());
        offered
    }
}

/// What an outermost join has found: pool, bottom, what is enough and the beginning of the fork around it.
type Outer = ((*const Core, *const Arc<Core>), usize, usize, Option<Instant>);

/// Puts it back, also if the join unwinds.
struct Restore<'a>(&'a Forks, Outer);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        let Self(forks, ((pool, core), bottom, enough, began)) = self;
        forks.pool.set(*pool);
        forks.core.set(*core);
        forks.set_bottom(*bottom, *enough);
        forks.began.set(*began);
        forks.hold();
        forks.countdown.set(0);
    }
}

/// The first piece is running. Dropped only if it panics: then the second must be out of reach before the frame is
/// gone.
struct AbandonOnUnwind<'a, B: FnOnce() -> R + Send, R: Send>(&'a Piece<B, R>);

impl<B: FnOnce() -> R + Send, R: Send> Drop for AbandonOnUnwind<'_, B, R> {
    #[cold]
    fn drop(&mut self) {
        let (Self(piece), forks) = (&*self, forks());
        let branch = &raw const piece.branch;
        // Not above `top`: there old branches lay, perhaps in the same place.
        let pending = &forks.pending[..forks.top.get()];
        let at = pending.iter().rposition(|pending| pending.get() == branch).expect("it was put there");
        forks.hold();
        forks.top.set(at);
        forks.set_bottom(forks.bottom.get().min(at), forks.enough.get());
        // SAFETY: 1. the join that would take it is being unwound.
        unsafe { piece.abandon(forks.core()) };
    }
}
