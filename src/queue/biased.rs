//! A counter that costs its first user no atomic exchange.

use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sys::token;

/// A sum in two parts: the first thread that adds has one of its own, all others share one. An atomic exchange waits
/// for the store buffer: 12 ns if the thread has just written a job for another core.
///
/// # Memory ordering
///
/// Additions release and reads acquire. Mostly that is not needed, because a thread that must observe an addition has
/// acquired something that was published after it.
#[derive(Debug)]
pub(super) struct BiasedCounter {
    owner: CachePadded<Owner>,
    others: AtomicU64,
}

#[derive(Debug)]
struct Owner {
    /// A thread's [token](token::of_this_thread), 0 before the first addition. A later thread with the same token
    /// began after the first one's end.
    thread: AtomicUsize,
    count: AtomicU64,
}

impl BiasedCounter {
    pub(super) fn new() -> Self {
        let owner = Owner { thread: AtomicUsize::new(0), count: AtomicU64::new(0) };
        Self { owner: CachePadded::new(owner), others: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn add(&self, count: u64) {
        let me = token::of_this_thread();
        if self.owner.thread.load(Ordering::Relaxed) == me || self.become_owner(me) {
            let own = &self.owner.count;
            own.store(own.load(Ordering::Relaxed) + count, Ordering::Release);
        } else {
            self.others.fetch_add(count, Ordering::Release);
        }
    }

    #[cold]
    fn become_owner(&self, me: usize) -> bool {
        let owner = &self.owner.thread;
        owner.load(Ordering::Relaxed) == 0
            && owner.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn sum(&self) -> u64 {
        self.owner.count.load(Ordering::Acquire) + self.others.load(Ordering::Acquire)
    }
}
