//! Models of jobs that block, and of the workers that replace theirs.

use super::{Tally, drain, settings};
use crate::pool::{Core, Settings, blocking};
use crate::sync::Deadline;
use crate::sys::model::check;
use std::sync::Arc;

/// A pool with one worker, and with two while one blocks.
fn pool() -> Arc<Core> {
    Core::new(Settings { extra_workers: 1, ..settings(1) })
}

/// A job that blocks until another one has run.
fn blocking_job(tally: &Arc<Tally>) -> crate::pool::Job {
    let inner = Arc::clone(tally);
    tally.job(move |_| blocking::run(|| inner.wait_until_one_ran()))
}

/// Race: the next job is submitted while the only worker begins to block.
#[test]
fn a_job_that_blocks_does_not_hold_the_next_one_up() {
    check(1, || {
        let (core, tally) = (pool(), Tally::new());
        core.submit(blocking_job(&tally)).unwrap();
        core.submit(tally.empty_job()).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}

/// Race: a job is submitted while one of two workers begins to stand by, because the other's job has stopped blocking.
#[test]
fn a_worker_that_stands_by_leaves_no_job_behind() {
    check(1, || {
        let (core, tally) = (pool(), Tally::new());
        core.submit(blocking_job(&tally)).unwrap();
        core.submit(tally.empty_job()).unwrap();
        core.wait_quiescent(Deadline::NEVER).unwrap();
        core.submit(tally.empty_job()).unwrap();
        core.wait_quiescent(Deadline::NEVER).unwrap();
        assert_eq!(tally.run(), 3);
        drain(&core);
    });
}
