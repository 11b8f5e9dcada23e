//! Models of the lane.

use super::{Line, assert_each_once, item, number};
use crate::queue::{Batch, Look};
use crate::sys::model::{check, spawn};
use loom::thread::JoinHandle;
use std::sync::Arc;

/// A consumer that takes twice, each time at most `most` items.
fn consumer(line: &Arc<Line>, most: usize) -> JoinHandle<Vec<usize>> {
    spawn(line, move |line| {
        let batch = Batch::default();
        let taken: Vec<usize> = (0..2).flat_map(|_| line.take(&batch, most)).collect();
        assert!(taken.is_sorted(), "not first in, first out");
        taken
    })
}

/// Race: consumers read the tail and follow the link while the producer fills a segment and links the next.
#[test]
fn lane_gives_each_item_once() {
    check(2, || {
        let line = Line::new();
        let consumers = [consumer(&line, 1), consumer(&line, 2)];
        line.push(1..=3);
        let taken = consumers.map(|consumer| consumer.join().unwrap());
        assert_each_once(3, taken.into_iter().chain([line.drain()]));
    });
}

/// Race: as above, with all items in one call, whose segments are reserved first and published one at a time.
#[test]
fn lane_shows_a_batch_by_segments() {
    check(3, || {
        let line = Line::new();
        let consumer = consumer(&line, 2);
        // SAFETY: this is the only producer, and the visit ends with the statement.
        let mut visit = unsafe { line.lane.produce() };
        visit.push_all(&line.store, &[1, 2, 3].map(item), |_| {}).expect("memory");
        drop(visit);
        assert_each_once(3, [consumer.join().unwrap(), line.drain()]);
    });
}

/// Race: the producer begins the second lap of a segment while consumers of the first give their holds back.
#[test]
fn lane_recycles_a_segment_after_its_last_holder() {
    check(2, || {
        let line = Line::new();
        line.push(1..=3);
        let consumers = [consumer(&line, 1), consumer(&line, 1)];
        line.push(4..=5);
        let taken = consumers.map(|consumer| consumer.join().unwrap());
        assert_each_once(5, taken.into_iter().chain([line.drain()]));
    });
}

/// Race: a thread looks for work while a consumer moves a run from the lane to its batch; it is in one or the other.
#[test]
fn lane_keeps_a_run_visible_until_it_is_in_a_batch() {
    check(None, || {
        let line = Line::new();
        line.push(1..=2);
        let batch = Arc::new(Batch::default());
        let shared = Arc::clone(&batch);
        let consumer = spawn(&line, move |line| {
            let install = |range| assert_eq!(shared.install(range).slot, 0);
            assert_eq!(line.lane.claim(&line.store, false, |_, _| 2, install), Look::Run);
        });
        assert!(!line.lane.is_empty() || batch.rest() > 0, "a run went out of sight");
        consumer.join().unwrap();
    });
}

/// Race: one thread takes items out while a consumer moves them to its batch, and another thread revokes one.
#[test]
fn lane_gives_an_item_to_a_consumer_or_out() {
    check(2, || {
        let line = Line::new();
        let ids = line.push(1..=2);
        let consumer = consumer(&line, 2);
        let first = ids[0];
        let revoker = spawn(&line, move |line| line.store.revoke(first).map(number));
        let out: Vec<usize> = ids.iter().filter_map(|&id| line.take_out(id).map(number)).collect();
        let revoked: Vec<usize> = revoker.join().unwrap().into_iter().collect();
        assert_each_once(2, [out, revoked, consumer.join().unwrap(), line.drain()]);
    });
}

/// Race: items are taken out, and their segment left behind, while a consumer comes to them and the producer links the
/// next one.
#[test]
fn lane_passes_what_was_taken_out() {
    check(2, || {
        let line = Line::new();
        let ids = line.push(1..=2);
        let consumer = consumer(&line, 1);
        let canceller = spawn(&line, move |line| ids.iter().filter_map(|&id| line.take_out(id).map(number)).collect());
        line.push([3]);
        assert_each_once(3, [canceller.join().unwrap(), consumer.join().unwrap(), line.drain()]);
        assert!(line.store.blocks().len() == 1, "a segment was not given back");
    });
}

/// Race: all items are revoked, and passed afterwards, while a consumer comes to them and somebody takes one out.
#[test]
fn lane_passes_what_was_revoked() {
    check(2, || {
        let line = Line::new();
        let ids = line.push(1..=3);
        let consumer = consumer(&line, 1);
        let canceller = spawn(&line, |line| {
            let revoked = line.store.revoke_numbers();
            line.lane.pass_holes(&line.store);
            revoked
        });
        let out = line.take_out(ids[1]).map(number).into_iter().collect();
        assert_each_once(3, [out, canceller.join().unwrap(), consumer.join().unwrap()]);
        assert!(line.lane.is_empty(), "nobody passed the holes");
        assert!(line.store.blocks().len() == 1, "a segment was not given back");
    });
}

/// Race: a thread leaves its lane while another looks for one to take over.
#[test]
fn lane_changes_its_producer() {
    check(None, || {
        let line = Line::new();
        let heir = spawn(&line, |line| line.lane.adopt().then(|| line.push([2])).is_some());
        line.push([1]);
        line.lane.orphan();
        let last = if heir.join().unwrap() { 2 } else { 1 };
        assert_each_once(last, [line.drain()]);
    });
}
