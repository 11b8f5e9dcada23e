//! C handles that lie, leak or hang.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, LIMIT_NS, RESULT, SUBMIT_OPTIONS, c, callback, job, text, value, waiting};
use common::{Gate, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::thread;

/// A handle that is released when it is dropped.
struct CJob(*mut ftpool_job);

// SAFETY: the header says so: any thread may call.
unsafe impl Send for CJob {}
// SAFETY: as above.
unsafe impl Sync for CJob {}

impl CJob {
    fn submit<F: Fn() -> usize + Sync>(pool: &CPool<'_>, closure: &F) -> Self {
        let ((function, argument), mut handle) = (job(closure), null_mut());
        assert_eq!(c!(ftpool_submit_job(pool.handle(), function, argument, &mut handle)), FTPOOL_OK);
        assert!(!handle.is_null());
        Self(handle)
    }

    fn wait(&self, timeout_ns: i64) -> Result<ftpool_result, ftpool_status> {
        let mut result = RESULT;
        match c!(ftpool_job_wait(self.0, timeout_ns, &mut result)) {
            FTPOOL_OK => Ok(result),
            status => Err(status),
        }
    }

    /// The caller must release it.
    fn into_handle(self) -> *mut ftpool_job {
        std::mem::ManuallyDrop::new(self).0
    }

    fn state(&self) -> u32 {
        c!(ftpool_job_state(self.0))
    }
}

impl Drop for CJob {
    fn drop(&mut self) {
        c!(ftpool_job_release(self.0));
    }
}

fn wait_jobs(jobs: &[&CJob], until: u32, timeout_ns: i64) -> (ftpool_status, usize) {
    let (handles, mut done): (Vec<_>, _) = (jobs.iter().map(|job| job.0).collect(), usize::MAX);
    let status = c!(ftpool_wait_jobs(handles.as_ptr(), handles.len(), until, timeout_ns, &mut done));
    (status, done)
}

/// Conformance 98, 109: an outcome can be read any number of times, by several threads.
#[test]
fn a_result_can_be_read_again() {
    within_limit(|| {
        let gate = Gate::new();
        let door = gate.door();
        let waiting = || {
            door.pass();
            5
        };
        let failing = || {
            c!(ftpool_fail(6, c"no luck".as_ptr()));
            5
        };
        let pool = CPool::of(1);
        let (first, second) = (CJob::submit(&pool, &waiting), CJob::submit(&pool, &failing));
        gate.wait_started(1);
        assert_eq!((first.state(), second.state()), (FTPOOL_JOB_RUNNING, FTPOOL_JOB_QUEUED));
        assert_eq!(first.wait(FTPOOL_NOW).unwrap_err(), FTPOOL_TIMEOUT);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(first.wait(LIMIT_NS).unwrap().value, value(5)));
            }
            gate.open();
        });
        for _ in 0..2 {
            let result = second.wait(FTPOOL_FOREVER).unwrap();
            assert_eq!((result.outcome, result.error_code), (FTPOOL_OUTCOME_FAILED, 6));
            assert_eq!((result.id, text(result.error_message)), (c!(ftpool_job_get_id(second.0)), "no luck".into()));
        }
        assert_eq!((first.state(), second.state()), (FTPOOL_JOB_DONE, FTPOOL_JOB_FAILED));
        assert_eq!(c!(ftpool_job_wait(first.0, FTPOOL_NOW, null_mut())), FTPOOL_OK);
        drop(pool);
        assert_eq!(first.wait(FTPOOL_NOW).unwrap().value, value(5), "after the pool is gone");
    });
}

/// Conformance 113.
#[test]
fn a_cancelled_job_wakes_its_waiters() {
    within_limit(|| {
        let (gate, never) = (Gate::new(), || unreachable!("it was cancelled"));
        let door = gate.door();
        let stopped = || {
            door.pass();
            ftpool_self_cancelled() as usize
        };
        let pool = CPool::of(1);
        let (running, queued) = (CJob::submit(&pool, &stopped), CJob::submit(&pool, &never));
        gate.wait_started(1);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| queued.wait(FTPOOL_FOREVER).unwrap().outcome);
            assert_eq!(c!(ftpool_job_cancel(queued.0)), FTPOOL_OK);
            assert_eq!(waiter.join().unwrap(), FTPOOL_OUTCOME_CANCELLED);
        });
        assert_eq!((c!(ftpool_job_cancel(queued.0)), queued.state()), (FTPOOL_OK, FTPOOL_JOB_CANCELLED));
        assert_eq!(c!(ftpool_job_cancel(running.0)), FTPOOL_EMPTY);
        gate.open();
        assert_eq!(running.wait(LIMIT_NS).unwrap().value, value(1), "it was asked to stop");
        assert_eq!(ftpool_self_cancelled(), 0);
    });
}

/// Conformance 55, 109: done, failed, cancelled and expired.
#[test]
fn an_outcome_says_which_argument_its_job_had() {
    within_limit(|| {
        let (gate, four, fails) = (Gate::new(), || 4, || c!(ftpool_fail(6, null())) as usize);
        let (block, shown) = (waiting(&gate), Mutex::new(Vec::new()));
        let show = |result: &ftpool_result| {
            lock(&shown).push((result.outcome, result.arg.addr()));
            0
        };
        let ((on_done, context), pool) = (callback(&show), CPool::of(1));
        let submit = |(function, argument), start_within_ns| {
            let options = ftpool_submit_options { flags: FTPOOL_SUBMIT_RETURN_ARG, start_within_ns, ..SUBMIT_OPTIONS };
            let mut handle = null_mut();
            let status = c!(ftpool_submit_job_with(pool.handle(), function, argument, &options, &mut handle));
            assert_eq!((status, c!(ftpool_job_on_done(handle, on_done, context, null_mut()))), (FTPOOL_OK, FTPOOL_OK));
            (CJob(handle), argument)
        };
        let (done, failed) = (submit(job(&four), 0), submit(job(&fails), 0));
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let blocker = CJob::submit(&pool, &block);
        gate.wait_started(1);
        let (cancelled, expired) = (submit(job(&four), 0), submit(job(&four), 1));
        assert_eq!(c!(ftpool_job_cancel(cancelled.0.0)), FTPOOL_OK);
        let outcomes = [FTPOOL_OUTCOME_DONE, FTPOOL_OUTCOME_FAILED, FTPOOL_OUTCOME_CANCELLED, FTPOOL_OUTCOME_EXPIRED];
        let expected =
            outcomes.into_iter().zip([done, failed, cancelled, expired]).map(|(outcome, (job, argument))| {
                let result = job.wait(LIMIT_NS).unwrap();
                assert_eq!((result.outcome, result.arg), (outcome, argument));
                (outcome, argument.addr())
            });
        let mut expected: Vec<_> = expected.collect();
        let mut shown = lock(&shown).clone();
        expected.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, expected);
        gate.open();
        assert_eq!(blocker.wait(LIMIT_NS).unwrap().arg, null_mut(), "it was not asked for");
    });
}

/// Conformance 114, 119.
#[test]
fn many_jobs_are_waited_for_at_once() {
    within_limit(|| {
        let gate = Gate::new();
        let door = gate.door();
        let waiting = || {
            door.pass();
            1
        };
        let (quick, failing) = (|| 2, || c!(ftpool_fail(1, null())) as usize);
        let pool = CPool::of(2);
        let jobs = [CJob::submit(&pool, &waiting), CJob::submit(&pool, &quick), CJob::submit(&pool, &failing)];
        let jobs = [&jobs[0], &jobs[1], &jobs[2], &jobs[1]];
        assert_eq!(wait_jobs(&jobs[1..3], FTPOOL_UNTIL_ALL, LIMIT_NS), (FTPOOL_OK, 2));
        assert_eq!(wait_jobs(&jobs, FTPOOL_UNTIL_ALL, 1), (FTPOOL_TIMEOUT, 3));
        assert_eq!(wait_jobs(&jobs, FTPOOL_UNTIL_FIRST, LIMIT_NS), (FTPOOL_OK, 3));
        assert_eq!(wait_jobs(&jobs, FTPOOL_UNTIL_FIRST_FAILED, LIMIT_NS), (FTPOOL_OK, 3));
        gate.open();
        assert_eq!(wait_jobs(&jobs, FTPOOL_UNTIL_ALL, LIMIT_NS), (FTPOOL_OK, 4));
        assert_eq!(wait_jobs(&[], FTPOOL_UNTIL_FIRST, FTPOOL_FOREVER), (FTPOOL_OK, 0));
    });
}

/// Conformance 119: a job of a pool of one that waits for its child.
#[test]
fn a_job_waits_for_a_job_of_its_pool() {
    within_limit(|| {
        let child = || 4;
        let pool = CPool::of(1);
        let parent = || {
            let child = CJob::submit(&pool, &child);
            child.wait(FTPOOL_FOREVER).unwrap().value.addr() + 1
        };
        // The pool is freed after the job: a reference to it is safe in the job.
        let ((function, argument), mut handle) = (job(&parent), null_mut());
        assert_eq!(c!(ftpool_submit_job(pool.handle(), function, argument, &mut handle)), FTPOOL_OK);
        assert_eq!(CJob(handle).wait(LIMIT_NS).unwrap().value, value(5));
    });
}

static HEARD: Mutex<Vec<(usize, u32, usize)>> = Mutex::new(Vec::new());

extern "C" fn hear(context: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: the library passes a result that lives during the call.
    let result = unsafe { &*result };
    HEARD.lock().unwrap().push((context.addr(), result.outcome, result.value.addr()));
    0
}

/// Conformance 109.
#[test]
fn callbacks_hear_of_a_result() {
    within_limit(|| {
        let gate = Gate::new();
        let door = gate.door();
        let waiting = || {
            door.pass();
            8
        };
        let pool = CPool::of(1);
        let job = CJob::submit(&pool, &waiting);
        let (mut key, mut removed) = (0, 0);
        assert_eq!(c!(ftpool_job_on_done(job.0, Some(hear), value(1), &mut key)), FTPOOL_OK);
        assert_eq!(c!(ftpool_job_on_done(job.0, Some(hear), value(2), &mut removed)), FTPOOL_OK);
        assert_eq!(c!(ftpool_job_on_done(job.0, None, value(2), null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_job_remove_callback(job.0, removed)), FTPOOL_OK);
        assert_eq!(c!(ftpool_job_remove_callback(job.0, removed)), FTPOOL_EMPTY);
        gate.open();
        job.wait(LIMIT_NS).unwrap();
        assert_eq!(c!(ftpool_job_remove_callback(job.0, key)), FTPOOL_EMPTY);
        assert_eq!(c!(ftpool_job_on_done(job.0, Some(hear), value(3), null_mut())), FTPOOL_OK);
        assert_eq!(*HEARD.lock().unwrap(), [(1, FTPOOL_OUTCOME_DONE, 8), (3, FTPOOL_OUTCOME_DONE, 8)]);
    });
}

/// What the header says about a result's times, for every way to read it.
#[test]
fn a_callback_of_a_handle_is_shown_how_long_the_job_took() {
    within_limit(|| {
        let heard = Mutex::new(Vec::new());
        let shown = |result: &ftpool_result| {
            heard.lock().unwrap().push((result.queued_ns, result.run_ns));
            0
        };
        let (gate, (call, context)) = (Gate::new(), callback(&shown));
        let slow = waiting(&gate);
        let pool = CPool::new(&ftpool_config { workers: 1, timing: 1, ..CONFIG }).unwrap();
        let job = CJob::submit(&pool, &slow);
        assert_eq!(c!(ftpool_job_on_done(job.0, call, context, null_mut())), FTPOOL_OK);
        gate.open();
        let read = job.wait(LIMIT_NS).unwrap();
        assert_eq!(c!(ftpool_job_on_done(job.0, call, context, null_mut())), FTPOOL_OK, "after its end");
        assert!(read.queued_ns > 0 && read.run_ns > 0);
        assert_eq!(*heard.lock().unwrap(), [(read.queued_ns, read.run_ns); 2]);
    });
}

/// Conformance 109: a handle that was not joined in time is still there.
#[test]
fn a_join_ends_the_handle_only_if_the_job_has_ended() {
    within_limit(|| {
        let gate = Gate::new();
        let door = gate.door();
        let waiting = || {
            door.pass();
            9
        };
        let pool = CPool::of(1);
        let (handle, mut result) = (CJob::submit(&pool, &waiting).into_handle(), RESULT);
        assert_eq!(c!(ftpool_job_join(handle, FTPOOL_NOW, &mut result)), FTPOOL_TIMEOUT);
        assert_eq!(c!(ftpool_job_join(handle, -2, &mut result)), FTPOOL_E_INVALID);
        gate.open();
        assert_eq!(c!(ftpool_job_join(handle, FTPOOL_FOREVER, &mut result)), FTPOOL_OK);
        assert_eq!((result.outcome, result.value), (FTPOOL_OUTCOME_DONE, value(9)));
        let quick = || 1;
        let handle = CJob::submit(&pool, &quick).into_handle();
        assert_eq!(c!(ftpool_job_join(handle, LIMIT_NS, null_mut())), FTPOOL_OK);
        assert_eq!(c!(ftpool_job_join(null_mut(), FTPOOL_NOW, null_mut())), FTPOOL_E_INVALID);
    });
}

/// Reliability R6.
#[test]
fn bad_arguments_get_a_status() {
    within_limit(|| {
        let quick = || 1;
        let pool = CPool::of(1);
        let (function, argument) = job(&quick);
        let mut handle = std::ptr::dangling_mut();
        assert_eq!(c!(ftpool_submit_job(null_mut(), function, argument, &mut handle)), FTPOOL_E_INVALID);
        assert!(handle.is_null());
        assert_eq!(c!(ftpool_submit_job(pool.handle(), None, argument, &mut handle)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_submit_job(pool.handle(), function, argument, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_submit_job_first(pool.handle(), None, argument, &mut handle)), FTPOOL_E_INVALID);
        let none = null_mut();
        let refused = [
            c!(ftpool_job_wait(none, FTPOOL_NOW, null_mut())),
            c!(ftpool_job_cancel(none)),
            c!(ftpool_job_on_done(none, Some(hear), none.cast(), null_mut())),
            c!(ftpool_job_remove_callback(none, 1)),
            c!(ftpool_wait_jobs(null(), 1, FTPOOL_UNTIL_ALL, FTPOOL_NOW, null_mut())),
            c!(ftpool_wait_jobs(&none, 1, FTPOOL_UNTIL_ALL, FTPOOL_NOW, null_mut())),
        ];
        assert_eq!(refused, [FTPOOL_E_INVALID; 6]);
        assert_eq!((c!(ftpool_job_state(none)), c!(ftpool_job_get_id(none))), (FTPOOL_JOB_CANCELLED, 0));
        c!(ftpool_job_release(none));
        let job = CJob::submit(&pool, &quick);
        let mut small = ftpool_result { size: 8, ..RESULT };
        assert_eq!(c!(ftpool_job_wait(job.0, FTPOOL_FOREVER, &mut small)), FTPOOL_E_INVALID);
        assert_eq!(job.wait(-2).unwrap_err(), FTPOOL_E_INVALID);
        assert_eq!(wait_jobs(&[&job], 3, FTPOOL_FOREVER), (FTPOOL_E_INVALID, usize::MAX));
        assert_eq!(wait_jobs(&[&job], FTPOOL_UNTIL_ALL, -2), (FTPOOL_E_INVALID, usize::MAX));
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, LIMIT_NS), FTPOOL_OK);
        let mut handle = std::ptr::dangling_mut();
        assert_eq!(c!(ftpool_submit_job(pool.handle(), function, argument, &mut handle)), FTPOOL_E_SHUTDOWN);
        assert!(handle.is_null());
    });
}

/// Conformance 115, 120: handles come back as their jobs end, those that have ended first, and jobs join on the way.
#[test]
fn handles_come_back_as_their_jobs_end() {
    within_limit(|| {
        let gates = [Gate::new(), Gate::new()];
        let doors = gates.each_ref().map(Gate::door);
        let waiting = doors.each_ref().map(|door| {
            move || {
                door.pass();
                1
            }
        });
        let quick = || 2;
        let pool = CPool::of(3);
        let (mut completed, mut next) = (null_mut(), std::ptr::dangling_mut());
        assert_eq!(c!(ftpool_completed_new(&mut completed)), FTPOOL_OK);
        assert_eq!((c!(ftpool_completed_next(completed, FTPOOL_NOW, &mut next)), next), (FTPOOL_EMPTY, null_mut()));
        let submit = |job: &CJob| c!(ftpool_completed_add(completed, job.0));
        let [first, second] = waiting.each_ref().map(|job| ManuallyDrop::new(CJob::submit(&pool, job)));
        let ended = ManuallyDrop::new(CJob::submit(&pool, &quick));
        ended.wait(LIMIT_NS).unwrap();
        assert_eq!([submit(&first), submit(&second), submit(&ended)], [FTPOOL_OK; 3]);
        let mut come = |timeout_ns| {
            let status = c!(ftpool_completed_next(completed, timeout_ns, &mut next));
            (status, next)
        };
        assert_eq!(come(LIMIT_NS), (FTPOOL_OK, ended.0));
        assert_eq!(come(1), (FTPOOL_TIMEOUT, null_mut()));
        assert_eq!(come(-2), (FTPOOL_E_INVALID, null_mut()));
        gates[1].open();
        assert_eq!(come(FTPOOL_FOREVER), (FTPOOL_OK, second.0));
        assert_eq!(submit(&second), FTPOOL_OK, "it may come in again");
        assert_eq!(come(FTPOOL_NOW), (FTPOOL_OK, second.0));
        gates[0].open();
        assert_eq!(come(LIMIT_NS), (FTPOOL_OK, first.0));
        assert_eq!(come(FTPOOL_FOREVER), (FTPOOL_EMPTY, null_mut()));
        drop([first, second, ended].map(ManuallyDrop::into_inner));

        let many: Vec<_> = (0..2000).map(|_| ManuallyDrop::new(CJob::submit(&pool, &quick))).collect();
        assert!(many.iter().all(|job| submit(job) == FTPOOL_OK));
        let mut ids = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let (status, job) = come(LIMIT_NS);
            assert_eq!(status, FTPOOL_OK);
            ids.insert(CJob(job).wait(FTPOOL_NOW).unwrap().id);
        }
        assert_eq!(ids.len(), 1000);
        assert_eq!(c!(ftpool_completed_add(completed, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_completed_next(completed, FTPOOL_NOW, null_mut())), FTPOOL_E_INVALID);
        c!(ftpool_completed_free(completed)); // With the rest of them.
        assert_eq!(c!(ftpool_completed_new(null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_completed_add(null_mut(), null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_completed_next(null_mut(), FTPOOL_NOW, &mut next)), FTPOOL_E_INVALID);
        c!(ftpool_completed_free(null_mut()));
    });
}
