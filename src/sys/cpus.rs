//! Which processors a thread may use.

use libc::{cpu_set_t, pid_t};
use std::fmt;
use std::mem::MaybeUninit;

/// A set of processors.
#[derive(Clone, Copy)]
pub(super) struct Cpus(cpu_set_t);

impl Cpus {
    const BYTES: usize = size_of::<cpu_set_t>();

    pub(super) fn all() -> Self {
        let mut cpus = MaybeUninit::<cpu_set_t>::uninit();
        // SAFETY: the set has this many writable bytes.
        unsafe { cpus.as_mut_ptr().cast::<u8>().write_bytes(0xFF, Self::BYTES) };
        // SAFETY: the set is an array of bits, all of which were written.
        Self(unsafe { cpus.assume_init() })
    }

    /// The processors that a thread of this process may use.
    pub(super) fn of(thread: pid_t) -> Option<Self> {
        let mut cpus = MaybeUninit::zeroed();
        // SAFETY: the set has this many writable bytes.
        let failed = unsafe { libc::sched_getaffinity(thread, Self::BYTES, cpus.as_mut_ptr()) } != 0;
        // SAFETY: zeroes are a valid set, and so is what the call wrote.
        (!failed).then(|| Self(unsafe { cpus.assume_init() }))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        // SAFETY: `CPU_ISSET` only reads a bit, and checks the index.
        (0..8 * Self::BYTES).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &self.0) })
    }

    pub(super) fn count(&self) -> usize {
        // SAFETY: `CPU_COUNT` only counts bits.
        unsafe { libc::CPU_COUNT(&self.0) as usize }
    }

    /// The set without `cpu`, unless nothing would be left.
    pub(super) fn without(mut self, cpu: usize) -> Option<Self> {
        // SAFETY: `CPU_CLR` only clears a bit, and checks the index.
        unsafe { libc::CPU_CLR(cpu, &mut self.0) };
        (self.count() > 0).then_some(self)
    }

    /// Restricts a thread to these processors; false if the system refuses.
    pub(super) fn allow(&self, thread: pid_t) -> bool {
        // SAFETY: the set has this many readable bytes.
        unsafe { libc::sched_setaffinity(thread, Self::BYTES, &raw const self.0) == 0 }
    }
}

impl PartialEq for Cpus {
    fn eq(&self, other: &Self) -> bool {
        // SAFETY: `CPU_EQUAL` only compares bits.
        unsafe { libc::CPU_EQUAL(&self.0, &other.0) }
    }
}

impl fmt::Debug for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
