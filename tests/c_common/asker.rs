//! The calls that make no objects: they read, wait, query, cancel, and run loops.

use crate::c_common::{RESULT, c};
use crate::caller::World;
use crate::inputs::*;
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;

const WAIT: [ftpool_status; 2] = [FTPOOL_OK, FTPOOL_TIMEOUT];
const READ: [ftpool_status; 4] = [FTPOOL_OK, FTPOOL_TIMEOUT, FTPOOL_EMPTY, FTPOOL_E_BUSY];
const LOOP: [ftpool_status; 2] = [FTPOOL_OK, FTPOOL_E_JOB];
const OPEN: [ftpool_status; 3] = [FTPOOL_OK, FTPOOL_TIMEOUT, FTPOOL_E_BROKEN];

impl World {
    pub(crate) fn timers(&mut self) {
        let (pool, id, delay, mut ids) = (self.pool(), self.id(), self.inputs.delay(), [0; 4]);
        let (clock, capacity) = (self.inputs.any(&self.clocks), self.inputs.below(5));
        let (mut count, mut due) = (0, 0);
        let (counted, null) = (self.inputs.place(&mut count), pool.is_null());
        let found = [FTPOOL_OK, FTPOOL_EMPTY];
        match self.inputs.below(8) {
            0 => _ = answer(c!(ftpool_reschedule(pool, id, delay)), null || delay < 0, &found),
            1 => _ = answer(c!(ftpool_timer_next_due(pool, id, &mut due)), null, &found),
            2 => _ = answer(c!(ftpool_cancel_all(pool, FTPOOL_CANCEL_TIMERS, counted)), null, &[FTPOOL_OK]),
            3 => {
                let status = c!(ftpool_delayed_ids(pool, capacity, ids.as_mut_ptr(), counted));
                answer(status, null || counted.is_null(), &[FTPOOL_OK]);
                assert!(c!(ftpool_delayed_count(pool)) <= 60);
            }
            4 => {
                let status = c!(ftpool_scheduled_ids(pool, capacity, ids.as_mut_ptr(), counted));
                answer(status, null || counted.is_null(), &[FTPOOL_OK]);
                assert!(c!(ftpool_scheduled_count(pool)) <= 60);
            }
            5 => assert_eq!(c!(ftpool_self_tick(&mut 0, &mut 0)), FTPOOL_E_INVALID, "outside a job"),
            6 => {
                _ = answer(c!(ftpool_clock_advance(clock, delay.min(1_000_000))), clock.is_null() || delay < 0, &found)
            }
            _ => {
                answer(c!(ftpool_clock_set_wall(clock, delay)), clock.is_null() || delay < 0, &[FTPOOL_OK]);
                assert!(c!(ftpool_clock_elapsed(clock)) >= 0);
            }
        }
    }

    pub(crate) fn read(&mut self) {
        let (results, timeout) = (self.inputs.any(&self.results), self.inputs.timeout());
        let mut seen = [RESULT; 4];
        seen[0].size = self.inputs.size(size_of::<ftpool_result>()).min(size_of_val(&seen));
        // The size field of the first entry is the distance between entries.
        let capacity = if seen[0].size == size_of::<ftpool_result>() { self.inputs.below(5) } else { 1 };
        let (mut count, mut fd, null) = (0, 0, results.is_null());
        let place = if self.inputs.one_in(8) { null_mut() } else { seen.as_mut_ptr() };
        let status = match self.inputs.below(7) {
            5 => c!(ftpool_results_next_callback_failure(results, place)),
            0 => c!(ftpool_results_next(results, timeout, place)),
            1 => c!(ftpool_results_next_done(results, timeout, place)),
            2 => c!(ftpool_results_next_failed(results, timeout, place)),
            3 => c!(ftpool_results_take(results, capacity, place, self.inputs.place(&mut count))),
            4 => c!(ftpool_results_fd(results, self.inputs.place(&mut fd))),
            _ => {
                let counts = [c!(ftpool_results_done_count(results)), c!(ftpool_results_failed_count(results))];
                return assert!(!null || counts == [0, 0]);
            }
        };
        answer(status, null, &[&READ[..], &[FTPOOL_E_UNSUPPORTED]].concat());
        assert!(count <= capacity);
    }

    pub(crate) fn handle(&mut self) {
        let (at, timeout, mut seen, mut done) = (self.inputs.below(4), self.inputs.timeout(), RESULT, 0);
        let (job, mut key) = (self.jobs[at], self.inputs.0.number());
        seen.size = self.inputs.size(seen.size).min(seen.size);
        let null = job.is_null();
        match self.inputs.below(9) {
            7 => self.completed(at, timeout),
            8 => {
                let status = c!(ftpool_job_join(job, timeout, self.inputs.place(&mut seen)));
                if answer(status, null, &WAIT) == FTPOOL_OK {
                    self.jobs[at] = null_mut();
                }
            }
            0 => _ = answer(c!(ftpool_job_wait(job, timeout, self.inputs.place(&mut seen))), null, &WAIT),
            1 => _ = answer(c!(ftpool_job_cancel(job)), null, &[FTPOOL_OK, FTPOOL_EMPTY]),
            2 => assert!(c!(ftpool_job_state(job)) <= FTPOOL_JOB_CANCELLED),
            3 => assert_eq!(c!(ftpool_job_get_id(job)) == 0, null),
            4 => {
                PROMISED.fetch_add(1, SeqCst);
                let status = c!(ftpool_job_on_done(job, Some(tell), null_mut(), &mut key));
                let refused = answer(status, null, &[FTPOOL_OK]) != FTPOOL_OK;
                if refused || self.inputs.one_in(2) && c!(ftpool_job_remove_callback(job, key)) == FTPOOL_OK {
                    PROMISED.fetch_sub(1, SeqCst);
                }
            }
            5 => _ = answer(c!(ftpool_job_remove_callback(job, key)), null, &[FTPOOL_EMPTY]),
            _ => {
                let (count, until) = (self.inputs.below(5), self.inputs.any(&[0, 1, 2, 3, u32::MAX]));
                let missing = self.jobs[..count].contains(&null_mut());
                let status = c!(ftpool_wait_jobs(self.jobs.as_ptr(), count, until, timeout, &mut done));
                answer(status, missing || until > 2, &WAIT);
                assert!(done <= count);
            }
        }
    }

    /// The handle comes back, or ends with the object.
    fn completed(&mut self, at: usize, timeout: i64) {
        let (mut completed, job) = (null_mut(), std::mem::replace(&mut self.jobs[at], null_mut()));
        assert_eq!(c!(ftpool_completed_new(&mut completed)), FTPOOL_OK);
        let null = answer(c!(ftpool_completed_add(completed, job)), job.is_null(), &[FTPOOL_OK]) != FTPOOL_OK;
        let found = if null { [FTPOOL_EMPTY; 2] } else { WAIT };
        answer(c!(ftpool_completed_next(completed, timeout, &mut self.jobs[at])), false, &found);
        c!(ftpool_completed_free(completed));
    }

    pub(crate) fn parallel(&mut self) {
        let (pool, mut sum, mut values) = (self.pool(), 0_u64, [null_mut(); 4]);
        let (begin, end) = (self.inputs.below(40), self.inputs.below(40));
        let (grain, none) = (self.inputs.any(&[0, 1, 7, usize::MAX]), self.inputs.one_in(8));
        let (function, argument) = self.inputs.job();
        let (arguments, null) = ([argument; 4], pool.is_null());
        let context = null_mut();
        let wrong = null || none || begin > end;
        let status = match self.inputs.below(5) {
            0 => c!(ftpool_for(pool, begin, end, grain, (!none).then_some(step as _), context)),
            1 => c!(ftpool_for_range(pool, begin, end, grain, (!none).then_some(range as _), context)),
            2 => {
                let (body, place) = ((!none).then_some(add as _), (&raw mut sum).cast());
                let status = c!(ftpool_reduce(pool, begin, end, grain, body, Some(combine), context, 8, place));
                assert!(status != FTPOOL_OK || sum == (begin..end).sum::<usize>() as u64);
                status
            }
            3 => {
                let status = c!(ftpool_map(pool, function, arguments.as_ptr(), 4, values.as_mut_ptr()));
                answer(status, null || function.is_none(), &LOOP);
                return;
            }
            _ => {
                let status =
                    c!(ftpool_join(pool, function, argument, Some(work), argument, null_mut(), &mut values[0]));
                answer(status, null || function.is_none(), &LOOP);
                return;
            }
        };
        answer(status, wrong, &LOOP);
        let mut result = RESULT;
        let place = self.inputs.place(&mut result);
        answer(c!(ftpool_loop_failure(place)), place.is_null(), &[FTPOOL_OK, FTPOOL_EMPTY]);
    }

    pub(crate) fn control(&mut self) {
        let (pool, id, timeout, mut count) = (self.pool(), self.id(), self.inputs.timeout(), 0);
        let (mode, what) = (self.inputs.any(&[0, 1, 2, u32::MAX]), self.inputs.any(&[0, 1, 2, 3, 4, u32::MAX]));
        let (group, null, mut ids) = (self.inputs.any(&self.groups), pool.is_null(), [0; 4]);
        let (counted, capacity) = (self.inputs.place(&mut count), self.inputs.below(5));
        match self.inputs.below(15) {
            0 => _ = answer(c!(ftpool_shutdown(pool, mode, timeout)), null || mode > 1, &WAIT),
            1 => _ = answer(c!(ftpool_wait_idle(pool, timeout)), null, &WAIT),
            14 => _ = answer(c!(ftpool_shutdown_now(pool, None, null_mut(), timeout)), null, &WAIT),
            2 | 3 => _ = answer(c!(ftpool_cancel(pool, id)), null, &[FTPOOL_OK, FTPOOL_EMPTY]),
            4 => _ = answer(c!(ftpool_cancel_all(pool, what, counted)), null || what > 3, &[FTPOOL_OK]),
            5 => {
                let status = c!(ftpool_queued_ids(pool, capacity, ids.as_mut_ptr(), counted));
                answer(status, null || counted.is_null(), &[FTPOOL_OK]);
            }
            6 => _ = answer(c!(ftpool_reopen(pool, timeout)), null, &OPEN),
            7 => _ = answer(c!(ftpool_clear(pool, timeout, counted)), null, &OPEN),
            8 => _ = answer(c!(ftpool_check(pool, null_mut())), null, &[FTPOOL_OK, FTPOOL_E_SHUTDOWN, FTPOOL_E_BROKEN]),
            9 => _ = answer(c!(ftpool_group_cancel_all(group, counted)), group.is_null(), &[FTPOOL_OK]),
            10 => _ = answer(c!(ftpool_group_wait_idle(group, timeout)), group.is_null(), &WAIT),
            11 => assert!(c!(ftpool_group_busy(group)) <= c!(ftpool_group_pending(group)) + 3),
            12 => {
                let outside = [c!(ftpool_fail(1, c"".as_ptr())), ftpool_emit(null_mut())];
                assert_eq!((outside, ftpool_self_id()), ([FTPOOL_E_INVALID; 2], 0));
                assert!(ftpool_current().is_null() && ftpool_worker_index() == -1 && ftpool_self_cancelled() == 0);
            }
            _ => {
                let counts = [c!(ftpool_alive(pool)), c!(ftpool_busy(pool)), c!(ftpool_pending(pool))];
                assert!(!null || counts == [0; 3]);
                assert!(c!(ftpool_failed(pool)) == 0 || c!(ftpool_worker_limit(pool)) > 0);
            }
        }
    }
}
