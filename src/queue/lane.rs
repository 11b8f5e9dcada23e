//! A first-in-first-out queue with one producer at a time and any number of consumers, which take runs of items.

use super::arena::OutOfMemory;
use super::cell::Item;
use super::consumers::{Consumers, Look};
use super::pace::Pace;
use super::segment::{NO_GROUP, Place, Range, SLOTS, SegmentRef};
use super::store::Store;
use crate::sync::awake;
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::fence;
use crate::sys::token;

/// Stands for the owner of a lane that has none.
const NOBODY: usize = 0;

/// How often a producer yields its core, at most, before its lane grows: each time another producer may get it.
const MOST_YIELDS: usize = 32;

/// If consumers take so many items meanwhile, they have cores.
const CAUGHT_UP: u64 = 4 * SLOTS as u64;

/// An unbounded list of segments: the producer fills the last, consumers empty the first. Positions count from 0 and
/// never wrap; position p lies in slot p mod `SLOTS`.
///
/// # Memory ordering
///
/// The producer's release store of `tail` pairs with a consumer's acquire load: items and links below it are visible.
/// `head` is changed under the consumers' lock only; its release store publishes the range that was installed before.
/// `counted` runs ahead of the cells: a thread that has an item, however it got it, observes it as counted.
#[derive(Debug)]
pub(crate) struct Lane {
    /// On a line of its own, without what only the producer accesses: consumers read it all the time.
    tail: CachePadded<AtomicU64>,
    producer: CachePadded<Producer>,
    consumers: CachePadded<Consumers>,
}

#[derive(Debug)]
struct Producer {
    counted: AtomicU64,
    /// A producer is between `produce` and the end of its visit.
    busy: AtomicBool,
    /// The [token](token::of_this_thread) of the thread that owns the producing side. Cleared by an owner that leaves,
    /// set by the one that takes over.
    owner: AtomicUsize,
    last: UnsafeCell<Option<SegmentRef>>,
    /// Identifies this lane in the store.
    number: usize,
}

// SAFETY: `last` is accessed only through `Producing`, of which there is one at a time (`Lane::produce`).
unsafe impl Sync for Lane {}

impl Lane {
    /// An empty lane, owned by the calling thread. Lanes whose numbers differ by less than 16 use different arenas.
    pub(crate) fn new(number: usize) -> Self {
        Self {
            tail: CachePadded::new(AtomicU64::new(0)),
            producer: CachePadded::new(Producer {
                counted: AtomicU64::new(0),
                busy: AtomicBool::new(false),
                owner: AtomicUsize::new(token::of_this_thread()),
                last: UnsafeCell::new(None),
                number,
            }),
            consumers: CachePadded::new(Consumers::default()),
        }
    }

    /// Gives the producing side up; what is queued stays queued. Release: pairs with `adopt`.
    pub(crate) fn orphan(&self) {
        self.producer.owner.store(NOBODY, Ordering::Release);
    }

    /// Takes the producing side over if its owner has left. False if there is an owner.
    #[must_use]
    pub(crate) fn adopt(&self) -> bool {
        let me = token::of_this_thread();
        self.producer.owner.compare_exchange(NOBODY, me, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The token of the thread that owns the producing side, or 0. A thread that reads its own is the owner: no other
    /// thread writes it.
    #[inline(always)]
    pub(crate) fn owner(&self) -> usize {
        self.producer.owner.load(Ordering::Relaxed)
    }

    /// The number that it was made with.
    pub(crate) fn number(&self) -> usize {
        self.producer.number
    }

    /// Sets whether the owner, which calls this, is also one of the consumers, and so the lane's keeper.
    pub(crate) fn set_kept(&self, by_owner: bool) {
        self.consumers.set_keeper(if by_owner { token::of_this_thread() } else { NOBODY });
    }

    /// The position of the only item in here, if the lane has another keeper, which will come for it.
    pub(crate) fn lone_of_another(&self) -> Option<u64> {
        let keeper = self.consumers.keeper();
        if keeper == NOBODY || keeper == token::of_this_thread() {
            return None;
        }
        let head = self.consumers.taken();
        (self.tail.load(Ordering::Relaxed).wrapping_sub(head) == 1).then_some(head)
    }

    /// Begins a visit, during which the producer may push. Closing the pool waits for visits to end.
    ///
    /// # Safety
    ///
    /// 1. The caller owns the producing side, and no other visit of it is under way.
    #[inline]
    pub(crate) unsafe fn produce(&self) -> Producing<'_> {
        self.producer.busy.store(true, Ordering::Relaxed);
        // The visit is visible before the producer checks whether the pool is closed (src/pool, "Close", V2).
        fence::light();
        Producing { lane: self }
    }

    /// Whether a producer is in the middle of a visit. Acquire: what it did in earlier visits is visible.
    pub(crate) fn is_busy(&self) -> bool {
        self.producer.busy.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.consumers.head() >= self.tail.load(Ordering::Acquire)
    }

    /// Whether a consumer had better come now: there are items, and the lane is not left alone.
    pub(crate) fn invites(&self) -> bool {
        matches!(self.consumers.pace(), Pace::Open | Pace::Flows) && !self.is_empty()
    }

    /// Whether there is more to come for. Reads what the producer writes only if the pace does not tell.
    pub(crate) fn promises(&self) -> bool {
        match self.consumers.pace() {
            Pace::Open => !self.is_empty(),
            Pace::Tried => false,
            Pace::Flows | Pace::Rests => true,
        }
    }

    /// How many items were ever pushed.
    pub(crate) fn counted(&self) -> u64 {
        self.producer.counted.load(Ordering::Acquire)
    }

    /// How many items consumers have ever taken.
    pub(crate) fn taken(&self) -> u64 {
        self.consumers.taken()
    }

    /// Takes a run of items from the front: at least one, at most `most(visible, flows)`, all in one segment. `install`
    /// makes the range visible to thieves before it disappears from the lane. If the caller is `paced`, it keeps the
    /// lane's [`Habit`](super::pace::Habit).
    pub(crate) fn claim(
        &self,
        store: &Store,
        paced: bool,
        most: impl FnOnce(usize, bool) -> usize,
        install: impl FnOnce(Range),
    ) -> Look {
        match self.consumers.pace() {
            Pace::Tried | Pace::Rests if paced => Look::Rest,
            pace if !(paced && pace == Pace::Flows) && self.is_empty() => Look::Nothing,
            _ => self.consumers.claim(&self.tail, store, paced, most, install),
        }
    }

    /// Keeps consumers away from the item at this position for as long as the guard lives; `None` if it is in a
    /// consumer's range.
    pub(crate) fn hold(&self, position: u64) -> Option<impl Sized> {
        self.consumers.hold(&self.tail, position)
    }

    /// The item at this position was [held](Self::hold) and taken out. Passes the hole, if it is the first.
    pub(crate) fn leave_hole(&self, store: &Store, position: u64) {
        if self.consumers.taken() == position {
            self.pass_holes(store);
        }
    }

    /// Gives back the memory of what was taken out of the front, as a consumer would that reached it.
    pub(crate) fn pass_holes(&self, store: &Store) {
        self.consumers.pass_holes(&self.tail, store);
    }
}

/// A producer's visit to its lane.
#[derive(Debug)]
pub(crate) struct Producing<'a> {
    lane: &'a Lane,
}

impl Producing<'_> {
    /// Appends an item and returns its id.
    #[inline(always)]
    pub(crate) fn push(&mut self, store: &Store, item: Item) -> Result<u64, OutOfMemory> {
        if self.has_room() {
            return Ok(self.push_inside(item));
        }
        let tail = self.tail();
        let segment = self.extend(store, tail)?;
        Ok(self.put(tail, Place { segment, slot: 0 }, item))
    }

    /// Whether the next item needs no new segment.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        !(self.tail() as usize).is_multiple_of(SLOTS)
    }

    /// Whether the last segment is full: the next item needs another one.
    pub(crate) fn has_filled_a_segment(&self) -> bool {
        self.tail() > 0 && !self.has_room()
    }

    /// Appends an item where there is [room](Self::has_room), and returns its id.
    #[inline(always)]
    pub(crate) fn push_inside(&mut self, item: Item) -> u64 {
        let tail = self.tail();
        self.put(tail, Place { segment: self.last(), slot: tail as usize % SLOTS }, item)
    }

    #[inline(always)]
    fn put(&mut self, tail: u64, place: Place, item: Item) -> u64 {
        let producer = &*self.lane.producer;
        producer.counted.store(tail + 1, Ordering::Relaxed);
        // SAFETY: 1. this visit is the only producer; 2. the lap began after every hold on the last one was given back.
        unsafe { place.fill(item) };
        self.lane.tail.store(tail + 1, Ordering::Release);
        place.prepare_later();
        place.id()
    }

    #[inline(always)]
    fn tail(&self) -> u64 {
        self.lane.producer.counted.load(Ordering::Relaxed)
    }

    /// Appends all items, or none if memory runs out; calls `accepted` with each id. Publishes a segment's worth at a
    /// time.
    pub(crate) fn push_all(
        &mut self,
        store: &Store,
        items: &[Item],
        mut accepted: impl FnMut(u64),
    ) -> Result<(), OutOfMemory> {
        let producer = &*self.lane.producer;
        let mut tail = self.tail();
        let mut fresh = self.reserve(store, tail, items.len())?.into_iter();
        let mut rest = items;
        while !rest.is_empty() {
            let slot = tail as usize % SLOTS;
            let segment = if slot == 0 {
                let next = fresh.next().expect("enough segments were reserved");
                self.append(tail, next);
                next
            } else {
                self.last()
            };
            let (run, later) = rest.split_at(rest.len().min(SLOTS - slot));
            producer.counted.store(tail + run.len() as u64, Ordering::Relaxed);
            for (offset, &item) in run.iter().enumerate() {
                let place = Place { segment, slot: slot + offset };
                // SAFETY: as in `push`.
                unsafe { place.fill(item) };
                accepted(place.id());
            }
            tail += run.len() as u64;
            self.lane.tail.store(tail, Ordering::Release);
            rest = later;
        }
        Ok(())
    }

    /// The segments that `count` more items need beyond the last one.
    fn reserve(&self, store: &Store, tail: u64, count: usize) -> Result<Vec<SegmentRef>, OutOfMemory> {
        let room = (SLOTS - tail as usize % SLOTS) % SLOTS;
        let needed = count.saturating_sub(room).div_ceil(SLOTS);
        let mut fresh = Vec::with_capacity(needed);
        for _ in 0..needed {
            match store.take(self.lane.producer.number, NO_GROUP) {
                Ok(segment) => fresh.push(segment),
                Err(refused) => {
                    fresh.into_iter().for_each(|segment| store.recycle(segment));
                    return Err(refused);
                }
            }
        }
        Ok(fresh)
    }

    #[inline]
    fn last(&self) -> SegmentRef {
        // SAFETY: this visit is the only producer.
        let last = self.lane.producer.last.with(|last| unsafe { *last });
        // SAFETY: 1. it is asked for only when a slot was used before, and so a segment was appended.
        unsafe { last.unwrap_unchecked() }
    }

    #[cold]
    fn extend(&mut self, store: &Store, tail: u64) -> Result<SegmentRef, OutOfMemory> {
        if tail > 0 && store.must_grow(self.lane.producer.number) {
            self.let_consumers_catch_up();
        }
        let next = store.take(self.lane.producer.number, NO_GROUP)?;
        self.append(tail, next);
        Ok(next)
    }

    /// Yields the core to consumers that wait for one, until they have emptied some segments. If it comes back at once,
    /// they do not need it.
    fn let_consumers_catch_up(&self) {
        let before = self.lane.taken();
        for _ in 0..MOST_YIELDS {
            let others_ran = awake::give_way(|| self.lane.taken());
            if !others_ran || self.lane.taken() - before >= CAUGHT_UP {
                return;
            }
        }
    }

    /// Links a segment behind the last one. The lane's hold keeps the last one in its lap until a consumer has
    /// followed the link.
    fn append(&mut self, tail: u64, next: SegmentRef) {
        next.join(self.lane.number(), tail);
        if tail == 0 {
            self.lane.consumers.begin_at(next);
        } else {
            self.last().link(Some(next));
        }
        // SAFETY: this visit is the only producer.
        self.lane.producer.last.with_mut(|last| unsafe { *last = Some(next) });
    }
}

impl Drop for Producing<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lane.producer.busy.store(false, Ordering::Release);
    }
}
