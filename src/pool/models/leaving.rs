//! Models of workers that leave an open pool.

use super::{Tally, counted, drain, settings, with, work};
use crate::pool::{Core, Route, Settings, Worker};
use crate::sync::Deadline;
use crate::sys::model::check;
use std::sync::Arc;
use std::time::Duration;

fn pool(idle_timeout: Option<Duration>, jobs_per_worker: Option<u64>) -> Arc<Core> {
    Core::new(Settings { idle_timeout, jobs_per_worker, ..settings(1) })
}

/// Race: a job is submitted while the only worker gives up waiting for one.
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

/// Race: a job is submitted while the only worker leaves after its last one.
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

/// Race: the last two jobs of a closed pool end at the same time, and each is its worker's last. A third worker sleeps,
/// and must be woken at the end.
#[test]
fn worn_out_workers_wake_a_sleeper_at_the_end() {
    check(2, || {
        let (core, tally) = (Core::new(Settings { jobs_per_worker: Some(1), ..settings(3) }), Tally::new());
        let core = counted(core, 3);
        core.submit_routed(tally.empty_job(), Route::First).unwrap();
        core.submit_routed(tally.empty_job(), Route::First).unwrap();
        core.close();
        let woken = core.crew.park(
            2,
            false,
            false,
            || false,
            |sleeper| {
                let workers = [0, 1].map(|number| with(&core, move |core| work(core, number, Worker::run)));
                workers.into_iter().for_each(|worker| worker.join().unwrap());
                sleeper.park_until(Deadline::NOW)
            },
        );
        assert!(woken && core.is_over());
    });
}
