//! Maps whose pools refuse their jobs: items lost, or run somewhere else than said.

mod common;

use common::{Count, Gate, LIMIT, pool_of, within_limit};
use fastthreadpool::{Map, Policy, Pool, Shutdown, fail};
use std::ops::Range;
use std::thread;

/// Conformance 80, 62: a queue without room for a map's jobs loses none of its items, be it full of them or of others.
#[test]
fn a_full_queue_loses_no_item_of_a_map() {
    within_limit(|| {
        for (unordered, chunk) in [(false, 1), (false, 7), (false, 0), (true, 1), (true, 7), (true, 0)] {
            let pool = Pool::builder().workers(1).max_queued(1, Policy::Reject).build().unwrap();
            let same = |n: u32| n;
            let map = |items| if unordered { pool.map_unordered(items, same) } else { pool.map(items, same) };
            let values = |map: Map<Range<u32>, _, u32>| {
                let mut values: Vec<u32> = map.map(Result::unwrap).collect();
                values.sort_unstable();
                values
            };
            let all: Vec<u32> = (0..2000).collect();
            assert_eq!(values(map(0..2000).chunk_size(chunk).look_ahead(8)), all, "full of the map's own jobs");
            let gate = Gate::new();
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            pool.spawn(gate.job()).unwrap();
            let me = thread::current().id();
            let here = pool.map(0..100, move |n: u32| (n, thread::current().id())).chunk_size(chunk);
            let here: Vec<_> = here.map(Result::unwrap).collect();
            assert_eq!(here, (0..100).map(|n| (n, me)).collect::<Vec<_>>(), "full of others: the caller runs them");
            let failing = pool.map(0..3, |n: u32| if n == 1 { fail(5, "five") } else { false }).chunk_size(chunk);
            let failed: Vec<_> = failing.map(|value| value.is_err()).collect();
            assert_eq!(failed, [false, true, false], "an item that fails there is a failure as well");
            let mut left = map(0..100).chunk_size(chunk).look_ahead(3).start();
            left.cancel();
            let pulled = left.progress().submitted;
            gate.open();
            assert_eq!(left.count(), pulled, "each item that was pulled has an outcome");
            pool.wait_idle(LIMIT).unwrap();
        }
    });
}

/// Conformance 62: each item that was pulled has an outcome, also if its chunk was refused for good.
#[test]
fn a_refused_chunk_has_as_many_outcomes_as_items() {
    within_limit(|| {
        let pool = pool_of(1);
        let (gate, items) = (Gate::new(), Count::new());
        let (door, source) = (gate.door(), (0..100).map(|n| (n, items.on_drop())).collect::<Vec<_>>());
        let mut map = pool.map(source, move |(n, _)| (door.pass(), n).1).chunk_size(5).look_ahead(2).start();
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let values: Vec<_> = map.by_ref().collect();
        assert_eq!((values.len(), map.progress().submitted), (15, 15));
        assert!(values[..10].iter().all(Result::is_ok) && values[10..].iter().all(Result::is_err));
        drop(map);
        assert_eq!(items.get(), 100);
    });
}
