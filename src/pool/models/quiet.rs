//! Models of quiescence: nothing is queued or running, and the waiters are woken.

use super::{Tally, drain, pool, staff, staffed, with};
use crate::sync::Deadline;
use crate::sys::cell::UnsafeCell;
use crate::sys::model::check;
use std::sync::Arc;

/// Race: two workers finish at the same time, and each may take the other's last job for more work.
#[test]
fn the_last_of_two_workers_wakes_the_waiter() {
    check(1, || {
        let (core, tally) = (staffed(2), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        core.submit(tally.empty_job()).unwrap();
        staff(&core);
        core.wait_quiescent(Deadline::NEVER).unwrap();
        assert_eq!(tally.run(), 2);
        drain(&core);
    });
}

/// Race: a thread sums the counts while a job submits another one and finishes.
#[test]
fn a_pool_is_not_quiet_before_a_child_has_run() {
    check(2, || {
        let (core, tally) = (pool(1), Tally::new());
        let child = tally.empty_job();
        let parent = tally.job(|worker| worker.core().submit(child).map(drop).unwrap());
        core.submit(parent).unwrap();
        core.wait_quiescent(Deadline::NEVER).unwrap();
        assert_eq!(tally.run(), 2);
        drain(&core);
    });
}

struct Shared(UnsafeCell<usize>);

// SAFETY: the cell is written by a job, and read after that job has finished.
unsafe impl Sync for Shared {}

/// Race: the waiter checks while the job is counted; afterwards everything that the job did is visible.
#[test]
fn whoever_sees_quiet_sees_what_the_jobs_did() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        let cell = Arc::new(Shared(UnsafeCell::new(0)));
        let written = Arc::clone(&cell);
        // SAFETY: no thread reads before this job has finished.
        let job = tally.job(move |_| written.0.with_mut(|value| unsafe { *value = 1 }));
        core.submit(job).unwrap();
        staff(&core);
        core.wait_quiescent(Deadline::NEVER).unwrap();
        // SAFETY: the only job that writes has finished.
        assert_eq!(cell.0.with(|value| unsafe { *value }), 1);
        drain(&core);
    });
}

/// Race: the job that a thread waits for is cancelled before a worker claims it.
#[test]
fn a_cancelled_job_is_not_waited_for() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        let id = core.submit(tally.empty_job()).unwrap();
        staff(&core);
        let canceller = with(&core, move |core| core.cancel(id));
        core.wait_quiescent(Deadline::NEVER).unwrap();
        assert_eq!(tally.run() + tally.cancelled(), 1);
        assert_eq!(canceller.join().unwrap(), tally.cancelled() == 1);
        drain(&core);
    });
}
