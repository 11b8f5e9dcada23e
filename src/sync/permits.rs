//! A semaphore's word.

/// The most permits there can be.
pub(crate) const MAX: u32 = (1 << 31) - 1;

pub(crate) const VALUE: u64 = MAX as u64;
/// The turn, which changes before each wake-up. It and the bits above it are the half that sleepers watch.
const TURN: u64 = 1 << 32;
const TURNS: u64 = TURN * ((1 << 28) - 1);
/// A thread may sleep on the word, or is about to. Set only while there is no permit.
pub(crate) const WAITING: u64 = 1 << 60;
/// No more permits are granted.
pub(crate) const CLOSED: u64 = 1 << 61;
/// All waiters queue, in the order of their requests. Never changes.
pub(super) const FAIR: u64 = 1 << 62;
/// The line is not empty, or a thread is joining it. Changed with the line's lock held.
pub(crate) const QUEUED: u64 = 1 << 63;

/// A semaphore's word. Programs in C have [`take`](Self::take) and [`give`](Self::give) inlined
/// (`ffi/inline.h`), so the bits that these read belong to the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permits(pub(super) u64);

impl Permits {
    pub(super) const fn value(self) -> u32 {
        (self.0 & VALUE) as u32
    }

    pub(super) const fn is(self, bit: u64) -> bool {
        self.0 & bit != 0
    }

    pub(super) const fn somebody_sleeps(self) -> bool {
        self.is(WAITING)
    }

    /// The half that sleepers watch.
    pub(super) const fn ticket(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// With `n` permits fewer, for a thread that is not in line: nobody overtakes the line.
    #[inline(always)]
    pub(super) const fn take(self, n: u32) -> Option<u64> {
        if self.0 & (CLOSED | QUEUED) == 0 && self.value() >= n { Some(self.0 - n as u64) } else { None }
    }

    /// The same for the first in line.
    pub(super) const fn take_as_first(self, n: u32) -> Option<u64> {
        if !self.is(CLOSED) && self.value() >= n { Some(self.0 - n as u64) } else { None }
    }

    /// With `n` permits more, if no thread must be woken or served for them and there is room.
    #[inline(always)]
    pub(super) const fn give(self, n: u32) -> Option<u64> {
        let room = MAX - self.value();
        if self.0 & (WAITING | QUEUED) == 0 && n <= room { Some(self.0 + n as u64) } else { None }
    }

    /// With `n` permits more, unless that is too many. The caller then wakes sleepers for them.
    pub(super) const fn give_and_wake(self, n: u32) -> Option<u64> {
        match n {
            0 => Some(self.0),
            1..=MAX if n <= MAX - self.value() => Some(self.woken() + n as u64),
            _ => None,
        }
    }

    /// With WAITING set.
    pub(super) const fn waiting(self) -> u64 {
        self.0 | WAITING
    }

    /// Without WAITING, and with the next turn, so that a thread that is about to sleep does not.
    const fn woken(self) -> u64 {
        if self.is(WAITING) { self.0 & !(WAITING | TURNS) | (self.0 + TURN) & TURNS } else { self.0 }
    }
}
