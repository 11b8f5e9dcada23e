//! Models of jobs that block, and of the workers that come meanwhile.

use super::{Tally, drain, settings};
use crate::pool::{Core, Settings, blocking};
use crate::sync::Deadline;
use crate::sys::model::check;
use std::sync::Arc;

/// A pool of one worker, and of two while one blocks.
fn pool() -> Arc<Core> {
    Core::new(Settings { extra_workers: 1, ..settings(1) })
}

/// A job that blocks until one of the others has run.
fn blocking_job(tally: &Arc<Tally>) -> crate::pool::Job {
    let inner = Arc::clone(tally);
    tally.job(move |_| {
        blocking::run(|| {
            let ran = || (inner.run() > 0).then_some(());
            inner.changed.wait_until(Deadline::NEVER, ran).expect("never has not come yet");
        });
    })
}

/// Race: the next job comes while the only worker begins to block.
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

/// Race: a job comes while one of the two workers must give way to the other, whose job does not block any more.
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
