//! The lanes of a pool: one for each submitting thread, and one that threads share.

use super::core::Core;
use crate::queue::{Lane, Racks};
use crate::sys::atomic::{AtomicPtr, AtomicUsize, Ordering};
use crate::sys::lock::{Lock, LockGuard};
use crate::sys::size::RECENT;
use crate::sys::{hint, token};
use std::ptr;
use std::sync::{Arc, OnceLock, Weak};

/// Threads beyond this many share a lane.
const MOST: usize = 64;

/// What a submitting thread has for itself.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) lane: Lane,
    /// Where the outcomes of jobs with handles will lie. Outcomes may outlive the pool: they find it if it is there.
    pub(super) racks: Racks<Weak<Core>>,
}

/// Lanes stay in the table until the pool goes: a thread that exits leaves its lane to the next one that comes.
///
/// # Memory ordering
///
/// `in_use` is stored (release) after the slot below it was set; a reader that sees the count (acquire) finds the lane.
/// `recent` is stored (release) after the post was made: whoever finds a post there (acquire) may look who owns its
/// lane.
#[derive(Debug)]
pub(super) struct Lanes {
    owned: [OnceLock<Arc<Post>>; MOST],
    in_use: AtomicUsize,
    /// Posts of `owned`, where threads look for theirs first.
    recent: [AtomicPtr<Post>; RECENT],
    adding: Lock<()>,
    shared: Lane,
    sharing: Lock<()>,
}

/// Where a thread's post is remembered. A thread's token lies at the end of its stack, and stacks with their guard
/// pages tend to be an odd number of pages apart, so that threads which were started together have places of their own.
#[inline(always)]
fn place_of(thread: usize) -> usize {
    (thread >> 12) % RECENT
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            owned: [const { OnceLock::new() }; MOST],
            in_use: AtomicUsize::new(0),
            recent: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            adding: Lock::new(()),
            shared: Lane::new(),
            sharing: Lock::new(()),
        }
    }

    /// The calling thread's post, if it can be found at once.
    #[inline(always)]
    pub(super) fn own(&self) -> Option<&Post> {
        let me = token::of_this_thread();
        let post = self.recent[place_of(me)].load(Ordering::Acquire);
        // SAFETY: the pointer is null or one of a post in `owned`, which lives as long as this.
        unsafe { post.as_ref() }.filter(|post| post.lane.owner() == me)
    }

    /// Makes it easy to find for its owner, the calling thread. Where two threads come to the same place it stays the
    /// first one's while that lives: taking turns would cost both of them more.
    pub(super) fn remember(&self, post: &Post) {
        let place = place_of(token::of_this_thread());
        // SAFETY: as in `own`.
        let first = unsafe { self.recent[place].load(Ordering::Acquire).as_ref() };
        // The first one may have left its post to a thread with another place.
        let is_in_use = |first: &Post| first.lane.owner() != 0 && place_of(first.lane.owner()) == place;
        if !first.is_some_and(is_in_use) {
            self.recent[place].store(ptr::from_ref(post).cast_mut(), Ordering::Release);
        }
    }

    pub(super) fn posts(&self) -> impl Iterator<Item = &Arc<Post>> {
        self.owned[..self.in_use.load(Ordering::Acquire)].iter().filter_map(OnceLock::get)
    }

    /// All lanes, each once, beginning with number `turn`.
    pub(super) fn starting_at(&self, turn: usize) -> impl Iterator<Item = (usize, &Lane)> {
        let owned = &self.owned[..self.in_use.load(Ordering::Acquire)];
        (turn..=turn + owned.len()).map(move |turn| {
            let number = turn % (owned.len() + 1);
            (number, owned.get(number).and_then(OnceLock::get).map_or(&self.shared, |post| &post.lane))
        })
    }

    fn all(&self) -> impl Iterator<Item = &Lane> {
        self.posts().map(|post| &post.lane).chain(std::iter::once(&self.shared))
    }

    pub(super) fn are_empty(&self) -> bool {
        self.all().all(Lane::is_empty)
    }

    pub(super) fn counted(&self) -> u64 {
        self.all().map(Lane::counted).sum()
    }

    /// Waits until every visit that is under way has ended. A visit is short, and no user's code runs in it.
    pub(super) fn wait_for_visits(&self) {
        while self.all().any(Lane::is_busy) {
            hint::yield_now();
        }
        // A visitor of the shared lane lets go of the lock last.
        drop(self.sharing.lock());
    }

    /// A lane for the calling thread alone: one that was left, or a new one. `None` if there are as many as can be.
    pub(super) fn acquire(&self) -> Option<Arc<Post>> {
        if let Some(left) = self.posts().find(|post| post.lane.adopt()) {
            return Some(Arc::clone(left));
        }
        let _adding = self.adding.lock();
        let number = self.in_use.load(Ordering::Relaxed);
        let new = || Arc::new(Post { lane: Lane::new(), racks: Racks::new() });
        let post = Arc::clone(self.owned.get(number)?.get_or_init(new));
        self.in_use.store(number + 1, Ordering::Release);
        Some(post)
    }

    /// The lane that threads share.
    pub(super) fn unlocked(&self) -> &Lane {
        &self.shared
    }

    /// The lane that threads share, and the right to visit it.
    #[cold]
    pub(super) fn share(&self) -> (&Lane, Option<LockGuard<'_, ()>>) {
        (&self.shared, Some(self.sharing.lock()))
    }
}
