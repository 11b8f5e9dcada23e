//! Models of workers that are started, sleep and are woken.

use super::{Tally, drain, pool, staff, staffed, with};
use crate::sync::Deadline;
use crate::sys::model::check;

/// Race: two threads submit the first jobs of a pool, each to its own lane; one of them starts the worker.
#[test]
fn two_submitters_start_one_worker() {
    check(2, || {
        let (core, tally) = (pool(1), Tally::new());
        let job = tally.empty_job();
        let other = with(&core, |core| core.submit(job).map(drop).unwrap());
        core.submit(tally.empty_job()).unwrap();
        other.join().unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}

/// Race: a job is submitted while the only worker goes to sleep.
#[test]
fn a_worker_does_not_sleep_while_a_job_is_queued() {
    check(2, || {
        let (core, tally) = (pool(1), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        core.wait_quiescent(Deadline::NEVER).unwrap();
        core.submit(tally.empty_job()).unwrap();
        core.wait_quiescent(Deadline::NEVER).unwrap();
        assert_eq!(tally.run(), 2);
        drain(&core);
    });
}

/// Race: the last searcher finds a job that waits for another one, whose submitter relied on that searcher.
#[test]
fn a_job_that_waits_for_the_next_one_does_not_hold_it_up() {
    check(1, || {
        let (core, tally) = (staffed(2), Tally::new());
        core.submit(tally.waiting_job()).unwrap();
        staff(&core);
        core.submit(tally.empty_job()).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}

/// Race: as above, but both jobs lie in one worker's batch, from which the other worker must steal.
#[test]
fn a_job_behind_one_that_waits_is_stolen() {
    check(2, || {
        let (core, tally) = (pool(2), Tally::new());
        core.submit_batch(vec![tally.waiting_job(), tally.empty_job()]).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}
