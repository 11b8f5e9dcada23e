//! Notifying a thread that sleeps in `poll`, `epoll` or the like.

use crate::sys::atomic::{AtomicBool, Ordering, fence};
use crate::sys::eventfd::EventFd;
use crate::sys::process::Birthplace;
use std::io;

/// Rings once, and then not until it is armed again, so there is no system call that tells the listener nothing new.
/// Protocol and proof: `README.md`, "Bell".
///
/// # Memory ordering
///
/// The listener's store of `armed` and the ringer's load are ordered by a full fence of each: listeners call as often
/// as ringers, and a heavy fence would interrupt every working thread.
#[derive(Debug)]
pub(crate) struct Bell {
    armed: AtomicBool,
    birthplace: Birthplace,
    pub(super) fd: EventFd,
}

impl Bell {
    /// A bell that is not armed.
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is nothing to poll"))]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { armed: AtomicBool::new(false), birthplace: Birthplace::here(), fd: EventFd::new()? })
    }

    /// Called after an event.
    #[inline]
    pub(crate) fn ring(&self) {
        fence(Ordering::SeqCst); // R1
        if self.armed.load(Ordering::Relaxed) {
            self.ring_out();
        }
    }

    #[cold]
    fn ring_out(&self) {
        if self.armed.swap(false, Ordering::AcqRel) && !self.birthplace.is_elsewhere() {
            self.fd.set(); // R2
        }
    }

    /// Clears the bell and arms it, or rings at once if `happened` says that there was an event meanwhile.
    pub(crate) fn arm(&self, happened: impl FnOnce() -> bool) {
        if self.armed.load(Ordering::Relaxed) || self.birthplace.is_elsewhere() {
            return;
        }
        self.fd.clear(); // A1
        self.armed.store(true, Ordering::Release); // A2
        fence(Ordering::SeqCst); // A3
        if happened() {
            self.ring_out(); // A4
        }
    }

    /// Readable once the bell has rung, until it is armed.
    #[cfg(unix)]
    pub(crate) fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
