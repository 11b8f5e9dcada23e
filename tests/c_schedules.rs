//! The options of schedules in C: errors, missed ticks, delays, leeway, placement.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, LIMIT_NS, c, job};
use common::{Count, Gate, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Mutex;

const SECOND: i64 = 1_000_000_000;

const EVERY: ftpool_timer_options = ftpool_timer_options {
    size: size_of::<ftpool_timer_options>(),
    results: null_mut(),
    arg_free: None,
    delay_ns: 0,
    wall_ns: 0,
    interval_ns: SECOND,
    leeway_ns: 0,
    max_runs: 0,
    missed: FTPOOL_MISSED_SKIP,
    flags: 0,
};

/// A pool with one worker on a clock of its own, which ends with it.
struct Timed {
    pool: CPool<'static>,
    clock: *mut ftpool_clock,
}

impl Timed {
    fn new() -> Self {
        let mut clock = null_mut();
        assert_eq!(c!(ftpool_clock_new(&mut clock)), FTPOOL_OK);
        Self { pool: CPool::new(&ftpool_config { workers: 1, clock, ..CONFIG }).unwrap(), clock }
    }

    fn submit(&self, log: &Log, options: &ftpool_timer_options) -> u64 {
        let mut id = 0;
        let argument = std::ptr::from_ref(log).cast_mut().cast();
        let status = c!(ftpool_submit_timed(self.pool.handle(), Some(note_tick), argument, options, &mut id));
        assert_eq!(status, FTPOOL_OK);
        id
    }

    fn advance(&self, time: i64) {
        assert_eq!(c!(ftpool_clock_advance(self.clock, time)), FTPOOL_OK);
    }

    fn pass(&self, time: i64) {
        self.advance(time);
        assert_eq!(self.pool.wait_idle(LIMIT_NS), FTPOOL_OK);
    }

    /// The closure must live as long as this.
    fn queue<F: Fn() -> usize + Sync>(&self, closure: &F) {
        let (function, argument) = job(closure);
        assert_eq!(c!(ftpool_submit(self.pool.handle(), function, argument, null_mut())), FTPOOL_OK);
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        c!(ftpool_clock_free(self.clock));
    }
}

/// The number and the lateness of each tick, and whether it is to fail.
#[derive(Default)]
struct Log {
    ticks: Mutex<Vec<(u64, i64)>>,
    fails: bool,
}

impl Log {
    fn take(&self) -> Vec<(u64, i64)> {
        std::mem::take(&mut *common::lock(&self.ticks))
    }
}

extern "C" fn note_tick(argument: *mut c_void) -> *mut c_void {
    // SAFETY: the tests pass a `Log` that outlives the pool.
    let log = unsafe { &*argument.cast::<Log>() };
    let (mut number, mut late_by) = (0, 0);
    assert_eq!(c!(ftpool_self_tick(&mut number, &mut late_by)), FTPOOL_OK);
    common::lock(&log.ticks).push((number, late_by));
    if log.fails {
        c!(ftpool_fail(7, c"no".as_ptr()));
    }
    null_mut()
}

/// Conformance 44.
#[test]
fn a_failing_schedule_goes_on_unless_asked_to_stop() {
    within_limit(|| {
        for (flags, runs) in [(0, 3), (FTPOOL_TIMER_STOP_ON_ERROR, 1)] {
            let (log, timed) = (Log { fails: true, ..Log::default() }, Timed::new());
            timed.submit(&log, &ftpool_timer_options { flags, ..EVERY });
            (0..3).for_each(|_| timed.pass(SECOND));
            let going = c!(ftpool_scheduled_count(timed.pool.handle()));
            assert_eq!((log.take().len(), going), (runs, usize::from(flags == 0)));
        }
    });
}

/// Conformance 42: a clock that jumps over many ticks.
#[test]
fn missed_ticks_are_skipped_coalesced_or_queued() {
    within_limit(|| {
        for (missed, runs) in [(FTPOOL_MISSED_SKIP, 1), (FTPOOL_MISSED_COALESCE, 1), (FTPOOL_MISSED_QUEUE, 10)] {
            let (log, timed) = (Log::default(), Timed::new());
            timed.submit(&log, &ftpool_timer_options { missed, ..EVERY });
            timed.pass(10 * SECOND + SECOND / 2);
            let ticks = log.take();
            assert_eq!((ticks.len(), ticks.last()), (runs, Some(&(10, SECOND / 2))));
            timed.pass(SECOND / 2);
            assert_eq!(log.take(), [(11, 0)], "the rhythm is kept");
        }
    });
}

/// Conformance 43: the next run is counted from the end of the one before.
#[test]
fn a_fixed_delay_counts_from_the_end_of_the_run() {
    within_limit(|| {
        let (log, gate) = (Log::default(), Gate::new());
        let (blocker, timed) = (c_common::waiting(&gate), Timed::new());
        let plan = ftpool_timer_options { flags: FTPOOL_TIMER_FIXED_DELAY, delay_ns: 3 * SECOND, ..EVERY };
        timed.submit(&log, &plan);
        timed.pass(2 * SECOND);
        assert_eq!(log.take(), [], "the first delay is another one");
        timed.queue(&blocker);
        gate.wait_started(1);
        timed.advance(5 * SECOND);
        gate.open();
        timed.pass(0);
        assert_eq!(log.take(), [(1, 4 * SECOND)]);
        timed.pass(SECOND - 1);
        assert_eq!(log.take(), []);
        timed.pass(1);
        assert_eq!(log.take(), [(2, 0)]);
    });
}

/// Conformance 14, 15: jobs that are due go ahead of queued jobs, or behind them by an option.
#[test]
fn what_is_due_goes_before_what_is_queued_or_behind() {
    within_limit(|| {
        let (first, second, gate, before) = (Log::default(), Log::default(), Gate::new(), Count::new());
        let look = || {
            let seen = [&first, &second].map(|log| common::lock(&log.ticks).len());
            assert_eq!(seen, [1, 0]);
            before.add()
        };
        let (blocker, timed) = (c_common::waiting(&gate), Timed::new());
        timed.queue(&blocker);
        gate.wait_started(1);
        let once = ftpool_timer_options { interval_ns: 0, delay_ns: SECOND, ..EVERY };
        timed.submit(&first, &once);
        timed.submit(&second, &ftpool_timer_options { flags: FTPOOL_TIMER_BACK, ..once });
        timed.queue(&look);
        timed.advance(SECOND);
        gate.open();
        timed.pass(0);
        assert_eq!((before.get(), second.take().len()), (1, 1));
    });
}

/// Timers that may be a little late are due together.
#[test]
fn leeway_joins_timers() {
    within_limit(|| {
        let (log, timed) = (Log::default(), Timed::new());
        let mut moments = std::collections::BTreeSet::new();
        for n in 1..=100 {
            let delay_ns = n * SECOND / 100;
            let once = ftpool_timer_options { interval_ns: 0, delay_ns, leeway_ns: SECOND, ..EVERY };
            let (id, mut due_in) = (timed.submit(&log, &once), 0);
            assert_eq!(c!(ftpool_timer_next_due(timed.pool.handle(), id, &mut due_in)), FTPOOL_OK);
            assert!((delay_ns..=delay_ns + SECOND).contains(&due_in));
            moments.insert(due_in);
        }
        assert!(moments.len() <= 3, "{moments:?}");
        timed.pass(2 * SECOND);
        assert_eq!(log.take().len(), 100);
    });
}
