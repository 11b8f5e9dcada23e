//! Maps that read too far, lose values, or do not end.

mod common;

use common::{Count, Gate, LIMIT, pool_of, within_limit};
use fastthreadpool::{Deadline, JobError, JobId, Shutdown, cancel_requested, fail};
use std::sync::mpsc;
use std::time::Duration;

/// Conformance 80, 85, 98, 104, 110, 116: in order, by any chunk size and look-ahead.
#[test]
fn values_come_once_and_in_order() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            for (items, chunk, ahead) in
                [(0, 1, 1), (1, 1, 1), (1000, 1, 3), (1000, 7, 1), (1000, 1000, 2), (999, 10, usize::MAX), (5000, 0, 3)]
            {
                let map = || pool.map(0..items, |n: u32| n + 1).chunk_size(chunk).look_ahead(ahead);
                let values: Vec<u32> = map().collect::<Result<_, _>>().unwrap();
                assert_eq!(values, (1..=items).collect::<Vec<_>>());
                let unordered = pool.map_unordered(0..items, |n: u32| n + 1).chunk_size(chunk).look_ahead(ahead);
                let mut values: Vec<u32> = unordered.collect::<Result<_, _>>().unwrap();
                values.sort_unstable();
                assert_eq!(values, (1..=items).collect::<Vec<_>>());
            }
            assert_eq!((pool.map(0..0, |n: u32| n).next().is_none(), pool.failed()), (true, 0));
        }
    });
}

/// Conformance 81, 96: an endless source, from which no more items are pulled than necessary.
#[test]
fn an_endless_source_is_read_no_further_than_the_look_ahead() {
    within_limit(|| {
        let (pool, pulled) = (pool_of(2), Count::new());
        let source = || {
            let pulled = pulled.clone();
            std::iter::repeat_with(move || pulled.add())
        };
        let mut map = pool.map(source(), |n| n * 2);
        assert_eq!(pulled.get(), 0, "nothing is pulled before the first value is asked for");
        assert_eq!(map.next().unwrap().unwrap(), 0);
        assert!(pulled.get() <= 5, "two workers, one more, and two for what was read");
        let before = pulled.get();
        let mut map = pool.map(source(), move |n| n - before).chunk_size(1);
        for n in 0..500 {
            assert_eq!(map.next().unwrap().unwrap(), n);
            assert!(pulled.get() - before <= n + 4, "two workers, one more, and one for the value that was read");
        }
        assert_eq!(map.progress().read, 500);
        let before = pulled.get();
        drop(map.start());
        let second = pool.map(source(), |n| n).look_ahead(10).chunk_size(3).start();
        assert_eq!(second.progress().submitted, 30);
        assert!(pulled.get() >= before + 30);
    });
}

/// Conformance 97, 104.
#[test]
fn unordered_values_come_as_they_are_ready() {
    within_limit(|| {
        let (pool, gate) = (pool_of(2), Gate::new());
        let door = gate.door();
        let map = move |n| {
            if n == 0 {
                door.pass();
            }
            n
        };
        let mut values = pool.map_unordered(0..20, map).map(Result::unwrap);
        let first: Vec<_> = values.by_ref().take(19).collect();
        assert!(!first.contains(&0));
        gate.open();
        assert_eq!(values.collect::<Vec<_>>(), [0]);
    });
}

/// Conformance 83, 104, 110: an item that fails affects neither its chunk nor the rest.
#[test]
fn an_error_is_an_items_own() {
    within_limit(|| {
        let pool = pool_of(2);
        let map = |n: u32| {
            assert!(n != 3, "three");
            if n == 5 {
                fail(5, "five");
            }
            n
        };
        for chunk in [1, 4, 100] {
            let values: Vec<_> = pool.map(0..10, map).chunk_size(chunk).collect();
            assert_eq!(values.len(), 10);
            for (n, value) in (0..).zip(&values) {
                match (n, value) {
                    (3, Err(error)) => assert_eq!(error.to_string(), "the job panicked: three"),
                    (5, Err(error)) => assert_eq!(error.to_string(), "the job failed: five (code 5)"),
                    (_, value) => assert_eq!(*value.as_ref().unwrap(), n),
                }
            }
        }
    });
}

/// Conformance 84, 116: pending jobs are cancelled.
#[test]
fn an_error_stops_a_map_that_asked_for_it() {
    within_limit(|| {
        let (pool, ran) = (pool_of(1), Count::new());
        let counted = ran.clone();
        let map = move |n: u32| {
            counted.add();
            assert!(n != 3);
            n
        };
        let values: Vec<_> = pool.map(0.., map).stop_on_error(true).collect();
        assert_eq!(values.len(), 4);
        assert!(values[3].is_err() && values[..3].iter().all(Result::is_ok));
        pool.wait_idle(LIMIT).unwrap();
        assert!(ran.get() < 10);
    });
}

/// Conformance 104, 116: the deadline is for the whole map.
#[test]
fn a_deadline_ends_a_map() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let door = gate.door();
        let map = move |n| {
            if n == 2 {
                door.pass();
            }
            n
        };
        let mut values = pool.map(0..10, map).until(Duration::from_millis(50));
        let (came, error): (Vec<_>, Vec<_>) = values.by_ref().partition(Result::is_ok);
        assert!(came.len() <= 2, "the third one waits at the gate");
        assert!(matches!(error[..], [Err(JobError::TimedOut)]));
        assert!(values.next().is_none() && values.next().is_none());
        drop(values);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
    });
}

/// Conformance 85: wait, cancel, progress.
#[test]
fn a_map_can_be_waited_for_and_cancelled() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let door = gate.door();
        let mut values = pool.map(0..100, move |n| (n, door.pass(), cancel_requested()).0).look_ahead(5).start();
        gate.wait_started(1);
        assert!(values.wait(Deadline::NOW).is_err());
        values.cancel();
        gate.open();
        values.wait(LIMIT).unwrap();
        assert_eq!((values.progress().submitted, values.progress().read), (5, 0));
        let values: Vec<_> = values.collect();
        assert_eq!(values.len(), 5);
        assert_eq!(*values[0].as_ref().unwrap(), 0);
        assert!(values[1..].iter().all(|value| matches!(value, Err(JobError::Cancelled))));
    });
}

/// Conformance 80, 85: each item of a cancelled chunk has an outcome, so the others keep their places.
#[test]
fn a_cancelled_chunk_does_not_move_the_values_behind_it() {
    within_limit(|| {
        for unordered in [false, true] {
            let (pool, gate) = (pool_of(1), Gate::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let same = |n: u32| n;
            let map = if unordered { pool.map_unordered(0..18, same) } else { pool.map(0..18, same) };
            let map = map.chunk_size(5).look_ahead(4).start();
            let mut ids = pool.queued_ids();
            ids.sort_unstable();
            assert!(pool.cancel(ids[1]) && pool.cancel(ids[3]));
            gate.open();
            let mut values: Vec<_> = map.map(Result::ok).collect();
            let mut expected: Vec<_> = (0..18).map(|n| Some(n).filter(|n| n % 10 < 5)).collect();
            if unordered {
                values.sort_unstable();
                expected.sort_unstable();
            }
            assert_eq!(values, expected);
        }
    });
}

/// Conformance 84, 116: nothing is yielded after the failure, not even the error of a refused submit.
#[test]
fn an_error_is_the_last_outcome_of_a_map_that_was_also_refused() {
    within_limit(|| {
        let pool = pool_of(1);
        let item = |n| assert_ne!(n, 0, "the first item fails");
        let mut map = pool.map(0..10, item).chunk_size(1).look_ahead(2).stop_on_error(true).start();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert!(matches!(map.next(), Some(Err(JobError::Panicked(_)))));
        assert!(map.next().is_none());
    });
}

/// Conformance 80: every item and value is dropped once, however a map ends.
#[test]
fn nothing_is_lost_when_a_map_is_dropped_in_the_middle() {
    within_limit(|| {
        for taken in [0, 1, 10, 100] {
            let (pool, items, values) = (pool_of(2), Count::new(), Count::new());
            let source: Vec<_> = (0..100).map(|n| (n, items.on_drop())).collect();
            let made = values.clone();
            let mut map = pool.map(source, move |(n, item)| {
                drop(item);
                assert!(n % 7 != 3);
                made.on_drop()
            });
            let read = map.by_ref().take(taken).filter(Result::is_ok).count();
            assert!(read <= taken);
            drop(map);
            pool.wait_idle(LIMIT).unwrap();
            drop(pool);
            assert_eq!(items.get(), 100, "every item is dropped once");
            assert!(values.get() >= read);
        }
    });
}

/// Conformance 80, 116: the same when a map is cancelled, or stopped by an error or a deadline.
#[test]
fn nothing_is_lost_when_a_map_is_broken_off() {
    within_limit(|| {
        for way in 0..4 {
            for chunk in [1, 3] {
                let (pool, items, made, values) = (pool_of(2), Count::new(), Count::new(), Count::new());
                let gate = Gate::new();
                let source: Vec<_> = (0..100).map(|n| (n, items.on_drop())).collect();
                let (making, counted, door) = (made.clone(), values.clone(), gate.door());
                let work = move |(n, item)| {
                    drop(item);
                    if n == 20 {
                        door.pass();
                    }
                    assert!(way != 1 || n != 12, "this one stops the map");
                    making.add();
                    counted.on_drop()
                };
                let deadline = if way == 2 { Duration::from_millis(20).into() } else { Deadline::NEVER };
                let mut map = pool.map(source, work).chunk_size(chunk).stop_on_error(true).until(deadline);
                match way {
                    0 => {
                        assert_eq!(map.by_ref().take(18).count(), 18);
                        map.cancel();
                    }
                    1 => assert_eq!(map.by_ref().count(), 13),
                    2 => assert!(map.by_ref().any(|value| matches!(value, Err(JobError::TimedOut)))),
                    _ => assert_eq!(map.by_ref().take(5).count(), 5),
                }
                gate.open();
                drop(map);
                pool.wait_idle(LIMIT).unwrap();
                drop(pool);
                assert_eq!((items.get(), values.get()), (100, made.get()), "{way}: each is dropped once");
            }
        }
    });
}

/// Conformance 110: several inputs, as long as the shortest.
#[test]
fn several_inputs_are_one() {
    within_limit(|| {
        let pool = pool_of(2);
        let sums = pool.map((0..).zip([10, 20, 30]), |(a, b)| a + b).collect::<Result<Vec<_>, _>>();
        assert_eq!(sums.unwrap(), [10, 21, 32]);
    });
}

/// Conformance 110: a map that chooses its chunks: large ones for quick items, single items for slow ones.
#[test]
fn chunks_follow_the_time_that_items_take() {
    within_limit(|| {
        let (pool, pulled) = (pool_of(1), Count::new());
        let source = || {
            let pulled = pulled.clone();
            std::iter::repeat_with(move || pulled.add())
        };
        let mut quick = pool.map(source(), |n| n).look_ahead(1);
        let read = quick.by_ref().take(20_000).map(Result::unwrap).count();
        assert_eq!(read, 20_000);
        assert!(quick.progress().submitted <= 20_000 + 2 * 1024);
        let before = pulled.get();
        let long = |n| {
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_micros(50) {}
            n
        };
        assert_eq!(pool.map(source(), long).look_ahead(1).take(50).count(), 50);
        assert!(pulled.get() - before <= 50 + 20);
    });
}

/// Conformance 62, 98: a refused submit is yielded as an error.
#[test]
fn a_map_over_a_closed_pool_says_so() {
    within_limit(|| {
        let pool = pool_of(1);
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let values: Vec<_> = pool.map(0..10, |n| n).collect();
        assert_eq!(values.len(), 1);
        assert_eq!(
            values[0].as_ref().unwrap_err().to_string(),
            "the job failed: the pool was shut down; reopen it or make a new one"
        );
    });
}

/// Conformance 119: a map in a job, on one worker.
#[test]
fn a_map_in_a_job_makes_progress() {
    within_limit(|| {
        let pool = pool_of(1);
        let inner = pool.clone();
        let sum = pool.submit(move || {
            let ordered: u32 = inner.map(0..100, |n| n).map(Result::unwrap).sum();
            ordered + inner.map_unordered(0..100, |n| n).map(Result::unwrap).sum::<u32>()
        });
        assert_eq!(sum.unwrap().join().unwrap(), 9900);
    });
}

/// Conformance 19, 30: a map into a results object, with the ids of its items.
#[test]
fn a_map_into_results_gives_an_id_for_each_item() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        let ids: Vec<JobId> = results.map(0..50, |n: u64| n * n).unwrap();
        let (sender, receiver) = mpsc::channel();
        results.as_completed().for_each(|outcome| sender.send((outcome.id, outcome.result.unwrap())).unwrap());
        let mut outcomes: Vec<_> = receiver.try_iter().collect();
        outcomes.sort_unstable_by_key(|outcome| ids.iter().position(|&id| id == outcome.0));
        assert_eq!(
            outcomes.into_iter().map(|outcome| outcome.1).collect::<Vec<_>>(),
            (0..50).map(|n| n * n).collect::<Vec<_>>()
        );
    });
}

/// Conformance 82: an item is passed as it is; a tuple is one argument.
#[test]
fn an_item_is_passed_whole() {
    within_limit(|| {
        let pool = pool_of(2);
        let doubled: Vec<i32> = pool.map([1, 2, 3], |n| n * 2).collect::<Result<_, _>>().unwrap();
        let whole: Vec<(i32, i32)> = pool.map([(1, 2), (3, 4)], |pair| pair).collect::<Result<_, _>>().unwrap();
        let apart: Vec<i32> = pool.map([(1, 2), (3, 4)], |(a, b)| a + b).collect::<Result<_, _>>().unwrap();
        assert_eq!((doubled, whole, apart), (vec![2, 4, 6], vec![(1, 2), (3, 4)], vec![3, 7]));
    });
}

/// Conformance 86, as an event: two items wait for each other; and one that takes long waits until all others have run.
#[test]
fn a_long_item_holds_no_other_up() {
    within_limit(|| {
        for slow in [0, 50, 99] {
            let (pool, gate, others) = (pool_of(2), Gate::new(), Count::new());
            let door = gate.door();
            let item = move |n| {
                if n == slow {
                    door.pass();
                } else if others.add() == 98 {
                    gate.open();
                }
            };
            let map = pool.map_unordered(0..100, item).chunk_size(1);
            assert_eq!(map.map(Result::unwrap).count(), 100);
        }
        let (pool, gate) = (pool_of(4), Gate::new());
        let both = move |_| {
            if gate.started() == 1 {
                gate.open();
            }
            gate.door().pass();
        };
        assert_eq!(pool.map(0..2, both).map(Result::unwrap).count(), 2);
    });
}
