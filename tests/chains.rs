//! Jobs that submit the next job: chains that leave workers idle, or starve other jobs.

mod common;

use common::{Count, Gate, LIMIT, pool_of, within_limit};
use fastthreadpool::Pool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Conformance 57, 99: a worker runs the job that its job submits, unless its job goes on; then another worker does.
#[test]
fn a_job_that_its_submitter_does_not_come_to_is_run_by_another_worker() {
    within_limit(|| {
        for workers in [2, 4] {
            let pool = pool_of(workers);
            for _ in 0..500 {
                let inner = pool.clone();
                let outer = move || {
                    let gate = Gate::new();
                    inner.spawn(gate.job()).unwrap();
                    gate.wait_started(1);
                    gate.open();
                };
                pool.spawn(outer).unwrap();
                pool.wait_idle(LIMIT).unwrap();
            }
        }
    });
}

fn go_on(pool: &Pool, ended: &Arc<AtomicBool>, links: &Count) {
    links.add();
    if !ended.load(SeqCst) {
        let (next, ended, links) = (pool.clone(), Arc::clone(ended), links.clone());
        pool.spawn(move || go_on(&next, &ended, &links)).unwrap();
    }
}

/// Conformance 100: chains that never end do not keep a worker from jobs of other threads.
#[test]
fn others_have_their_turn_while_chains_go_on() {
    within_limit(|| {
        for (workers, chains) in [(1, 1), (1, 3), (2, 1), (2, 5)] {
            let (pool, ended, links) = (pool_of(workers), Arc::new(AtomicBool::new(false)), Count::new());
            for _ in 0..chains {
                go_on(&pool, &ended, &links);
            }
            for number in 0..1000 {
                assert_eq!(pool.submit(move || number).unwrap().join().unwrap(), number);
            }
            assert!(links.get() > chains);
            ended.store(true, SeqCst);
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(pool.pending(), 0);
        }
    });
}
