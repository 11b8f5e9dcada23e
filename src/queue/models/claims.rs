//! Models of the claim: whether an item goes to its owner or to a revoker.

use super::{Line, assert_each_once, item, number};
use crate::queue::{Batch, Front, Store};
use crate::sys::model::{check, spawn};
use std::sync::Arc;

/// Race: the owner announces itself and reads the word while a revoker marks the word and checks for announcements.
#[test]
fn owner_or_revoker_gets_the_item() {
    check(None, || {
        let line = Line::new();
        let id = line.push([1])[0];
        let revoker = spawn(&line, move |line| line.store.revoke(id).map(number).into_iter().collect());
        assert_each_once(1, [line.take(&Batch::default(), 1), revoker.join().unwrap()]);
    });
}

/// Race: as above, with a second revoker that starts while the first is at work or has just given up.
#[test]
fn owner_or_one_of_two_revokers_gets_the_item() {
    check(3, || {
        let line = Line::new();
        let id = line.push([1])[0];
        let by_id = spawn(&line, move |line| line.store.revoke(id).map(number).into_iter().collect());
        let all = spawn(&line, |line| line.store.revoke_numbers());
        let owned = line.take(&Batch::default(), 1);
        assert_each_once(1, [owned, by_id.join().unwrap(), all.join().unwrap()]);
    });
}

/// Race: a thread revokes an id whose item is being taken, and whose cell is filled again in a new lap.
#[test]
fn a_stale_id_finds_nothing() {
    check(3, || {
        let shared = Arc::new((Store::new(), Front::default()));
        let (store, front) = &*shared;
        let id = front.push(store, item(1)).expect("memory");
        front.push(store, item(2)).expect("memory");
        let second = front.pop(store).expect("two were pushed").1;
        let owner = spawn(&shared, |(store, front)| {
            let taken = front.pop(store).map(|(_, item)| number(item)).into_iter().collect();
            front.push(store, item(3)).expect("memory");
            taken
        });
        let revoked = store.revoke(id).map(number);
        assert_ne!(revoked, Some(3), "an old id led to a new item");
        let owned = owner.join().unwrap();
        let rest = front.pop(store).map(|(_, item)| number(item)).into_iter().collect();
        assert_each_once(3, [owned, vec![number(second)], revoked.into_iter().collect(), rest]);
    });
}

/// Race: the oldest items are discarded while their owner claims them and more are queued; the blocks are looked up
/// once.
#[test]
fn owner_or_discarder_gets_the_oldest_item() {
    check(2, || {
        let line = Line::new();
        line.push([1, 2]);
        let discarder = spawn(&line, |line| {
            let discarded = (0..2).filter_map(|_| line.store.take_oldest(|id| line.take_out(id)));
            discarded.map(|(_, item)| number(item)).collect::<Vec<_>>()
        });
        line.push([3]);
        let owned = line.take(&Batch::default(), 2);
        let discarded = discarder.join().unwrap();
        assert!(discarded.is_sorted(), "not the oldest first");
        assert_each_once(3, [owned, discarded, line.drain()]);
    });
}
