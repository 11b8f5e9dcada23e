//! Models of the front stack.

use super::{assert_each_once, item, number};
use crate::queue::{Front, Store};
use crate::sys::model::{check, spawn};
use std::sync::Arc;

fn pop(store: &Store, front: &Front) -> Vec<usize> {
    front.pop(store).map(|(_, item)| number(item)).into_iter().collect()
}

/// Race: one thread pushes, one pops and one revokes; the popper may find a stale place and goes on to the next.
#[test]
fn front_gives_each_item_once() {
    check(3, || {
        let shared = Arc::new((Store::new(), Front::default()));
        let (store, front) = &*shared;
        let first = front.push(store, item(1)).expect("memory");
        let pusher = spawn(&shared, |(store, front)| front.push(store, item(2)).expect("memory"));
        let popper = spawn(&shared, |(store, front)| pop(store, front));
        let revoked = store.revoke(first).map(number).into_iter().collect();
        pusher.join().unwrap();
        let popped = popper.join().unwrap();
        let rest = [pop(store, front), pop(store, front)].concat();
        assert!(front.is_empty());
        assert_each_once(2, [revoked, popped, rest]);
    });
}
