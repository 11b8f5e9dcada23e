//! Where the calling thread submits to.

use super::core::Core;
use super::current;
use super::lanes::Post;
use crate::queue::{Producing, Reader, Writer, pair};
use crate::sys::lock::LockGuard;
use crate::sys::thread::per_thread;
use std::cell::RefCell;
use std::sync::{Arc, Weak};

per_thread! {
    /// Every post this thread has, with the number of its pool.
    OWNED: RefCell<Owned> = RefCell::new(Owned(Vec::new()))
}

/// `None` stands for the shared lane: a thread that began there stays there, so that its jobs stay in order.
struct Owned(Vec<(u64, Option<Arc<Post>>)>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.iter().filter_map(|(_, post)| post.as_ref()).for_each(|post| post.lane.orphan());
    }
}

/// A visit to the lane that the calling thread submits to.
pub(super) struct Visit<'a> {
    pub(super) lane: Producing<'a>,
    /// Given back after the lane was left.
    _sharing: Option<LockGuard<'a, ()>>,
}

/// What the calling thread has for itself; `None` if it uses the shared lane.
#[inline(always)]
fn own(core: &Core) -> Option<&Post> {
    core.lanes.own().or_else(|| look_up(core))
}

/// Visits the calling thread's own lane, if it can be found at once.
///
/// # Safety
///
/// As for [`visit`].
#[inline(always)]
pub(super) unsafe fn visit_own(core: &Core) -> Option<Producing<'_>> {
    // SAFETY: this thread owns the lane, and by the caller's 1 there is no other visit of its own.
    core.lanes.own().map(|own| unsafe { own.lane.produce() })
}

/// Visits the calling thread's lane of `core`.
///
/// # Safety
///
/// 1. No user's code runs during the visit: it might submit again.
#[inline(always)]
pub(super) unsafe fn visit(core: &Core) -> Visit<'_> {
    let (lane, _sharing) = match own(core) {
        Some(own) => (&own.lane, None),
        // The lock's holder may not exist in this process; here the visit finds the pool closed, and that is all.
        None if core.is_forked() => (core.lanes.unlocked(), None),
        None => core.lanes.share(),
    };
    // SAFETY: this thread owns the lane or has locked it, and by the caller's 1 there is no other visit of its own.
    Visit { lane: unsafe { lane.produce() }, _sharing }
}

impl Core {
    /// The two ends of a job's way to its handle.
    #[inline(always)]
    pub(crate) fn pair<V>(self: &Arc<Self>) -> (Writer<V, Weak<Self>>, Reader<V, Weak<Self>>) {
        match own(self) {
            // SAFETY: 1. the post is this thread's, and nothing that runs in the call takes its racks.
            Some(own) => unsafe { own.racks.pair(|| Arc::downgrade(self)) },
            None => pair(Arc::downgrade(self)),
        }
    }

    /// Gives back what threads that have submitted, and have not ended, keep of this pool.
    pub(super) fn close_racks(&mut self) {
        // SAFETY: 1. a thread comes to its post by way of the pool, which is the caller's alone.
        self.lanes.posts().for_each(|post| unsafe { post.racks.close() });
    }
}

/// Finds or acquires the post, and remembers it. `None` means the shared lane: there are too many threads, the pool
/// keeps one order for all, or this thread's locals are gone.
#[cold]
fn look_up(core: &Core) -> Option<&Post> {
    if core.settings.ordered || core.is_forked() {
        return None;
    }
    let found = OWNED.try_with(|owned| {
        let posts = &mut owned.borrow_mut().0;
        if let Some((_, post)) = posts.iter().find(|(pool, _)| *pool == core.number) {
            return post.as_ref().map(Arc::as_ptr);
        }
        // A post that only this thread still knows of belonged to a pool that is gone.
        posts.retain(|(_, post)| post.as_ref().is_none_or(|post| Arc::strong_count(post) > 1));
        let by_worker = current::with(|worker| worker.belongs_to(core)).unwrap_or(false);
        let post = core.lanes.acquire(by_worker);
        if let (true, Some(post)) = (by_worker, &post) {
            current::with(|worker| worker.round.submits_to(post.lane.number()));
        }
        let pointer = post.as_ref().map(Arc::as_ptr);
        posts.push((core.number, post));
        pointer
    });
    // SAFETY: the pool's lanes keep it alive.
    let post = unsafe { &*found.ok()?? };
    core.lanes.put_up_sign(post);
    Some(post)
}
