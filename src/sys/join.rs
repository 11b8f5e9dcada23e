//! Waiting for a thread's end, its thread-locals' destructors included, for a limited time.

use super::thread::JoinHandle;
use std::time::Duration;

/// Waits until `thread` has ended. Gives it back if that takes too long: `left` is called repeatedly, and returns the
/// time that is left, or `None` for no limit.
#[must_use]
pub(crate) fn join(thread: JoinHandle<()>, left: impl Fn() -> Option<Duration>) -> Option<JoinHandle<()>> {
    while let Some(left) = left() {
        if imp::has_ended(&thread, left) {
            imp::reap(thread);
            return None;
        }
        if left.is_zero() {
            return Some(thread);
        }
    }
    thread.join().expect("workers do not panic");
    None
}

/// Lets go of those that have ended.
pub(crate) fn let_go_of_ended(threads: &mut Vec<JoinHandle<()>>) {
    threads.extract_if(.., |thread| imp::has_ended_by_now(thread)).for_each(imp::let_go);
}

/// The longest wait in one call, because Linux takes the limit by the wall clock, which may be set back meanwhile.
#[cfg(not(loom))]
const SLICE: Duration = Duration::from_millis(50);

#[cfg(all(target_os = "linux", not(loom)))]
mod imp {
    use super::{Duration, JoinHandle, SLICE};
    use std::os::unix::thread::JoinHandleExt;
    use std::time::SystemTime;

    pub(super) fn has_ended(thread: &JoinHandle<()>, left: Duration) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let until = now + left.min(SLICE);
        let until =
            libc::timespec { tv_sec: until.as_secs() as libc::time_t, tv_nsec: until.subsec_nanos() as libc::c_long };
        let thread = thread.as_pthread_t() as libc::pthread_t;
        // SAFETY: the handle is borrowed, so the thread was neither joined nor detached; NULL discards its result.
        unsafe { libc::pthread_timedjoin_np(thread, std::ptr::null_mut(), &until) == 0 }
    }

    /// The thread was joined already, so its handle must not detach it.
    pub(super) fn reap(thread: JoinHandle<()>) {
        let _joined = thread.into_pthread_t();
    }

    /// Where its code is over, the destructors may still run.
    pub(super) fn has_ended_by_now(thread: &JoinHandle<()>) -> bool {
        thread.is_finished() && has_ended(thread, Duration::ZERO)
    }

    pub(super) fn let_go(thread: JoinHandle<()>) {
        reap(thread);
    }
}

#[cfg(not(any(target_os = "linux", loom)))]
mod imp {
    use super::{Duration, JoinHandle, SLICE};
    use std::thread::sleep;
    use std::time::Instant;

    /// Polls once a millisecond: the standard library has no timed join.
    pub(super) fn has_ended(thread: &JoinHandle<()>, left: Duration) -> bool {
        let start = Instant::now();
        while !thread.is_finished() && start.elapsed() < left.min(SLICE) {
            sleep(Duration::from_millis(1));
        }
        thread.is_finished()
    }

    /// Waits for the destructors of the thread's thread-locals.
    pub(super) fn reap(thread: JoinHandle<()>) {
        thread.join().expect("workers do not panic");
    }

    /// Nobody says whether the destructors have run.
    pub(super) fn has_ended_by_now(thread: &JoinHandle<()>) -> bool {
        thread.is_finished()
    }

    /// They are not waited for.
    pub(super) fn let_go(thread: JoinHandle<()>) {
        drop(thread);
    }
}

#[cfg(loom)]
mod imp {
    use super::{Duration, JoinHandle};

    /// No time passes in a model.
    pub(super) fn has_ended(_: &JoinHandle<()>, _: Duration) -> bool {
        false
    }

    pub(super) fn reap(_: JoinHandle<()>) {
        unreachable!("no timed wait sees the end");
    }

    pub(super) fn has_ended_by_now(_: &JoinHandle<()>) -> bool {
        false
    }

    pub(super) fn let_go(_: JoinHandle<()>) {
        unreachable!("no look sees the end");
    }
}
