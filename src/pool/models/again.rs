//! Models of pools that are reopened, and of pools that break.

use super::{Tally, drain, pool, staff, staffed, with};
use crate::pool::{HookError, Refusal, WaitError};
use crate::sync::Deadline;
use crate::sys::model::check;

/// Race: a job is submitted while a pool that has ended is reopened; it is refused or run.
#[test]
fn what_is_accepted_while_the_pool_opens_is_run() {
    check(2, || {
        let (core, tally) = (pool(1), Tally::new());
        drain(&core);
        let job = tally.empty_job();
        let submitter = with(&core, |core| usize::from(core.submit(job).is_ok()));
        core.reopen(Deadline::NEVER).unwrap();
        let accepted = submitter.join().unwrap();
        drain(&core);
        assert_eq!((tally.run(), core.alive()), (accepted, 0));
    });
}

/// Race: a thread waits for the pool's end, but another one reopens the pool, and a new worker is alive when the first
/// one checks.
#[test]
fn a_pool_that_is_opened_again_keeps_nobody_waiting_for_its_end() {
    check(1, || {
        let (core, tally) = (staffed(1), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        staff(&core);
        core.close();
        let waiter = with(&core, |core| core.drain(Deadline::NEVER));
        core.reopen(Deadline::NEVER).unwrap();
        let again = usize::from(core.submit(tally.empty_job()).is_ok());
        assert_eq!(waiter.join().unwrap(), Ok(()));
        drain(&core);
        assert_eq!((tally.run(), core.alive()), (1 + again, 0));
    });
}

/// Race: a pool is closed again while it is reopened; it ends up closed and sealed, or neither.
#[test]
fn closing_and_opening_do_not_mix() {
    check(3, || {
        let (core, tally) = (pool(1), Tally::new());
        core.close();
        let closer = with(&core, |core| core.close());
        core.reopen(Deadline::NEVER).unwrap();
        let life = closer.join().unwrap();
        let now = core.crew.census.read();
        assert_eq!(now.is_closed(), now.is_sealed());
        assert_eq!(now.is_closed(), life == 1, "closed in the life before, or in the new one");
        assert_eq!(core.submit(tally.empty_job()).is_ok(), !now.is_closed());
        drain(&core);
        assert_eq!(tally.run(), usize::from(!now.is_closed()));
    });
}

/// Race: a hook breaks the pool while a job is submitted; the job is refused, cancelled, or run by a worker that was
/// faster.
#[test]
fn what_is_accepted_while_the_pool_breaks_is_accounted_for() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        staff(&core);
        let job = tally.empty_job();
        let submitter = with(&core, |core| match core.submit(job) {
            Ok(_) => 1,
            Err(rejected) => {
                assert!(matches!(rejected.why, Refusal::Broken(_)));
                0
            }
        });
        core.break_pool(HookError::new(String::new()));
        let accepted = submitter.join().unwrap();
        assert_eq!(core.drain(Deadline::NEVER), Ok(()));
        assert_eq!(tally.run() + tally.cancelled(), accepted);
        assert_eq!(core.reopen(Deadline::NEVER), Err(WaitError::Broken));
    });
}

/// Race: a pool is cleared while a worker takes the queued job.
#[test]
fn a_cleared_job_is_run_or_cancelled_and_the_pool_goes_on() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        staff(&core);
        let cleared = core.clear(Deadline::NEVER).unwrap();
        core.submit(tally.empty_job()).unwrap();
        drain(&core);
        assert_eq!((tally.run(), tally.cancelled()), (2 - cleared, cleared));
    });
}
