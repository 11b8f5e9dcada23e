//! Telling a thread that sleeps in `poll`, `epoll` or the like.

use crate::sys::atomic::{AtomicBool, Ordering, fence};
use crate::sys::eventfd::EventFd;
use std::io;

/// Rings once and is silent until it is armed again: however much happens meanwhile, nobody pays for a system call that
/// tells nothing new. Protocol and proof: `README.md`, "Bell".
///
/// # Memory ordering
///
/// The listener's store of `armed` and the ringer's load are ordered by a full fence of each: listeners come as often
/// as ringers, and a heavy fence interrupts every thread that works.
#[derive(Debug)]
pub(crate) struct Bell {
    armed: AtomicBool,
    pub(super) fd: EventFd,
}

impl Bell {
    /// A bell that is not armed.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { armed: AtomicBool::new(false), fd: EventFd::new()? })
    }

    /// Called after something has happened.
    #[inline]
    pub(crate) fn ring(&self) {
        fence(Ordering::SeqCst); // R1
        if self.armed.load(Ordering::Relaxed) {
            self.ring_out();
        }
    }

    #[cold]
    fn ring_out(&self) {
        if self.armed.swap(false, Ordering::AcqRel) {
            self.fd.set(); // R2
        }
    }

    /// Silences the bell and arms it, unless `happened` says that there is a reason to ring at once.
    pub(crate) fn arm(&self, happened: impl FnOnce() -> bool) {
        if self.armed.load(Ordering::Relaxed) {
            return;
        }
        self.fd.clear(); // A1
        self.armed.store(true, Ordering::Release); // A2
        fence(Ordering::SeqCst); // A3
        if happened() {
            self.ring_out(); // A4
        }
    }

    /// Readable while the bell rings.
    #[cfg(unix)]
    pub(crate) fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
