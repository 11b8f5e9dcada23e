//! Models of the batch: which slots its owner reaches, and which a thief takes.

use super::{Line, assert_each_once, number, number_of};
use crate::queue::segment::{Place, Range, SLOTS, SegmentRef};
use crate::queue::{Batch, Store};
use crate::sys::model::{check, spawn};
use loom::thread::JoinHandle;
use std::sync::Arc;

/// A batch and where its segments come from.
struct Share {
    store: Store,
    batch: Batch,
}

impl Share {
    fn new() -> Arc<Self> {
        Arc::new(Self { store: Store::new(), batch: Batch::default() })
    }

    /// A segment that no lane holds any more.
    fn segment(&self) -> SegmentRef {
        let segment = self.store.take(0, 0).expect("memory");
        self.store.give_back(segment, 1);
        segment
    }

    /// The owner's walk over slots 0 to `end` − 1 of a segment, which it numbers from `from`.
    fn walk(&self, segment: SegmentRef, end: usize, from: usize) -> Vec<usize> {
        let first = self.batch.install(Range { segment, start: 0, end });
        let rest = std::iter::from_fn(|| self.batch.next());
        std::iter::once(first).chain(rest).map(|place| place.slot + from).collect()
    }

    fn thief(self: &Arc<Self>) -> JoinHandle<Option<Range>> {
        spawn(self, |share| share.batch.split())
    }
}

fn slots(range: &Range, from: usize) -> Vec<usize> {
    (range.start + from..range.end + from).collect()
}

/// Race: the owner reaches the slots that a thief is about to take. The batch does not access the slots, so the range
/// may be longer than a segment.
#[test]
fn owner_and_thief_share_the_slots() {
    check(3, || {
        let share = Share::new();
        let thief = share.thief();
        let walked = share.walk(share.segment(), 4, 1);
        let stolen = thief.join().unwrap();
        assert_each_once(4, [walked, stolen.map_or(vec![], |range| slots(&range, 1))]);
    });
}

/// Race: as above, while a second thief takes its half of what the first has left.
#[test]
fn owner_and_two_thieves_share_the_slots() {
    check(2, || {
        let share = Share::new();
        let thieves = [share.thief(), share.thief()];
        let walked = share.walk(share.segment(), 4, 1);
        let stolen = thieves.map(|thief| thief.join().unwrap().map_or(vec![], |range| slots(&range, 1)));
        assert_each_once(4, stolen.into_iter().chain([walked]));
    });
}

/// Race: the owner retires its range and installs the next while a thief splits; every hold is given back once, and
/// both segments are recycled.
#[test]
fn a_thief_comes_between_two_ranges() {
    check(3, || {
        let share = Share::new();
        let segments = [share.segment(), share.segment()];
        let thief = share.thief();
        let mut groups = Vec::new();
        for (number, &segment) in segments.iter().enumerate() {
            groups.push(share.walk(segment, SLOTS, number * SLOTS + 1));
            share.batch.retire(&share.store);
        }
        if let Some(stolen) = thief.join().unwrap() {
            let number = segments.iter().position(|&segment| segment == stolen.segment).unwrap();
            groups.push(slots(&stolen, number * SLOTS + 1));
            share.store.give_back(stolen.segment, stolen.len());
        }
        assert_each_once(2 * SLOTS, groups);
        let again = [share.segment(), share.segment()];
        assert!(segments.iter().all(|segment| again.contains(segment)), "a hold was not given back");
    });
}

/// Race: owner, thief and revoker try to take the same item.
#[test]
fn owner_thief_or_revoker_gets_the_item() {
    check(2, || {
        let line = Line::new();
        let contested = line.push(1..=2)[1];
        let batch = Arc::new(Batch::default());
        let shared = Arc::clone(&batch);
        let thief = spawn(&line, move |line| {
            let Some(stolen) = shared.split() else { return vec![] };
            let place = Place { segment: stolen.segment, slot: stolen.start };
            // SAFETY: 1. the range is this thread's; 2. its hold is given back below.
            let taken = unsafe { line.store.claim(place) }.map(number_of);
            line.store.give_back(stolen.segment, stolen.len());
            taken.into_iter().collect()
        });
        let revoker = spawn(&line, move |line| line.store.revoke(contested).map(number).into_iter().collect());
        let owned = line.take(&batch, 2);
        assert_each_once(2, [owned, thief.join().unwrap(), revoker.join().unwrap()]);
    });
}
