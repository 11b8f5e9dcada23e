//! Models of groups.

use super::{Tally, drain, pool, staff, staffed, with};
use crate::pool::{Priority, Route};
use crate::sync::Deadline;
use crate::sys::model::check;

/// Race: a job of a group is submitted while the worker ends the group's last one and goes to sleep.
#[test]
fn a_worker_does_not_sleep_beside_a_group_with_a_job() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        let group = core.new_group(1, Priority::Normal);
        core.submit_routed(tally.empty_job(), Route::Group(&group, false)).unwrap();
        staff(&core);
        core.submit_routed(tally.empty_job(), Route::Group(&group, false)).unwrap();
        // Closing the pool would wake the worker.
        core.wait_quiescent(Deadline::NEVER).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}

/// Race: a job is submitted to a group at its limit while the running job's token is given back.
#[test]
fn a_token_given_back_is_used() {
    check(1, || {
        let (core, tally) = (pool(1), Tally::new());
        let group = core.new_group(1, Priority::High);
        let (job, same) = (tally.empty_job(), std::sync::Arc::clone(&group));
        core.submit_routed(tally.empty_job(), Route::Group(&group, false)).unwrap();
        let submitter = with(&core, move |core| core.submit_routed(job, Route::Group(&same, false)).map(drop).unwrap());
        submitter.join().unwrap();
        drain(&core);
        assert_eq!((tally.run(), core.pending_in(&group)), (2, 0));
    });
}

/// Race: somebody waits for a group while its last job is cancelled by its id, or with the whole pool.
#[test]
fn a_group_rests_when_a_cancelled_job_has_ended() {
    for by_id in [true, false] {
        check(2, move || {
            let (core, tally) = (staffed(1), Tally::new());
            let group = core.new_group(1, Priority::Normal);
            let id = core.submit_routed(tally.empty_job(), Route::Group(&group, false)).unwrap();
            let canceller =
                with(&core, move |core| if by_id { usize::from(core.cancel(id)) } else { core.cancel_all() });
            assert_eq!(core.wait_group(&group, Deadline::NEVER), Ok(()));
            assert_eq!(tally.cancelled(), 1);
            assert_eq!((canceller.join().unwrap(), core.pending_in(&group)), (1, 0));
        });
    }
}
