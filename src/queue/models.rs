//! Models of items on their way, for the model checker. A segment has two slots here.

mod batches;
mod claims;
mod fronts;
mod lanes;
mod readers;
mod slot_blocks;
mod slots;
mod two_lock_queues;

use super::{Batch, Item, Lane, Store, Taken, Word};
use std::num::NonZero;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// An item that says the same number in its tag and in its body.
fn item(number: usize) -> Item {
    let tag = NonZero::new(number << 3).expect("numbers begin with 1");
    Item::new(NonNull::without_provenance(tag), [Word::new(ptr::without_provenance_mut(number)); 3])
}

/// The number of an item that arrived whole.
fn number(item: Item) -> usize {
    let (tag, body) = item.into_parts();
    let number = tag.addr().get() >> 3;
    // SAFETY: `item` wrote the body.
    assert!(body.iter().all(|word| unsafe { word.assume_init() }.addr() == number), "torn item");
    number
}

/// The number of an item that was just claimed.
fn number_of(taken: Taken) -> usize {
    // SAFETY: its segment is held until the batch is retired.
    number(unsafe { taken.copy() })
}

impl Store {
    /// Takes an item whose owner cannot be kept away.
    fn revoke(&self, id: u64) -> Option<Item> {
        self.take_out(id, |_, _| None::<()>, |_| ()).map(|(item, _)| item)
    }

    /// The numbers of all items that were revoked.
    fn revoke_numbers(&self) -> Vec<usize> {
        let mut revoked = Vec::new();
        self.revoke_all(|_| (), |_, item, _| revoked.push(number(item)));
        revoked
    }
}

/// A lane and where its segments come from.
struct Line {
    store: Store,
    lane: Lane,
}

impl Line {
    fn new() -> Arc<Self> {
        Arc::new(Self { store: Store::new(), lane: Lane::new(0) })
    }

    /// Appends items with these numbers and returns their ids. Called by the lane's one producer.
    fn push(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<u64> {
        // SAFETY: the models have one producer, and the visit ends here.
        let mut visit = unsafe { self.lane.produce() };
        numbers.into_iter().map(|number| visit.push(&self.store, item(number)).expect("memory")).collect()
    }

    /// What a worker does: makes a run of up to `most` items its batch, and claims those that are not revoked and that
    /// no thief takes.
    fn take(&self, batch: &Batch, most: usize) -> Vec<usize> {
        let mut place = None;
        self.lane.claim(&self.store, false, |_, _| most, |range| place = Some(batch.install(range)));
        let mut taken = Vec::new();
        while let Some(mine) = place {
            // SAFETY: 1. the batch gave the place to this thread; 2. it holds the segment until it is retired.
            taken.extend(unsafe { self.store.claim(mine) }.map(number_of));
            place = batch.next();
        }
        batch.retire(&self.store);
        taken
    }

    /// What a pool does to cancel a job.
    fn take_out(&self, id: u64) -> Option<Item> {
        let mut hole = None;
        let hold = |_, position| self.lane.hold(position).inspect(|_| hole = Some(position));
        let (item, _) = self.store.take_out(id, hold, |_| ())?;
        hole.inspect(|&position| self.lane.leave_hole(&self.store, position));
        Some(item)
    }

    /// Everything that is left, when the other threads are done.
    fn drain(&self) -> Vec<usize> {
        let mut taken = Vec::new();
        while !self.lane.is_empty() {
            taken.extend(self.take(&Batch::default(), usize::MAX));
        }
        taken
    }
}

/// Every number from 1 to `last` came exactly once.
fn assert_each_once(last: usize, groups: impl IntoIterator<Item = Vec<usize>>) {
    let mut all: Vec<usize> = groups.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (1..=last).collect::<Vec<_>>());
}
