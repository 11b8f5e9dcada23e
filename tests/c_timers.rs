//! Delayed and scheduled jobs in C: when they are due, what is freed, and the status of invalid arguments.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, CResults, LIMIT_NS, RESULT, SUBMIT_OPTIONS, Seen, Which, c, callback, job, value};
use common::{Count, Gate, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

const SECOND: i64 = 1_000_000_000;

const ONCE: ftpool_timer_options = ftpool_timer_options {
    size: size_of::<ftpool_timer_options>(),
    results: null_mut(),
    arg_free: None,
    delay_ns: 0,
    wall_ns: 0,
    interval_ns: 0,
    leeway_ns: 0,
    max_runs: 0,
    missed: FTPOOL_MISSED_SKIP,
    flags: 0,
};

/// A clock that ends when it is dropped.
struct Clock(*mut ftpool_clock);

impl Clock {
    fn new() -> Self {
        let mut clock = null_mut();
        assert_eq!(c!(ftpool_clock_new(&mut clock)), FTPOOL_OK);
        Self(clock)
    }

    fn pool(&self, workers: i32) -> CPool<'static> {
        CPool::new(&ftpool_config { workers, clock: self.0, ..CONFIG }).unwrap()
    }

    fn advance(&self, pool: &CPool<'_>, seconds: i64) {
        assert_eq!(c!(ftpool_clock_advance(self.0, seconds * SECOND)), FTPOOL_OK);
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        c!(ftpool_clock_free(self.0));
    }
}

/// A job's argument, which counts its runs and is freed by counting.
#[derive(Default)]
struct Argument {
    ran: Count,
    freed: Count,
}

impl Argument {
    fn pointer(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn counts(&self) -> (usize, usize) {
        (self.ran.get(), self.freed.get())
    }
}

extern "C" fn count_run(argument: *mut c_void) -> *mut c_void {
    // SAFETY: the tests pass an `Argument` that outlives the pool.
    value(unsafe { &*argument.cast::<Argument>() }.ran.add())
}

extern "C" fn count_free(argument: *mut c_void) {
    // SAFETY: as above.
    unsafe { &*argument.cast::<Argument>() }.freed.add();
}

fn timed(pool: &CPool<'_>, argument: &Argument, options: &ftpool_timer_options) -> Result<u64, ftpool_status> {
    let mut id = 0;
    match c!(ftpool_submit_timed(pool.handle(), Some(count_run), argument.pointer(), options, &mut id)) {
        FTPOOL_OK => Ok(id),
        status => Err(status),
    }
}

/// Conformance 36, 39, 40, 45, 48, 51, by the simple calls.
#[test]
fn simple_timers_run_when_they_are_due() {
    within_limit(|| {
        let (clock, all) = (Clock::new(), Argument::default());
        let pool = clock.pool(1);
        let (handle, run, argument) = (pool.handle(), Some(count_run as _), all.pointer());
        let (mut later, mut every, mut due_in, mut count) = (0, 0, 0, 0);
        assert_eq!(c!(ftpool_submit_later(handle, 2 * SECOND, run, argument, &mut later)), FTPOOL_OK);
        assert_eq!(c!(ftpool_schedule(handle, SECOND, run, argument, &mut every)), FTPOOL_OK);
        assert_eq!((c!(ftpool_delayed_count(handle)), c!(ftpool_scheduled_count(handle))), (1, 1));
        assert_eq!((c!(ftpool_timer_next_due(handle, later, &mut due_in)), due_in), (FTPOOL_OK, 2 * SECOND));
        let mut ids = [0; 2];
        assert_eq!(c!(ftpool_delayed_ids(handle, 2, ids.as_mut_ptr(), &mut count)), FTPOOL_OK);
        assert_eq!((ids, count), ([later, 0], 1));
        assert_eq!(c!(ftpool_scheduled_ids(handle, 0, null_mut(), &mut count)), FTPOOL_OK);
        assert_eq!(count, 1);
        clock.advance(&pool, 1);
        assert_eq!((all.ran.get(), c!(ftpool_reschedule(handle, later, 2 * SECOND))), (1, FTPOOL_OK));
        clock.advance(&pool, 1);
        assert_eq!((all.ran.get(), pool.cancel(every), pool.cancel(every)), (2, FTPOOL_OK, FTPOOL_EMPTY));
        clock.advance(&pool, 1);
        assert_eq!((all.ran.get(), c!(ftpool_reschedule(handle, later, SECOND))), (3, FTPOOL_EMPTY));
        assert_eq!(c!(ftpool_timer_next_due(handle, later, &mut due_in)), FTPOOL_EMPTY);

        assert_eq!(c!(ftpool_clock_set_wall(clock.0, 1000 * SECOND)), FTPOOL_OK);
        assert_eq!(c!(ftpool_submit_at(handle, 999 * SECOND, run, argument, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_submit_at(handle, 1001 * SECOND, run, argument, null_mut())), FTPOOL_OK);
        assert_eq!(c!(ftpool_submit_later(handle, i64::MAX, run, argument, null_mut())), FTPOOL_OK);
        clock.advance(&pool, 1);
        assert_eq!((all.ran.get(), c!(ftpool_clock_elapsed(clock.0))), (4, 4 * SECOND));
        assert_eq!((c!(ftpool_cancel_all(handle, FTPOOL_CANCEL_TIMERS, &mut count)), count), (FTPOOL_OK, 1));
    });
}

/// A schedule's outcomes, and its end.
#[test]
fn options_say_when_and_how_often() {
    within_limit(|| {
        let (clock, all) = (Clock::new(), Argument::default());
        let pool = clock.pool(1);
        let results: CResults<'_> = pool.results();
        let plan = ftpool_timer_options { results: results.handle(), interval_ns: SECOND, max_runs: 3, ..ONCE };
        let id = timed(&pool, &all, &plan).unwrap();
        let at_once = ftpool_timer_options { results: null_mut(), flags: FTPOOL_TIMER_AT_ONCE, ..plan };
        timed(&pool, &all, &at_once).unwrap();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        assert_eq!(all.ran.get(), 1);
        (0..5).for_each(|_| clock.advance(&pool, 1));
        assert_eq!((all.ran.get(), c!(ftpool_scheduled_count(pool.handle()))), (6, 0));
        let seen: Vec<Seen> = std::iter::from_fn(|| results.next(Which::Any).ok()).collect();
        assert_eq!((seen.len(), seen.iter().all(|seen| seen.id == id)), (3, true));

        let cancelled = timed(&pool, &all, &ftpool_timer_options { max_runs: 0, ..plan }).unwrap();
        clock.advance(&pool, 1);
        assert_eq!(pool.cancel(cancelled), FTPOOL_OK);
        let seen: Vec<u32> = std::iter::from_fn(|| results.next(Which::Any).ok()).map(|seen| seen.outcome).collect();
        assert!(seen.contains(&FTPOOL_OUTCOME_DONE) && seen.contains(&FTPOOL_OUTCOME_CANCELLED) && seen.len() == 2);
    });
}

/// The argument of an accepted job is freed once, however it ends; that of a refused job is not touched.
#[test]
fn an_argument_is_freed_once() {
    within_limit(|| {
        let (clock, gate) = (Clock::new(), Gate::new());
        let arguments: Vec<Argument> = (0..8).map(|_| Argument::default()).collect();
        let [ran, cancelled, undue, queued, refused, limited, endless, late] = &arguments[..] else { unreachable!() };
        let pool = clock.pool(1);
        let after = |seconds| ftpool_timer_options { delay_ns: seconds * SECOND, arg_free: Some(count_free), ..ONCE };
        let every = ftpool_timer_options { interval_ns: SECOND, ..after(0) };
        timed(&pool, ran, &after(1)).unwrap();
        let id = timed(&pool, cancelled, &after(1)).unwrap();
        assert_eq!(pool.cancel(id), FTPOOL_OK);
        timed(&pool, undue, &after(1000)).unwrap();
        timed(&pool, limited, &ftpool_timer_options { max_runs: 2, ..every }).unwrap();
        timed(&pool, endless, &every).unwrap();
        let past = ftpool_timer_options { delay_ns: 0, wall_ns: 1, ..after(0) };
        assert_eq!(timed(&pool, refused, &past), Err(FTPOOL_E_INVALID));
        timed(&pool, late, &ftpool_timer_options { flags: FTPOOL_TIMER_OR_NOW, ..past }).unwrap();
        (0..4).for_each(|_| clock.advance(&pool, 1));
        assert_eq!([ran, cancelled, late, limited].map(Argument::counts), [(1, 1), (0, 1), (1, 1), (2, 1)]);
        assert_eq!([undue, endless, refused].map(Argument::counts), [(0, 0), (4, 0), (0, 0)]);

        let blocker = c_common::waiting(&gate);
        let (function, argument) = job(&blocker);
        assert_eq!(c!(ftpool_submit(pool.handle(), function, argument, null_mut())), FTPOOL_OK);
        gate.wait_started(1);
        timed(&pool, queued, &after(0)).unwrap();
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_CANCEL, FTPOOL_NOW), FTPOOL_TIMEOUT);
        assert_eq!([undue, queued, endless].map(Argument::counts), [(0, 1), (0, 1), (4, 1)]);
        assert_eq!(timed(&pool, refused, &after(0)), Err(FTPOOL_E_SHUTDOWN));
        gate.open();
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_CANCEL, LIMIT_NS), FTPOOL_OK);
        assert_eq!((refused.counts(), arguments.iter().map(|a| a.freed.get()).sum::<usize>()), ((0, 0), 7));
        drop(pool);
    });
}

/// Reliability R6: a status each time, and nothing is taken.
#[test]
fn wrong_arguments_get_a_status() {
    within_limit(|| {
        let (clock, all) = (Clock::new(), Argument::default());
        let pool = clock.pool(1);
        let (handle, run, argument, mut number) = (pool.handle(), Some(count_run as _), all.pointer(), 7);
        let no_pool: [ftpool_status; 9] = [
            c!(ftpool_submit_later(null_mut(), 1, run, argument, null_mut())),
            c!(ftpool_submit_at(null_mut(), i64::MAX, run, argument, null_mut())),
            c!(ftpool_schedule(null_mut(), 1, run, argument, null_mut())),
            c!(ftpool_submit_timed(null_mut(), run, argument, null(), null_mut())),
            c!(ftpool_reschedule(null_mut(), 1, 1)),
            c!(ftpool_cancel_all(null_mut(), FTPOOL_CANCEL_TIMERS, null_mut())),
            c!(ftpool_delayed_ids(null_mut(), 0, null_mut(), &mut 0)),
            c!(ftpool_timer_next_due(null_mut(), 1, &mut 0)),
            c!(ftpool_clock_advance(null_mut(), 1)),
        ];
        assert_eq!(no_pool, [FTPOOL_E_INVALID; 9]);
        for wrong in [-1, i64::MIN] {
            assert_eq!(c!(ftpool_submit_later(handle, wrong, run, argument, null_mut())), FTPOOL_E_INVALID);
            assert_eq!(c!(ftpool_submit_at(handle, wrong, run, argument, null_mut())), FTPOOL_E_INVALID);
            assert_eq!(c!(ftpool_schedule(handle, wrong, run, argument, null_mut())), FTPOOL_E_INVALID);
            assert_eq!(c!(ftpool_reschedule(handle, 1, wrong)), FTPOOL_E_INVALID);
            assert_eq!(c!(ftpool_clock_advance(clock.0, wrong)), FTPOOL_E_INVALID);
            for options in [
                ftpool_timer_options { delay_ns: wrong, ..ONCE },
                ftpool_timer_options { wall_ns: wrong, ..ONCE },
                ftpool_timer_options { interval_ns: wrong, ..ONCE },
                ftpool_timer_options { leeway_ns: wrong, ..ONCE },
            ] {
                assert_eq!(timed(&pool, &all, &options), Err(FTPOOL_E_INVALID));
            }
        }
        assert_eq!(c!(ftpool_schedule(handle, 0, run, argument, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_submit_later(handle, 0, None, argument, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_delayed_ids(handle, 1, null_mut(), &mut 0)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_delayed_ids(handle, 0, null_mut(), null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_timer_next_due(handle, 1, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_timer_next_due(handle, 1, &mut number)), FTPOOL_EMPTY);
        assert_eq!(c!(ftpool_self_tick(null_mut(), &mut number)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_clock_new(null_mut())), FTPOOL_E_INVALID);
        c!(ftpool_clock_free(null_mut()));
        assert_eq!((number, c!(ftpool_clock_elapsed(null()))), (7, 0));
        let every = ftpool_timer_options { interval_ns: 1, ..ONCE };
        for options in [
            ftpool_timer_options { flags: 32, ..every },
            ftpool_timer_options { missed: 3, ..every },
            ftpool_timer_options { missed: FTPOOL_MISSED_QUEUE, ..ONCE },
            ftpool_timer_options { max_runs: 1, ..ONCE },
            ftpool_timer_options { flags: FTPOOL_TIMER_FIXED_DELAY, ..ONCE },
            ftpool_timer_options { delay_ns: 1, wall_ns: i64::MAX, ..ONCE },
            ftpool_timer_options { delay_ns: 1, flags: FTPOOL_TIMER_AT_ONCE, ..every },
            ftpool_timer_options { wall_ns: i64::MAX, flags: FTPOOL_TIMER_AT_ONCE, ..every },
            ftpool_timer_options { size: 7, ..ONCE },
        ] {
            assert_eq!(timed(&pool, &all, &options), Err(FTPOOL_E_INVALID), "{options:?}");
        }
        let other = CPool::of(1);
        let foreign = other.results();
        let options = ftpool_timer_options { results: foreign.handle(), ..ONCE };
        assert_eq!(timed(&pool, &all, &options), Err(FTPOOL_E_INVALID), "another pool's results");
        assert_eq!((all.counts(), c!(ftpool_delayed_count(handle)), pool.counts()[2]), ((0, 0), 0, 0));
        assert_eq!(c!(ftpool_submit_timed(handle, run, argument, null(), null_mut())), FTPOOL_OK);
        assert_eq!((pool.wait_idle(LIMIT_NS), all.ran.get()), (FTPOOL_OK, 1));
    });
}

/// Issue 5: delays for jobs with options, and outcomes that say how late a job was.
#[test]
fn a_delayed_job_has_a_callback_a_handle_and_a_lateness() {
    within_limit(|| {
        let (clock, shown, seven) = (Clock::new(), Count::new(), || 7);
        let look = |result: &ftpool_result| {
            assert_eq!((result.outcome, result.tick, result.late_by_ns), (FTPOOL_OUTCOME_DONE, 1, SECOND));
            shown.add();
            0
        };
        let (call, callback_context) = callback(&look);
        let pool = clock.pool(1);
        let results = pool.results();
        let options = ftpool_submit_options { callback: call, callback_context, delay_ns: SECOND, ..SUBMIT_OPTIONS };
        let delivering = ftpool_submit_options { results: results.handle(), ..options };
        let id = pool.submit_with(job(&seven), &delivering).unwrap();
        let ((function, argument), mut handle, mut result) = (job(&seven), null_mut(), RESULT);
        assert_eq!(c!(ftpool_submit_job_with(pool.handle(), function, argument, &options, &mut handle)), FTPOOL_OK);
        assert_eq!((c!(ftpool_delayed_count(pool.handle())), c!(ftpool_job_state(handle))), (2, FTPOOL_JOB_QUEUED));
        assert_eq!(c!(ftpool_job_on_done(handle, call, callback_context, null_mut())), FTPOOL_OK);
        clock.advance(&pool, 2);
        assert_eq!((c!(ftpool_job_wait(handle, LIMIT_NS, &mut result)), result.value), (FTPOOL_OK, value(7)));
        assert_eq!((result.tick, result.late_by_ns), (1, SECOND));
        assert_eq!(c!(ftpool_job_on_done(handle, call, callback_context, null_mut())), FTPOOL_OK, "after its end");
        c!(ftpool_job_release(handle));
        let read = results.read(Which::Any, FTPOOL_NOW).unwrap();
        assert_eq!((read.id, read.value, read.tick, read.late_by_ns, shown.get()), (id, value(7), 1, SECOND, 4));
        let mut group = null_mut();
        assert_eq!(c!(ftpool_group_new(pool.handle(), 1, FTPOOL_PRIORITY_NORMAL, &mut group)), FTPOOL_OK);
        for wrong in [
            ftpool_submit_options { group, ..options },
            ftpool_submit_options { start_within_ns: 1, ..options },
            ftpool_submit_options { delay_ns: -1, ..options },
        ] {
            assert_eq!(pool.submit_with(job(&seven), &wrong), Err(FTPOOL_E_INVALID));
        }
        c!(ftpool_group_free(group));
    });
}

/// Conformance 45, for jobs with options: handles, callbacks and results of a time of the wall clock.
#[test]
fn a_job_with_options_is_due_by_the_wall_clock() {
    within_limit(|| {
        let (clock, ran, refused) = (Clock::new(), Argument::default(), Argument::default());
        let pool = clock.pool(1);
        let wall = |seconds| {
            assert_eq!(c!(ftpool_clock_set_wall(clock.0, seconds * SECOND)), FTPOOL_OK);
            assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        };
        wall(1000);
        let results = pool.results();
        let at = |seconds| ftpool_submit_options {
            results: results.handle(),
            arg_free: Some(count_free),
            wall_ns: seconds * SECOND,
            ..SUBMIT_OPTIONS
        };
        let run = |argument: &Argument| (Some(count_run as _), argument.pointer());
        let id = pool.submit_with(run(&ran), &at(1001)).unwrap();
        let ((function, argument), mut handle, mut result) = (run(&ran), null_mut(), RESULT);
        let options = ftpool_submit_options { results: null_mut(), ..at(1002) };
        assert_eq!(c!(ftpool_submit_job_with(pool.handle(), function, argument, &options, &mut handle)), FTPOOL_OK);
        clock.advance(&pool, 0);
        assert_eq!((c!(ftpool_delayed_count(pool.handle())), ran.counts()), (2, (0, 0)));
        wall(1001);
        let read = results.read(Which::Any, FTPOOL_NOW).unwrap();
        assert_eq!((read.id, read.value, read.tick, read.late_by_ns), (id, value(0), 1, 0));
        assert_eq!(c!(ftpool_job_wait(handle, FTPOOL_NOW, &mut result)), FTPOOL_TIMEOUT);
        clock.advance(&pool, 4);
        assert_eq!((c!(ftpool_job_join(handle, LIMIT_NS, &mut result)), result.value), (FTPOOL_OK, value(1)));
        assert_eq!((result.tick, result.late_by_ns, ran.counts()), (1, 3 * SECOND, (2, 2)));

        assert_eq!(pool.submit_with(run(&refused), &at(1004)), Err(FTPOOL_E_INVALID), "it has passed");
        let or_now = ftpool_submit_options { flags: FTPOOL_SUBMIT_OR_NOW, ..at(1004) };
        pool.submit_with(run(&ran), &or_now).unwrap();
        assert_eq!((pool.wait_idle(LIMIT_NS), ran.counts()), (FTPOOL_OK, (3, 3)));
        let mut group = null_mut();
        assert_eq!(c!(ftpool_group_new(pool.handle(), 1, FTPOOL_PRIORITY_NORMAL, &mut group)), FTPOOL_OK);
        for wrong in [
            ftpool_submit_options { group, ..at(2000) },
            ftpool_submit_options { start_within_ns: 1, ..at(2000) },
            ftpool_submit_options { delay_ns: 1, ..at(2000) },
            ftpool_submit_options { leeway_ns: -1, ..at(2000) },
            at(-1),
        ] {
            assert_eq!(pool.submit_with(run(&refused), &wrong), Err(FTPOOL_E_INVALID), "{wrong:?}");
        }
        c!(ftpool_group_free(group));
        assert_eq!(refused.counts(), (0, 0));
    });
}

/// Conformance 36: not before its time, and with which leeway; its place in the queue when it is due.
#[test]
fn a_delayed_job_with_options_goes_ahead_or_behind() {
    within_limit(|| {
        let (clock, gate, order) = (Clock::new(), Gate::new(), Mutex::new(Vec::new()));
        let pool = clock.pool(1);
        let named = |name| {
            let order = &order;
            move || {
                lock(order).push(name);
                0
            }
        };
        let (blocker, queued, ahead, behind) =
            (c_common::waiting(&gate), named("queued"), named("ahead"), named("behind"));
        let submit = |job: (ftpool_fn, *mut c_void), options: &ftpool_submit_options| {
            pool.submit_with(job, options).expect("it is accepted")
        };
        submit(job(&blocker), &SUBMIT_OPTIONS);
        gate.wait_started(1);
        submit(job(&queued), &SUBMIT_OPTIONS);
        let late = ftpool_submit_options { delay_ns: SECOND, leeway_ns: SECOND, ..SUBMIT_OPTIONS };
        let id = submit(job(&behind), &ftpool_submit_options { flags: FTPOOL_SUBMIT_BACK, ..late });
        submit(job(&ahead), &late);
        let mut due_in = 0;
        assert_eq!(c!(ftpool_timer_next_due(pool.handle(), id, &mut due_in)), FTPOOL_OK);
        assert!(due_in > SECOND && due_in <= 2 * SECOND, "{due_in}");
        assert_eq!(c!(ftpool_clock_advance(clock.0, 2 * SECOND)), FTPOOL_OK);
        gate.open();
        assert_eq!((pool.wait_idle(LIMIT_NS), &lock(&order)[..]), (FTPOOL_OK, &["ahead", "queued", "behind"][..]));
    });
}
