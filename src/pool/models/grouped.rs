//! Models of groups.

use super::{Tally, drain, pool, staff, staffed, with};
use crate::pool::Level;
use crate::sync::Deadline;
use crate::sys::model::check;

/// Race: a job of a group is submitted while the worker ends the group's last one and goes to sleep.
#[test]
fn a_worker_does_not_sleep_beside_a_group_with_a_job() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        let group = core.new_group(1, Level::Normal);
        core.submit_grouped(&group, tally.empty_job(), false).unwrap();
        staff(&core);
        core.submit_grouped(&group, tally.empty_job(), false).unwrap();
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
        let group = core.new_group(1, Level::High);
        let (job, same) = (tally.empty_job(), std::sync::Arc::clone(&group));
        core.submit_grouped(&group, tally.empty_job(), false).unwrap();
        let submitter = with(&core, move |core| core.submit_grouped(&same, job, false).map(drop).unwrap());
        submitter.join().unwrap();
        drain(&core);
        assert_eq!((tally.run(), core.pending_in(&group)), (2, 0));
    });
}
