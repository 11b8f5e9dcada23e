//! C loops and forks that lose items, or do not stop.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CPool, LIMIT_NS, c, job, value};
use common::{eventually, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// The context of the loops' bodies.
#[derive(Default)]
struct Work {
    runs: Vec<AtomicUsize>,
    fail_at: Option<usize>,
    grain: usize,
}

impl Work {
    fn new(items: usize) -> Self {
        Self { runs: (0..items).map(|_| AtomicUsize::new(0)).collect(), ..Self::default() }
    }

    fn context(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn from<'a>(context: *mut c_void) -> &'a Self {
        // SAFETY: the tests pass a `Work` that outlives the call.
        unsafe { &*context.cast() }
    }

    fn run(&self, i: usize) {
        self.runs[i].fetch_add(1, SeqCst);
        (0..500).for_each(|_| std::hint::spin_loop());
        if self.fail_at == Some(i) {
            assert_eq!(c!(ftpool_fail(3, c"stop".as_ptr())), FTPOOL_OK);
        }
    }

    fn all_once(&self) -> bool {
        self.runs.iter().all(|runs| runs.load(SeqCst) == 1)
    }
}

extern "C" fn run_one(context: *mut c_void, i: usize) {
    Work::from(context).run(i);
}

extern "C" fn run_some(context: *mut c_void, begin: usize, end: usize) {
    let work = Work::from(context);
    assert!(begin < end && (work.grain == 0 || end - begin <= work.grain));
    (begin..end).for_each(|i| work.run(i));
}

extern "C" fn add_some(context: *mut c_void, begin: usize, end: usize, sum: *mut c_void) {
    run_some(context, begin, end);
    // SAFETY: the tests reduce to an array of two numbers, of which every chunk has its own.
    let sum = unsafe { &mut *sum.cast::<[usize; 2]>() };
    assert!(sum[1] <= begin, "from left to right");
    *sum = [sum[0] + (begin..end).sum::<usize>(), end];
}

extern "C" fn add(_context: *mut c_void, into: *mut c_void, from: *const c_void) {
    // SAFETY: as above.
    let into = unsafe { &mut *into.cast::<[usize; 2]>() };
    // SAFETY: as above.
    let from = unsafe { &*from.cast::<[usize; 2]>() };
    assert!(into[1] <= from[1]);
    *into = [into[0] + from[0], from[1]];
}

extern "C" fn do_nothing(_context: *mut c_void, _i: usize) {}

extern "C" fn meet(barrier: *mut c_void, _i: usize) {
    // SAFETY: the test passes a barrier that outlives the call.
    unsafe { &*barrier.cast::<Barrier>() }.wait();
}

/// Conformance 86: another loop was quick, and this one has two items that wait for each other.
#[test]
fn two_items_run_at_the_same_time_after_quick_loops() {
    within_limit(|| {
        let (pool, barrier) = (CPool::of(2), Barrier::new(2));
        for _ in 0..1000 {
            for length in [2, 1000] {
                assert_eq!(c!(ftpool_for(pool.handle(), 0, length, 0, Some(do_nothing), null_mut())), FTPOOL_OK);
            }
            let context = std::ptr::from_ref(&barrier).cast_mut().cast();
            assert_eq!(c!(ftpool_for(pool.handle(), 0, 2, 0, Some(meet), context)), FTPOOL_OK);
        }
    });
}

/// Conformance 80: by every loop, length and grain.
#[test]
fn every_item_is_run_once() {
    within_limit(|| {
        let pool = CPool::of(2);
        for length in [0, 1, 2, 100, 3000] {
            for grain in [0, 1, 50] {
                let work = Work { grain, ..Work::new(length) };
                assert_eq!(c!(ftpool_for(pool.handle(), 0, length, grain, Some(run_one), work.context())), FTPOOL_OK);
                assert!(work.all_once());
                let work = Work { grain, ..Work::new(length) };
                let (end, context) = (length, work.context());
                assert_eq!(c!(ftpool_for_range(pool.handle(), 0, end, grain, Some(run_some), context)), FTPOOL_OK);
                assert!(work.all_once());
                let work = Work { grain, ..Work::new(length) };
                let mut sum = [0_usize; 2];
                let (context, place) = (work.context(), (&raw mut sum).cast());
                let (body, both): (ftpool_reduce_body, ftpool_combine) = (Some(add_some), Some(add));
                let status = c!(ftpool_reduce(pool.handle(), 0, end, grain, body, both, context, 16, place));
                assert_eq!((status, sum), (FTPOOL_OK, [(0..length).sum(), length]));
                assert!(work.all_once());
            }
        }
        assert_eq!((pool.wait_idle(LIMIT_NS), pool.failed()), (FTPOOL_OK, 0));
    });
}

/// Conformance 84: the failure that stops a loop is a status, and not that of the job around it.
#[test]
fn a_failure_stops_a_loop() {
    within_limit(|| {
        let pool = CPool::of(2);
        for fail_at in [0, 500, 9_999] {
            let attempt = || {
                let work = Work { fail_at: Some(fail_at), ..Work::new(10_000) };
                let status = c!(ftpool_for(pool.handle(), 0, 10_000, 10, Some(run_one), work.context()));
                assert_eq!(status, FTPOOL_E_JOB);
                assert!(fail_at == 9_999 || !work.all_once());
                0
            };
            attempt();
            let ((function, argument), mut handle) = (job(&attempt), null_mut());
            assert_eq!(c!(ftpool_submit_job(pool.handle(), function, argument, &mut handle)), FTPOOL_OK);
            assert_eq!(c!(ftpool_job_wait(handle, LIMIT_NS, null_mut())), FTPOOL_OK);
            assert_eq!(c!(ftpool_job_state(handle)), FTPOOL_JOB_DONE);
            c!(ftpool_job_release(handle));
        }
    });
}

extern "C" fn fail_on_the_worker(barrier: *mut c_void, _begin: usize, _end: usize, sum: *mut c_void) {
    meet(barrier, 0);
    // SAFETY: as above.
    unsafe { *sum.cast::<[usize; 2]>() = [1, 1] };
    if ftpool_worker_index() >= 0 {
        assert_eq!(c!(ftpool_fail(3, std::ptr::null())), FTPOOL_OK);
    }
}

/// Conformance 84: if an item fails, on whichever thread, the value stays as it was.
#[test]
fn a_failure_in_a_reduction_leaves_the_value_alone() {
    within_limit(|| {
        let (pool, barrier, mut sum) = (CPool::of(1), Barrier::new(2), [7_usize, 0]);
        let place = (&raw mut sum).cast();
        for grain in [10_000, 0, 10] {
            let work = Work { fail_at: Some(9_999), ..Work::new(10_000) };
            let (body, both): (ftpool_reduce_body, ftpool_combine) = (Some(add_some), Some(add));
            let status = c!(ftpool_reduce(pool.handle(), 0, 10_000, grain, body, both, work.context(), 16, place));
            assert_eq!((status, sum), (FTPOOL_E_JOB, [7, 0]));
        }
        let context = std::ptr::from_ref(&barrier).cast_mut().cast();
        let (body, both): (ftpool_reduce_body, ftpool_combine) = (Some(fail_on_the_worker), Some(add));
        let status = c!(ftpool_reduce(pool.handle(), 0, 2, 1, body, both, context, 16, place));
        assert_eq!((status, sum), (FTPOOL_E_JOB, [7, 0]));
    });
}

extern "C" fn square(number: *mut c_void) -> *mut c_void {
    if number.addr() == 77 {
        assert_eq!(c!(ftpool_fail(1, std::ptr::null())), FTPOOL_OK);
    }
    value(number.addr() * number.addr())
}

/// Conformance 85.
#[test]
fn values_of_a_map_are_where_their_arguments_were() {
    within_limit(|| {
        let pool = CPool::of(2);
        let args: Vec<_> = (0..70).map(value).collect();
        let mut values = vec![value(1); 70];
        let (from, to) = (args.as_ptr(), values.as_mut_ptr());
        assert_eq!(c!(ftpool_map(pool.handle(), Some(square), from, 70, to)), FTPOOL_OK);
        assert!(values.iter().enumerate().all(|(i, value)| value.addr() == i * i));
        let args: Vec<_> = (70..1070).map(value).collect();
        let mut values = vec![value(1); 1000];
        let status = c!(ftpool_map(pool.handle(), Some(square), args.as_ptr(), 1000, values.as_mut_ptr()));
        assert_eq!(status, FTPOOL_E_JOB);
        let right = |(i, value): (usize, &*mut c_void)| value.is_null() || value.addr() == (70 + i) * (70 + i);
        assert!(values.iter().enumerate().all(right));
    });
}

/// Conformance 85: with one array, arguments are not cleared before they are read, and those not reached stay.
#[test]
fn values_of_a_map_replace_their_arguments() {
    within_limit(|| {
        let pool = CPool::of(2);
        for (first, status) in [(100, FTPOOL_OK), (70, FTPOOL_E_JOB)] {
            let mut both: Vec<_> = (first..first + 1000).map(value).collect();
            let place = both.as_mut_ptr();
            assert_eq!(c!(ftpool_map(pool.handle(), Some(square), place, 1000, place)), status);
            let squares = (first..).zip(&both).filter(|(i, value)| value.addr() == i * i).count();
            let kept = (first..).zip(&both).filter(|&(i, value)| value.addr() == i).count();
            assert!(squares + kept == 1000 && (squares == 1000) == (status == FTPOOL_OK), "{squares}, {kept}");
        }
    });
}

struct Fib {
    pool: *mut ftpool,
    n: usize,
}

extern "C" fn fib(arg: *mut c_void) -> *mut c_void {
    // SAFETY: `join` waits for both, and their arguments are in its frame.
    let &Fib { pool, n } = unsafe { &*arg.cast::<Fib>() };
    if n < 2 {
        return value(n);
    }
    let (mut a, mut b) = (Fib { pool, n: n - 1 }, Fib { pool, n: n - 2 });
    let (mut x, mut y) = (null_mut(), null_mut());
    let (first, second) = ((&raw mut a).cast(), (&raw mut b).cast());
    assert_eq!(c!(ftpool_join(pool, Some(fib), first, Some(fib), second, &mut x, &mut y)), FTPOOL_OK);
    value(x.addr() + y.addr())
}

/// Conformance 119: from outside and in a job.
#[test]
fn forks_join() {
    within_limit(|| {
        for workers in [1, 2] {
            let pool = CPool::of(workers);
            let mut arg = Fib { pool: pool.handle(), n: 20 };
            let arg = (&raw mut arg).cast();
            assert_eq!(fib(arg).addr(), 6765);
            let (mut handle, mut result) = (null_mut(), c_common::RESULT);
            assert_eq!(c!(ftpool_submit_job(pool.handle(), Some(fib), arg, &mut handle)), FTPOOL_OK);
            assert_eq!(c!(ftpool_job_wait(handle, LIMIT_NS, &mut result)), FTPOOL_OK);
            assert_eq!(result.value.addr(), 6765);
            c!(ftpool_job_release(handle));
        }
    });
}

/// Forks in one pool whose pieces fork in the other one.
struct Alternating {
    pools: [*mut ftpool; 2],
    n: usize,
}

extern "C" fn alternate(arg: *mut c_void) -> *mut c_void {
    // SAFETY: `join` waits for both, and their arguments are in its frame.
    let &Alternating { pools: [here, there], n } = unsafe { &*arg.cast::<Alternating>() };
    if n < 2 {
        return value(n);
    }
    let pools = [there, here];
    let (mut a, mut b) = (Alternating { pools, n: n - 1 }, Alternating { pools, n: n - 2 });
    let (mut x, mut y) = (null_mut(), null_mut());
    let (first, second) = ((&raw mut a).cast(), (&raw mut b).cast());
    assert_eq!(c!(ftpool_join(here, Some(alternate), first, Some(alternate), second, &mut x, &mut y)), FTPOOL_OK);
    value(x.addr() + y.addr())
}

/// Conformance 119: from a foreign pool's worker, and pools in turn.
#[test]
fn pools_fork_inside_one_another() {
    within_limit(|| {
        let (one, other) = (CPool::of(1), CPool::of(2));
        let mut arg = Alternating { pools: [other.handle(), one.handle()], n: 20 };
        let arg = (&raw mut arg).cast();
        assert_eq!(alternate(arg).addr(), 6765);
        let (mut handle, mut result) = (null_mut(), c_common::RESULT);
        assert_eq!(c!(ftpool_submit_job(one.handle(), Some(alternate), arg, &mut handle)), FTPOOL_OK);
        assert_eq!(c!(ftpool_job_wait(handle, LIMIT_NS, &mut result)), FTPOOL_OK);
        assert_eq!(result.value.addr(), 6765);
        c!(ftpool_job_release(handle));
    });
}

/// One piece more below each, first or second.
struct Chain {
    pool: *mut ftpool,
    depth: usize,
    second: bool,
}

extern "C" fn chain(arg: *mut c_void) -> *mut c_void {
    // SAFETY: as above.
    let &Chain { pool, depth, second } = unsafe { &*arg.cast::<Chain>() };
    if depth == 0 {
        return value(0);
    }
    let (mut deep, mut flat) = (Chain { pool, depth: depth - 1, second }, Chain { pool, depth: 0, second });
    let (deep, flat) = ((&raw mut deep).cast(), (&raw mut flat).cast());
    let (a, b) = if second { (flat, deep) } else { (deep, flat) };
    let (mut x, mut y) = (null_mut(), null_mut());
    assert_eq!(c!(ftpool_join(pool, Some(chain), a, Some(chain), b, &mut x, &mut y)), FTPOOL_OK);
    value(x.addr() + y.addr() + 1)
}

/// Conformance 119: 100 000 frames on one stack, whichever of the two goes on.
#[test]
fn a_long_chain_of_forks_needs_nothing_but_stack() {
    within_limit(|| {
        let deep = || {
            let config = ftpool_config { workers: 1, stack_size: 1 << 30, ..c_common::CONFIG };
            let pool = CPool::new(&config).unwrap();
            for second in [false, true] {
                let depth = if cfg!(ftpool_tsan) { 1_000 } else { 100_000 };
                let mut arg = Chain { pool: pool.handle(), depth, second };
                assert_eq!(chain((&raw mut arg).cast()).addr(), depth);
            }
        };
        std::thread::Builder::new().stack_size(1 << 30).spawn(deep).unwrap().join().unwrap();
    });
}

struct Announced {
    begun: AtomicUsize,
    fib: Fib,
}

extern "C" fn announce(arg: *mut c_void) -> *mut c_void {
    // SAFETY: the test waits for the job.
    let this = unsafe { &*arg.cast::<Announced>() };
    this.begun.store(1, SeqCst);
    fib((&raw const this.fib).cast_mut().cast())
}

/// Conformance 58, 62: the pieces of a running job run, and a fork needs no worker.
#[test]
fn forks_outlive_the_shutdown() {
    within_limit(|| {
        for _ in 0..30 {
            let pool = CPool::of(2);
            let arg = Announced { begun: AtomicUsize::new(0), fib: Fib { pool: pool.handle(), n: 20 } };
            let own: *mut c_void = (&raw const arg).cast_mut().cast();
            let (mut handle, mut result) = (null_mut(), c_common::RESULT);
            assert_eq!(c!(ftpool_submit_job(pool.handle(), Some(announce), own, &mut handle)), FTPOOL_OK);
            eventually("the job runs", || arg.begun.load(SeqCst) == 1);
            assert_eq!(c!(ftpool_shutdown(pool.handle(), FTPOOL_SHUTDOWN_CANCEL, LIMIT_NS)), FTPOOL_OK);
            assert_eq!(c!(ftpool_job_wait(handle, LIMIT_NS, &mut result)), FTPOOL_OK);
            assert_eq!(result.value.addr(), 6765);
            assert_eq!(announce(own).addr(), 6765);
            c!(ftpool_job_release(handle));
        }
    });
}

/// Reliability R6.
#[test]
fn bad_arguments_get_a_status() {
    let pool = CPool::of(1);
    let (to, none, work) = (pool.handle(), null_mut(), Work::new(1));
    let (context, mut sum) = (work.context(), [0_usize; 2]);
    let sum = (&raw mut sum).cast();
    let (body, both): (ftpool_reduce_body, ftpool_combine) = (Some(add_some), Some(add));
    let refused = [
        c!(ftpool_for(null_mut(), 0, 1, 0, Some(run_one), context)),
        c!(ftpool_for(to, 0, 1, 0, None, context)),
        c!(ftpool_for(to, 1, 0, 0, Some(run_one), context)),
        c!(ftpool_for_range(null_mut(), 0, 1, 0, Some(run_some), context)),
        c!(ftpool_for_range(to, 0, 1, 0, None, context)),
        c!(ftpool_for_range(to, 2, 1, 0, Some(run_some), context)),
        c!(ftpool_reduce(null_mut(), 0, 1, 0, body, both, context, 16, sum)),
        c!(ftpool_reduce(to, 0, 1, 0, None, both, context, 16, sum)),
        c!(ftpool_reduce(to, 0, 1, 0, body, None, context, 16, sum)),
        c!(ftpool_reduce(to, 0, 1, 0, body, both, context, 16, none)),
        c!(ftpool_reduce(to, 0, 1, 0, body, both, context, usize::MAX, sum)),
        c!(ftpool_map(null_mut(), Some(square), &none, 1, &mut null_mut())),
        c!(ftpool_map(to, None, &none, 1, &mut null_mut())),
        c!(ftpool_map(to, Some(square), std::ptr::null(), 1, &mut null_mut())),
        c!(ftpool_map(to, Some(square), &none, 1, null_mut())),
        c!(ftpool_map(to, Some(square), &none, usize::MAX, &mut null_mut())),
        c!(ftpool_join(null_mut(), Some(square), none, Some(square), none, null_mut(), null_mut())),
        c!(ftpool_join(to, None, none, Some(square), none, null_mut(), null_mut())),
        c!(ftpool_join(to, Some(square), none, None, none, null_mut(), null_mut())),
    ];
    assert_eq!(refused, [FTPOOL_E_INVALID; 19]);
    assert_eq!(work.runs[0].load(SeqCst), 0);
    assert_eq!(c!(ftpool_map(to, Some(square), std::ptr::null(), 0, null_mut())), FTPOOL_OK);
    assert_eq!(c!(ftpool_join(to, Some(square), none, Some(square), none, null_mut(), null_mut())), FTPOOL_OK);
}
