//! A lock whose release is a plain store.

use super::Deadline;
use super::spin::{self, Awaited, Spin};
use crate::sys::atomic::Ordering;
use crate::sys::constant::constant;
use crate::sys::fence;
use crate::sys::futex::Futex;
use crate::sys::hint;
use std::time::{Duration, Instant};

/// Two words: whether the lock is held, and whether threads wait for it. Zeroed memory is a free lock.
///
/// Protocol and proof: `README.md`, "Lock". A release reads the lock after it has freed it, so the memory may be reused
/// only when every call of `release` has returned.
///
/// # Memory ordering
///
/// What the holder did is published by `held`: the releasing store (FREE or HANDED) pairs with the acquiring
/// exchange. The releaser's load of `line` and a waiter's announcement there are ordered by the asymmetric fence pair.
///
/// # ABI
///
/// Programs in C have an acquire of a free lock, and a release of a lock with LIGHT and without STARVING, inlined
/// (`ffi/inline.h`): FREE, HELD, those two bits and WAITING stay what they are.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RawLock {
    held: Futex,
    line: Futex,
}

// `held`
pub(crate) const FREE: u32 = 0;
pub(crate) const HELD: u32 = 1;
/// Released for the starving waiter only.
const HANDED: u32 = 2;

// `line`; the rest of the word is the turn, which changes before each wake-up.
/// A thread may sleep on `line`, or is about to.
pub(crate) const WAITING: u32 = 1;
/// One waiter, which sleeps on `held`, gets the lock next. Set and cleared by this waiter only.
pub(crate) const STARVING: u32 = 2;
/// The holder has promised the lock to the starving waiter. Set by the holder, cleared by that waiter.
const PROMISED: u32 = 4;
/// The process has registered for `membarrier`: a release needs no fence, in any copy of this library.
pub(crate) const LIGHT: u32 = 8;
const TURN: u32 = 16;

/// How long others may overtake a waiter.
const PATIENCE: Duration = hint::real_time(Duration::from_millis(1));

/// The longest sleep where the light side of the fence may have been missed.
const RECHECK: Duration = Duration::from_millis(5);

impl RawLock {
    constant! {
        pub(crate) fn new() -> Self {
            Self { held: Futex::new(FREE), line: Futex::new(if fence::LIGHT_FROM_THE_START { LIGHT } else { 0 }) }
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed) != FREE
    }

    #[inline(always)]
    pub(crate) fn try_acquire(&self) -> bool {
        self.held.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    pub(crate) fn acquire(&self) {
        if !self.try_acquire() {
            self.acquire_slowly(Deadline::NEVER);
        }
    }

    /// False if the deadline came first.
    #[inline(always)]
    pub(crate) fn acquire_until(&self, deadline: Deadline) -> bool {
        self.try_acquire() || self.acquire_slowly(deadline)
    }

    /// Called by the holder, on any thread. On a free lock that no thread is just acquiring it does nothing.
    #[inline(always)]
    pub(crate) fn release(&self) {
        let line = self.line.load(Ordering::Relaxed);
        if line & (STARVING | LIGHT) == LIGHT {
            self.let_go(fence::light_as_known); // R0
        } else {
            self.release_slowly(line);
        }
    }

    #[inline(always)]
    fn let_go(&self, light: fn()) {
        self.held.store(FREE, Ordering::Release); // R1
        light(); // R2
        if self.line.load(Ordering::Relaxed) & (WAITING | STARVING) != 0 {
            self.wake_next(); // R3
        }
    }

    #[cold]
    fn release_slowly(&self, line: u32) {
        if line & STARVING != 0 {
            return self.hand_over();
        }
        if fence::is_light() {
            self.line.fetch_or(LIGHT, Ordering::Relaxed);
        }
        self.let_go(fence::light_unprepared);
    }

    /// R3, after a release that has observed a waiter. Unnecessary calls do no harm.
    #[cold]
    pub(crate) fn wake_next(&self) {
        let mut seen = self.line.load(Ordering::Relaxed);
        loop {
            if seen & STARVING != 0 {
                return self.held.wake_one();
            }
            if seen & WAITING == 0 {
                return; // Another releaser has observed the same waiters and wakes one.
            }
            let next = seen.wrapping_add(TURN) & !WAITING;
            match self.line.compare_exchange(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return self.line.wake_one(),
                Err(now) => seen = now,
            }
        }
    }

    #[cold]
    fn hand_over(&self) {
        if self.held.load(Ordering::Relaxed) != HELD {
            return; // The caller does not have it.
        }
        let mut seen = self.line.load(Ordering::Relaxed);
        while seen & STARVING != 0 {
            // Race with the waiter's giving up: one of the two exchanges comes first, and the other observes it.
            match self.line.compare_exchange(seen, seen | PROMISED, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.held.store(HANDED, Ordering::Release);
                    return self.held.wake_one();
                }
                Err(now) => seen = now,
            }
        }
        self.let_go(fence::light_unprepared);
    }

    #[cold]
    fn acquire_slowly(&self, deadline: Deadline) -> bool {
        !deadline.has_passed() && (self.acquire_spinning() || self.wait_in_line(deadline, PATIENCE))
    }

    fn acquire_spinning(&self) -> bool {
        let mut spin = Spin::new(Awaited::Section);
        while spin.again() {
            if self.held.load(Ordering::Relaxed) == FREE && self.try_acquire() {
                spin.succeeded();
                return true;
            }
        }
        false
    }

    /// Sleeps until it has the lock; after `patience` as the one that gets it next. False if the deadline came first.
    pub(super) fn wait_in_line(&self, deadline: Deadline, patience: Duration) -> bool {
        let began = Instant::now();
        loop {
            if began.elapsed() >= patience && self.line.fetch_or(STARVING, Ordering::SeqCst) & STARVING == 0 {
                return self.starve(deadline);
            }
            let ticket = self.line.fetch_or(WAITING, Ordering::SeqCst) | WAITING; // L1
            let nap = self.order_releases(); // L2
            if self.try_acquire() {
                return true; // L3: the bit stays set, so that this holder wakes the next.
            }
            if deadline.has_passed() {
                return false; // The current holder observes the bit and wakes the next.
            }
            spin::timed_sleep(|| self.line.wait(ticket, shorter(deadline.remaining(), nap))); // L4
            if self.try_acquire() || self.acquire_spinning() {
                self.line.fetch_or(WAITING, Ordering::Relaxed); // L5: others may sleep, too.
                return true;
            }
        }
    }

    /// The heavy fence. If it is refused, returns how long a waiter may sleep at most.
    fn order_releases(&self) -> Option<Duration> {
        if fence::heavy_unprepared() {
            return None;
        }
        self.take_light_back();
        Some(RECHECK)
    }

    /// Makes releases that begin from now on fence for themselves.
    pub(super) fn take_light_back(&self) {
        self.line.fetch_and(!LIGHT, Ordering::Relaxed);
    }

    /// Waits on, as the one waiter that has set STARVING.
    fn starve(&self, mut deadline: Deadline) -> bool {
        let nap = self.order_releases(); // H1
        loop {
            let handed = self.held.compare_exchange(HANDED, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok();
            if handed || self.try_acquire() {
                // Before the release, which would promise the lock to nobody if it still observed STARVING.
                self.line.fetch_and(!(STARVING | PROMISED), Ordering::Relaxed);
                self.line.fetch_or(WAITING, Ordering::Relaxed);
                return true;
            }
            if deadline.has_passed() {
                if self.give_up_starving() {
                    return self.wait_in_line(Deadline::NOW, Duration::MAX);
                }
                deadline = Deadline::NEVER; // The lock is promised, and comes at once.
            }
            self.held.wait(HELD, shorter(deadline.remaining(), nap));
        }
    }

    /// False if the lock is already promised to this waiter.
    fn give_up_starving(&self) -> bool {
        let mut seen = self.line.load(Ordering::Relaxed);
        while seen & PROMISED == 0 {
            match self.line.compare_exchange(seen, seen & !STARVING, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }
}

fn shorter(left: Option<Duration>, nap: Option<Duration>) -> Option<Duration> {
    match (left, nap) {
        (Some(left), Some(nap)) => Some(left.min(nap)),
        (left, nap) => left.or(nap),
    }
}
