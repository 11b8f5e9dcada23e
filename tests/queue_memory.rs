//! Queues that do not release the memory of a burst.
// Elsewhere the store's slabs, two of which are kept at rest, come from the allocator that is counted.
#![cfg(all(target_os = "linux", not(ftpool_portable)))]

mod common;
mod counting;

use common::{Gate, LIMIT, pool_of, within_limit};
use fastthreadpool::{Group, JobId, Pool, Priority};

/// Where a job is queued.
type Submit = fn(&Pool, &Group) -> JobId;

/// A place in a queue takes 16 bytes besides the store. One test, because allocations are counted for the whole
/// process's.
#[test]
fn a_burst_of_jobs_leaves_nothing_behind_wherever_they_were_queued() {
    within_limit(|| {
        const BURST: usize = 50_000;
        const KEPT: isize = 200_000;
        let places: [(&str, Submit); 4] = [
            ("behind all", |pool, _| pool.spawn(|| ()).unwrap()),
            ("before all", |pool, _| pool.spawn_first(|| ()).unwrap()),
            ("in a group", |_, group| group.spawn(|| ()).unwrap()),
            ("first in a group", |_, group| group.spawn_first(|| ()).unwrap()),
        ];
        let pool = pool_of(1);
        let group = pool.group(1, Priority::Normal);
        for (place, submit) in places {
            for cancels in [false, true] {
                let (gate, before) = (Gate::new(), counting::live());
                pool.spawn(gate.job()).unwrap();
                gate.wait_started(1);
                for _ in 0..BURST {
                    let id = submit(&pool, &group);
                    assert!(!cancels || pool.cancel(id));
                }
                gate.open();
                pool.wait_idle(LIMIT).unwrap();
                submit(&pool, &group); // Whoever comes to it has come by all that was cancelled.
                pool.wait_idle(LIMIT).unwrap();
                let kept = counting::live() - before;
                assert!(kept < KEPT, "{place}: {kept} bytes, cancelled: {cancels}");
            }
        }
    });
}
