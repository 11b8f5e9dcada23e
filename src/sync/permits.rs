//! A semaphore's word.

/// The most permits there can be.
pub(super) const MAX: u32 = (1 << 31) - 1;

const VALUE: u64 = MAX as u64;
/// No permit is given any more. In the half that sleepers watch.
pub(super) const CLOSED: u64 = 1 << 31;
/// One thread that sleeps for one permit, or is about to.
pub(super) const SLEEPER: u64 = 1 << 32;
const SLEEPERS: u64 = SLEEPER * ((1 << 30) - 1);
/// Waiters queue in order of their coming, all of them. Never changes.
pub(super) const FAIR: u64 = 1 << 62;
/// The line is not empty, or somebody is joining it. Changed by who has the line.
pub(super) const QUEUED: u64 = 1 << 63;

/// Below this, adding up to [`FEW`] permits without looking again cannot exceed [`MAX`]: no system runs the 2²²
/// threads that would have to do so at once.
const PLENTY: u32 = 1 << 30;
const FEW: u32 = 1 << 8;

/// What a semaphore's word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permits(pub(super) u64);

impl Permits {
    pub(super) const fn value(self) -> u32 {
        (self.0 & VALUE) as u32
    }

    pub(super) const fn sleepers(self) -> u32 {
        ((self.0 & SLEEPERS) / SLEEPER) as u32
    }

    pub(super) const fn is(self, bit: u64) -> bool {
        self.0 & bit != 0
    }

    /// The low half while there is nothing to wake up for.
    pub(super) const NOTHING: u32 = 0;

    /// With `n` permits fewer, for one who comes by: nobody overtakes the line.
    #[inline(always)]
    pub(super) const fn take(self, n: u32) -> Option<u64> {
        if self.0 & (CLOSED | QUEUED) == 0 && self.value() >= n { Some(self.0 - n as u64) } else { None }
    }

    /// With one permit and one sleeper fewer.
    pub(super) const fn take_as_sleeper(self) -> Option<u64> {
        if !self.is(CLOSED) && self.value() > 0 { Some(self.0 - 1 - SLEEPER) } else { None }
    }

    /// With `n` permits fewer, for the first in line. Each sleeper came before it, and has been woken for its permit.
    pub(super) const fn take_as_first(self, n: u32) -> Option<u64> {
        let enough = self.value() as u64 >= n as u64 + self.sleepers() as u64;
        if enough && !self.is(CLOSED) { Some(self.0 - n as u64) } else { None }
    }

    /// Whether `n` permits may be added without an exchange that compares.
    #[inline(always)]
    pub(super) const fn has_room_for(self, n: u32) -> bool {
        self.value() < PLENTY && n <= FEW
    }

    /// With `n` permits more, unless that is too many.
    pub(super) const fn give(self, n: u32) -> Option<u64> {
        if n <= MAX - self.value() { Some(self.0 + n as u64) } else { None }
    }
}
