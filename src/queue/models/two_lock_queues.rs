//! Models of the groups' queue.

use super::{assert_each_once, item, number};
use crate::queue::{Store, TwoLockQueue};
use crate::sys::atomic::{AtomicUsize, Ordering, fence};
use crate::sys::model::{check, spawn};
use std::sync::Arc;

/// A queue, its store, and the word by which users see whether any worker will check the queue.
struct Shared {
    store: Store,
    queue: TwoLockQueue,
    listed: AtomicUsize,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self { store: Store::new(), queue: TwoLockQueue::new(1), listed: AtomicUsize::new(1) })
    }

    fn append(&self, number: usize) -> u64 {
        self.queue.append(&self.store, item(number)).expect("memory")
    }

    fn pop(&self) -> Vec<usize> {
        self.queue.pop(&self.store).map(|(_, item)| number(item)).into_iter().collect()
    }

    /// Everything that is left, in its order, when the other threads are done.
    fn drain(&self) -> Vec<usize> {
        std::iter::from_fn(|| self.queue.pop(&self.store)).map(|(_, item)| number(item)).collect()
    }
}

/// Race: one thread exchanges back and front while another checks for items. One item is there all the time.
#[test]
fn a_two_lock_queue_never_looks_empty_on_the_way_to_the_front() {
    check(None, || {
        let shared = Shared::new();
        shared.append(1);
        shared.append(2);
        let popper = spawn(&shared, Shared::pop);
        assert!(!shared.queue.is_empty());
        assert!(shared.queue.has_next());
        assert_eq!(popper.join().unwrap(), [1]);
        assert_eq!(shared.drain(), [2]);
        assert!(shared.queue.is_empty());
    });
}

/// Race: an item is appended while the front is used up and the consumer leaves (`pool/GROUPS.md`, G1 and G2).
#[test]
fn a_two_lock_queue_shows_an_item_or_its_appender_sees_that_nobody_looks() {
    check(3, || {
        let shared = Shared::new();
        shared.append(1);
        let popper = spawn(&shared, Shared::pop);
        let appender = spawn(&shared, |shared| {
            shared.append(2);
            fence(Ordering::SeqCst);
            shared.listed.load(Ordering::Relaxed) == 0
        });
        shared.listed.store(0, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let found = !shared.queue.is_empty();
        let popped = popper.join().unwrap();
        assert!(appender.join().unwrap() || found, "the popper takes the first item, so the second one is there");
        assert_each_once(2, [popped, shared.drain()]);
    });
}

/// Race: items are revoked while their places are given back, to make room for one more, and another thread takes the
/// first.
#[test]
fn a_two_lock_queue_forgets_revoked_items_before_it_grows() {
    check(2, || {
        let shared = Shared::new();
        let ids: Vec<u64> = (1..=4).map(|number| shared.append(number)).collect();
        let popper = spawn(&shared, Shared::pop);
        let revoker = spawn(&shared, move |shared| {
            ids.iter().skip(1).filter_map(|&id| shared.store.revoke(id)).map(number).collect()
        });
        shared.append(5);
        let (popped, revoked) = (popper.join().unwrap(), revoker.join().unwrap());
        assert_each_once(5, [popped, revoked, shared.drain()]);
        assert!(shared.queue.is_empty());
    });
}

/// Race: items are added at both ends while one thread takes one and another revokes one; order is kept.
#[test]
fn a_two_lock_queue_gives_each_item_once() {
    check(3, || {
        let shared = Shared::new();
        let first = shared.append(1);
        let pusher = spawn(&shared, |shared| {
            shared.queue.push(&shared.store, item(2)).expect("memory");
            shared.append(3);
        });
        let popper = spawn(&shared, Shared::pop);
        let revoked = shared.store.revoke(first).map(number).into_iter().collect();
        pusher.join().unwrap();
        let (popped, rest) = (popper.join().unwrap(), shared.drain());
        assert!(rest.is_sorted_by_key(|&number| [0, 2, 1, 3][number]));
        assert!(shared.queue.is_empty());
        assert_each_once(3, [revoked, popped, rest]);
    });
}
