//! The end of a lane that consumers take from.

use super::pace::{Habit, Pace, PaceWord};
use super::segment::{Place, Range, SLOTS, SegmentRef};
use super::store::Store;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sys::lock::{Lock, LockGuard};

/// What the consumers of a lane share. Its `tail` is an argument.
///
/// # Memory ordering
///
/// See [`Lane`](super::Lane), of which this is a part.
#[derive(Debug, Default)]
pub(super) struct Consumers {
    head: AtomicU64,
    /// The token of the producer if it is a consumer as well, or 0: it comes for the items that it has pushed.
    keeper: AtomicUsize,
    pace: PaceWord,
    front: Lock<Head>,
}

/// The consumers' part, under their lock.
#[derive(Debug, Default)]
struct Head {
    first: Option<SegmentRef>,
    habit: Habit,
}

/// What a consumer finds in a lane.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Nothing,
    /// A run of items, which is the consumer's.
    Run,
    /// The lane is left alone for a moment.
    Rest,
}

impl Consumers {
    /// The lane has its first segment.
    pub(super) fn begin_at(&self, first: SegmentRef) {
        self.front.lock().first = Some(first);
    }

    pub(super) fn keeper(&self) -> usize {
        self.keeper.load(Ordering::Relaxed)
    }

    pub(super) fn set_keeper(&self, thread: usize) {
        self.keeper.store(thread, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn pace(&self) -> Pace {
        self.pace.get()
    }

    /// The position of the first item that is in no consumer's range. Acquire: ranges before it are visible.
    #[inline]
    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// As [`head`](Self::head), for readers that do not look for what is before it.
    #[inline]
    pub(super) fn taken(&self) -> u64 {
        self.head.load(Ordering::Relaxed)
    }

    /// Takes a run of items, as [`Lane::claim`](super::Lane::claim) says.
    pub(super) fn claim(
        &self,
        tail: &AtomicU64,
        store: &Store,
        paced: bool,
        most: impl FnOnce(usize, bool) -> usize,
        install: impl FnOnce(Range),
    ) -> Look {
        // Consumers that queue for the lock, to take one item each, would never escape from that.
        let free = if paced { self.front.try_lock() } else { Some(self.front.lock()) };
        let Some(mut front) = free else { return Look::Rest };
        let (head, visible) = self.visible(tail);
        if paced {
            self.pace.set(front.habit.after(visible));
        }
        if visible == 0 {
            return Look::Nothing;
        }
        let (segment, start) = (front.segment_of(head), head as usize % SLOTS);
        let count = most(visible, front.habit.flows()).clamp(1, visible.min(SLOTS - start));
        install(Range { segment, start, end: start + count });
        self.move_on(front, store, segment, count);
        Look::Run
    }

    /// Keeps consumers away from an item, as [`Lane::hold`](super::Lane::hold) says.
    pub(super) fn hold(&self, tail: &AtomicU64, position: u64) -> Option<impl Sized> {
        let front = self.front.lock();
        let (head, visible) = self.visible(tail);
        (head..head + visible as u64).contains(&position).then_some(front)
    }

    /// Gives back the memory of what was taken out of the front, as a consumer would that reached it.
    pub(super) fn pass_holes(&self, tail: &AtomicU64, store: &Store) {
        let mut at_end_of_segment = true;
        while at_end_of_segment {
            let front = self.front.lock();
            let (head, visible) = self.visible(tail);
            if visible == 0 {
                return;
            }
            let (segment, start) = (front.segment_of(head), head as usize % SLOTS);
            let slots = start..SLOTS.min(start + visible);
            let holes = slots.take_while(|&slot| !Place { segment, slot }.is_queued()).count();
            if holes == 0 {
                return;
            }
            self.move_on(front, store, segment, holes);
            store.give_back(segment, holes);
            at_end_of_segment = start + holes == SLOTS;
        }
    }

    /// The first position, and how many items are there and behind it. The caller has the lock.
    fn visible(&self, tail: &AtomicU64) -> (u64, usize) {
        let head = self.taken();
        (head, (tail.load(Ordering::Acquire) - head) as usize)
    }

    /// The first `count` items, which lie in `segment`, leave the lane. Gives back the lane's hold on the segment
    /// that is left behind, if it is another one.
    fn move_on(&self, mut front: LockGuard<'_, Head>, store: &Store, segment: SegmentRef, count: usize) {
        let left = front.first.replace(segment).filter(|&left| left != segment);
        self.head.store(self.taken() + count as u64, Ordering::Release);
        drop(front);
        if let Some(left) = left {
            store.give_back(left, 1);
        }
    }
}

impl Head {
    /// The segment of the item at `head`.
    fn segment_of(&self, head: u64) -> SegmentRef {
        let first = self.first.expect("a lane with items has a segment");
        if head == 0 || !(head as usize).is_multiple_of(SLOTS) {
            return first;
        }
        first.next().expect("an item's segment is linked before the item is visible")
    }
}
