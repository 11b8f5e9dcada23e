//! Queues whose memory grows although few jobs are queued: no worker passes the places of removed jobs.
#![cfg(target_os = "linux")]

mod common;

use common::{Gate, LIMIT, within_limit};
use fastthreadpool::{Group, JobId, Policy, Pool, Priority};

/// Where a job is queued.
type Submit = fn(&Pool, &Group) -> JobId;

/// How it is removed from the queue, other than by discard-oldest.
type Leave = fn(&Pool, &Group, JobId);

const PLACES: [(&str, Submit); 4] = [
    ("behind all", |pool, _| pool.spawn(|| ()).unwrap()),
    ("before all", |pool, _| pool.spawn_first(|| ()).unwrap()),
    ("in a group", |_, group| group.spawn(|| ()).unwrap()),
    ("first in a group", |_, group| group.spawn_first(|| ()).unwrap()),
];

/// The process's resident memory in KiB.
fn resident() -> usize {
    let status = common::linux::status("/proc/self".as_ref(), "VmRSS");
    status.trim_end_matches(" kB").parse().expect("a number of KiB")
}

fn expect_no_growth(how: &str, policy: Policy, leave: Leave) {
    const JOBS: usize = 6_000; // at 34 to 50 bytes a job
    const MOST: usize = 8;
    const GROWTH: usize = 80;
    for (place, submit) in PLACES {
        let pool = Pool::builder().workers(1).max_queued(MOST, policy).build().unwrap();
        let group = pool.group(1, Priority::Normal);
        let gate = Gate::new();
        group.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let mut before = 0;
        for number in 0..JOBS {
            if number == JOBS / 100 {
                before = resident();
            }
            let id = submit(&pool, &group);
            leave(&pool, &group, id);
        }
        let growth = resident().saturating_sub(before);
        assert!(growth < GROWTH, "{how}, {place}: {growth} KiB");
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
    }
}

/// Decisions: discard-oldest. A queue with a limit is limited in memory, too, while all workers are in long jobs. One
/// test, for the memory is the process's.
#[test]
fn what_was_taken_out_leaves_no_memory_behind_before_a_worker_comes() {
    within_limit(|| {
        expect_no_growth("discarded", Policy::DiscardOldest, |_, _, _| ());
        expect_no_growth("cancelled", Policy::Reject, |pool, _, id| assert!(pool.cancel(id)));
        expect_no_growth("all cancelled", Policy::Reject, |pool, _, _| assert_eq!(pool.cancel_all(), 1));
    });
}
