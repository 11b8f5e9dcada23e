//! A pool's workers from C: how many, how long, all at once, and those that block.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, LIMIT_NS, RESULT, c, job, value, waiting};
use common::{Gate, eventually, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::{FTPOOL_SHUTDOWN_DRAIN, ftpool_config, ftpool_worker_index};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

extern "C" fn count_up(context: *mut c_void, worker: usize) -> *mut c_void {
    // SAFETY: the tests pass a counter that outlives the call.
    unsafe { &*context.cast::<AtomicUsize>() }.fetch_add(1, SeqCst);
    assert_eq!(ftpool_worker_index(), worker as i32);
    value(worker + 10)
}

/// Values in the order of the workers, as many as there is room for.
#[test]
fn every_worker_is_called_once() {
    within_limit(|| {
        let (pool, calls) = (CPool::of(3), AtomicUsize::new(0));
        let context = (&raw const calls).cast_mut().cast();
        for capacity in [0, 2, 5] {
            let (mut values, mut count) = ([null_mut(); 5], usize::MAX);
            let place = if capacity == 0 { null_mut() } else { values.as_mut_ptr() };
            let status = c!(ftpool_broadcast(pool.handle(), Some(count_up), context, place, capacity, &mut count));
            assert_eq!((status, count, calls.swap(0, SeqCst)), (FTPOOL_OK, 3, 3));
            assert!((0..5).all(|i| values[i].addr() == if i < capacity.min(3) { i + 10 } else { 0 }));
        }
        let mut count = usize::MAX;
        let broken = [
            c!(ftpool_broadcast(null_mut(), Some(count_up), context, null_mut(), 0, &mut count)),
            c!(ftpool_broadcast(pool.handle(), None, context, null_mut(), 0, &mut count)),
            c!(ftpool_broadcast(pool.handle(), Some(count_up), context, null_mut(), 1, &mut count)),
        ];
        assert_eq!((broken, count), ([FTPOOL_E_INVALID; 3], usize::MAX));
        let inside = || {
            let context = (&raw const calls).cast_mut().cast();
            let called = c!(ftpool_broadcast(pool.handle(), Some(count_up), context, null_mut(), 0, null_mut()));
            assert_eq!(called, FTPOOL_E_DEADLOCK);
            0
        };
        let (function, argument) = job(&inside);
        assert_eq!(c!(ftpool_run(pool.handle(), function, argument, null_mut())), FTPOOL_OK);
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, LIMIT_NS), FTPOOL_OK);
        let closed = c!(ftpool_broadcast(pool.handle(), Some(count_up), context, null_mut(), 0, &mut count));
        assert_eq!((closed, calls.load(SeqCst)), (FTPOOL_E_SHUTDOWN, 0));
    });
}

/// Conformance 119, by ftpool_blocking(): jobs behind one that blocks are run, and no more threads come than may.
#[test]
fn a_job_that_blocks_lets_another_worker_come() {
    within_limit(|| {
        let (gate, ran) = (Gate::new(), AtomicUsize::new(0));
        let inner = waiting(&gate);
        let blocks = || {
            let ((function, argument), mut out) = (job(&inner), std::ptr::dangling_mut());
            assert_eq!(c!(ftpool_blocking(function, argument, &mut out)), FTPOOL_OK);
            out.addr() + 1
        };
        let counts = || ran.fetch_add(1, SeqCst);
        let pool = CPool::new(&ftpool_config { workers: 1, extra_workers: 1, ..CONFIG }).unwrap();
        assert_eq!(c!(ftpool_worker_limit(pool.handle())), 2);
        pool.submit(c_common::How::Last, &blocks).unwrap();
        (0..10).for_each(|_| _ = pool.submit(c_common::How::Last, &counts).unwrap());
        eventually("the others have run", || ran.load(SeqCst) == 10);
        assert_eq!(pool.counts()[0], 2);
        gate.open();
        assert_eq!((pool.wait_idle(LIMIT_NS), pool.failed()), (FTPOOL_OK, 0));
        assert_eq!(c!(ftpool_blocking(None, null_mut(), null_mut())), FTPOOL_E_INVALID);
        let (function, argument) = job(&counts);
        assert_eq!(c!(ftpool_blocking(function, argument, null_mut())), FTPOOL_OK);
    });
}

/// Conformance 106, 107, 111: idle timeout, jobs per worker, workers before jobs; invalid numbers are refused.
#[test]
fn workers_come_and_go_as_asked() {
    within_limit(|| {
        let pool = CPool::new(&ftpool_config { workers: 3, idle_timeout_ns: 1_000_000, ..CONFIG }).unwrap();
        let mut started = usize::MAX;
        assert_eq!((c!(ftpool_spawn_workers(pool.handle(), 9, &mut started)), started), (FTPOOL_OK, 3));
        eventually("no workers are left", || pool.counts()[0] == 0);
        let seven = || 7;
        let ((function, argument), mut result) = (job(&seven), RESULT);
        assert_eq!(c!(ftpool_run(pool.handle(), function, argument, &mut result)), FTPOOL_OK);
        assert_eq!(result.value.addr(), 7);
        assert_eq!(c!(ftpool_run(pool.handle(), None, argument, &mut result)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_run(null_mut(), function, argument, &mut result)), FTPOOL_E_INVALID);
        let mut sizeless = fastthreadpool::ffi::ftpool_result { size: 0, ..RESULT };
        assert_eq!(c!(ftpool_run(pool.handle(), function, argument, &mut sizeless)), FTPOOL_E_INVALID);

        let token = thread_number;
        let worn = CPool::new(&ftpool_config { workers: 1, jobs_per_worker: 3, ..CONFIG }).unwrap();
        let mut threads = std::collections::BTreeMap::new();
        let (function, argument) = job(&token);
        for _ in 0..30 {
            assert_eq!(c!(ftpool_run(worn.handle(), function, argument, &mut result)), FTPOOL_OK);
            *threads.entry(result.value.addr()).or_insert(0) += 1;
        }
        assert!(threads.len() >= 10 && threads.values().all(|&jobs| jobs <= 3));

        assert_eq!(CPool::new(&ftpool_config { idle_timeout_ns: -2, ..CONFIG }).err(), Some(FTPOOL_E_INVALID));
        assert!(CPool::new(&ftpool_config { idle_timeout_ns: -1, ..CONFIG }).is_ok());
        assert_eq!(c!(ftpool_spawn_workers(null_mut(), 1, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, LIMIT_NS), FTPOOL_OK);
        assert_eq!(c!(ftpool_spawn_workers(pool.handle(), 1, &mut started)), FTPOOL_E_SHUTDOWN);
        assert_eq!(c!(ftpool_run(pool.handle(), function, argument, null_mut())), FTPOOL_E_SHUTDOWN);
    });
}

/// A number that identifies the calling thread.
fn thread_number() -> usize {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: usize = LAST.fetch_add(1, SeqCst) + 1);
    NUMBER.with(|number| *number)
}
