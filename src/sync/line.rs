//! Waiters in the order of their arrival.

use super::Deadline;
use super::spin::{self, Awaited, Spin};
use crate::sys::atomic::Ordering;
use crate::sys::cell::UnsafeCell;
use crate::sys::futex::Futex;
use std::ptr::{self, NonNull};

/// How a waiter's wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Verdict {
    /// It got what it asked for.
    Granted,
    /// It will not get it.
    Closed,
}

const UNDECIDED: u32 = 0;
const GRANTED: u32 = 1;
const CLOSED: u32 = 2;

/// One waiter, in its own stack frame.
///
/// # Memory ordering
///
/// The verdict's release store pairs with the waiter's acquire load. The links belong to the thread that has the
/// [`Line`].
#[derive(Debug)]
pub(super) struct Waiter {
    verdict: Futex,
    wants: u32,
    links: UnsafeCell<Links>,
}

#[derive(Debug)]
struct Links {
    before: *const Waiter,
    after: *const Waiter,
}

impl Waiter {
    pub(super) fn new(wants: u32) -> Self {
        let links = UnsafeCell::new(Links { before: ptr::null(), after: ptr::null() });
        Self { verdict: Futex::new(UNDECIDED), wants, links }
    }

    /// Sleeps until the verdict is there or the deadline has passed.
    pub(super) fn wait(&self, deadline: Deadline) -> Option<Verdict> {
        let mut spin = Spin::new(Awaited::Section);
        while self.verdict.load(Ordering::Relaxed) == UNDECIDED {
            if !spin.again() {
                return self.sleep(deadline);
            }
        }
        spin.succeeded();
        self.sleep(deadline)
    }

    fn sleep(&self, deadline: Deadline) -> Option<Verdict> {
        loop {
            match self.verdict.load(Ordering::Acquire) {
                GRANTED => return Some(Verdict::Granted),
                CLOSED => return Some(Verdict::Closed),
                _ if deadline.has_passed() => return None,
                _ => spin::timed_sleep(|| self.verdict.wait(UNDECIDED, deadline.remaining())),
            }
        }
    }

    fn link<R>(&self, change: impl FnOnce(&mut Links) -> R) -> R {
        // SAFETY: links are accessed only through an exclusive borrow of the line, and one at a time.
        self.links.with_mut(|links| change(unsafe { &mut *links }))
    }
}

/// A ring of waiters, given by its first. It needs a lock around it. An empty one is all zeroes.
#[derive(Debug)]
pub(super) struct Line {
    first: Option<NonNull<Waiter>>,
}

// SAFETY: the thread that has the line may access the waiters in it, which stay where they are.
unsafe impl Send for Line {}

impl Line {
    pub(super) const EMPTY: Self = Self { first: None };

    /// What the first waiter asks for.
    pub(super) fn first_wants(&self) -> Option<u32> {
        // SAFETY: `join`'s obligation.
        self.first.map(|first| unsafe { first.as_ref() }.wants)
    }

    /// Adds a waiter at the end.
    ///
    /// # Safety
    ///
    /// 1. The waiter stays in its place until it has its verdict or has left.
    pub(super) unsafe fn join(&mut self, waiter: &Waiter) {
        let own: *const Waiter = waiter;
        let Some(first) = self.first else {
            waiter.link(|links| *links = Links { before: own, after: own });
            self.first = Some(NonNull::from(waiter));
            return;
        };
        // SAFETY: the obligation above, kept for the first waiter.
        let first = unsafe { first.as_ref() };
        let last = first.link(|links| std::mem::replace(&mut links.before, own));
        // SAFETY: the obligation above, kept for the last waiter.
        unsafe { &*last }.link(|links| links.after = own);
        waiter.link(|links| *links = Links { before: last, after: first });
    }

    /// Removes a waiter that gives up. False if it has its verdict.
    ///
    /// # Safety
    ///
    /// 1. The waiter has joined this line.
    pub(super) unsafe fn leave(&mut self, waiter: &Waiter) -> bool {
        // Relaxed: verdicts are given by the thread that has the line.
        if waiter.verdict.load(Ordering::Relaxed) != UNDECIDED {
            return false;
        }
        let (before, after) = waiter.link(|links| (links.before, links.after));
        if ptr::eq(after, waiter) {
            self.first = None;
            return true;
        }
        // SAFETY: `join`'s obligation.
        unsafe { &*before }.link(|links| links.after = after);
        // SAFETY: `join`'s obligation.
        unsafe { &*after }.link(|links| links.before = before);
        if self.first == Some(NonNull::from(waiter)) {
            self.first = NonNull::new(after.cast_mut());
        }
        true
    }

    /// Removes the first waiter, and wakes it with its verdict.
    pub(super) fn dismiss_first(&mut self, verdict: Verdict) {
        let Some(first) = self.first else { return };
        // SAFETY: `join`'s obligation: it has no verdict yet.
        let waiter = unsafe { first.as_ref() };
        // SAFETY: 1. the first has joined.
        let left = unsafe { self.leave(waiter) };
        debug_assert!(left, "a waiter in line has no verdict");
        let number = if verdict == Verdict::Granted { GRANTED } else { CLOSED };
        let sleepers = waiter.verdict.sleepers();
        waiter.verdict.store(number, Ordering::Release);
        sleepers.wake_one(); // The waiter may be gone.
    }
}
