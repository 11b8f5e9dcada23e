//! Models of workers that leave while there is a pool.

use super::{Tally, drain};
use crate::pool::{Core, Curiosity, Hooks, Settings};
use crate::sync::Deadline;
use crate::sys::clock::Clock;
use crate::sys::model::check;
use std::sync::Arc;
use std::time::Duration;

fn pool(idle_timeout: Option<Duration>, jobs_per_worker: Option<u64>) -> Arc<Core> {
    let prefix = String::new();
    Core::new(Settings {
        workers: 1,
        prefix,
        stack_size: None,
        ordered: false,
        timing: false,
        idle_timeout,
        jobs_per_worker,
        hooks: Hooks::default(),
        curiosity: Curiosity::Payload,
        limits: None,
        permanent: false,
        clock: Clock::system(),
    })
}

/// Race: a job comes while the only worker gives up waiting for one.
#[test]
fn a_worker_that_leaves_leaves_no_job_behind() {
    check(2, || {
        let (core, tally) = (pool(Some(Duration::ZERO), None), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        core.wait_quiescent(Deadline::NEVER).unwrap();
        core.submit(tally.empty_job()).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}

/// Race: a job comes while the only worker leaves after its last one.
#[test]
fn a_worn_out_worker_is_replaced() {
    check(2, || {
        let (core, tally) = (pool(None, Some(1)), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        core.submit(tally.empty_job()).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}
