//! Backpressure and groups from C: statuses, ownership, and bad input.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, LIMIT_NS, SUBMIT_OPTIONS, c, job, waiting};
use common::{Count, Gate, within_limit};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ptr::null_mut;

fn bounded(policy: u32, max_queued: usize) -> ftpool_config {
    ftpool_config { workers: 1, policy, max_queued, ..CONFIG }
}

fn status_of(config: &ftpool_config) -> ftpool_status {
    CPool::new(config).map_or_else(|status| status, |_| FTPOOL_OK)
}

/// Decisions, "saturated submit": what does not fit is FTPOOL_FULL, and the argument stays the caller's.
#[test]
fn a_full_pool_says_so() {
    within_limit(|| {
        let (gate, count) = (Gate::new(), Count::new());
        let block = waiting(&gate);
        let counted = count.clone();
        let tally = move || counted.add();
        let (block, (function, arg)) = (job(&block), job(&tally));
        let (pool, gate) = (CPool::new(&bounded(FTPOOL_POLICY_REJECT, 2)).unwrap(), gate);
        let submit = || c!(ftpool_submit(pool.handle(), function, arg, null_mut()));
        assert_eq!(c!(ftpool_submit(pool.handle(), block.0, block.1, null_mut())), FTPOOL_OK);
        gate.wait_started(1);
        assert_eq!([submit(), submit(), submit()], [FTPOOL_OK, FTPOOL_OK, FTPOOL_FULL]);
        assert_eq!(c!(ftpool_submit_first(pool.handle(), function, arg, null_mut())), FTPOOL_FULL);
        let args = [arg; 3];
        assert_eq!(c!(ftpool_submit_batch(pool.handle(), function, args.as_ptr(), 3, null_mut())), FTPOOL_FULL);
        for timeout in [FTPOOL_NOW, 1_000_000] {
            let mut id = 7;
            assert_eq!(c!(ftpool_try_submit(pool.handle(), function, arg, timeout, &mut id)), FTPOOL_FULL);
            assert_eq!(id, 7);
        }
        gate.open();
        let mut id = 0;
        assert_eq!(c!(ftpool_try_submit(pool.handle(), function, arg, FTPOOL_FOREVER, &mut id)), FTPOOL_OK);
        assert_ne!(id, 0);
        assert_eq!(c!(ftpool_wait_idle(pool.handle(), LIMIT_NS)), FTPOOL_OK);
        assert_eq!(count.get(), 3);
    });
}

/// Bad input gets a status and loses nothing.
#[test]
fn bad_bounds_are_refused() {
    assert_eq!(status_of(&bounded(6, 1)), FTPOOL_E_INVALID);
    assert_eq!(
        status_of(&ftpool_config { policy_timeout_ns: -2, ..bounded(FTPOOL_POLICY_TIMED, 1) }),
        FTPOOL_E_INVALID
    );
    for policy in FTPOOL_POLICY_BLOCK..=FTPOOL_POLICY_HAND_OFF {
        let huge = ftpool_config { policy_timeout_ns: i64::MAX, ..bounded(policy, usize::MAX) };
        assert_eq!(status_of(&huge), FTPOOL_OK);
    }
    unsafe extern "C" fn tell(_: *mut std::ffi::c_void, _: u32, _: usize) {}
    let marks = |low_water, high_water| ftpool_config { low_water, high_water, water_callback: Some(tell), ..CONFIG };
    assert_eq!(
        [status_of(&marks(0, 0)), status_of(&marks(2, 1)), status_of(&marks(0, 1))],
        [FTPOOL_E_INVALID, FTPOOL_E_INVALID, FTPOOL_OK]
    );
    let pool = CPool::of(1);
    let tally = || 0;
    let (function, arg) = job(&tally);
    assert_eq!(c!(ftpool_try_submit(null_mut(), function, arg, 0, null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_try_submit(pool.handle(), None, arg, 0, null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_try_submit(pool.handle(), function, arg, -2, null_mut())), FTPOOL_E_INVALID);
}

/// Conformance 99, 103, from C; and a group that outlives its pool.
#[test]
fn a_group_is_limited_cancelled_and_waited_for() {
    within_limit(|| {
        let (gate, count) = (Gate::new(), Count::new());
        let (block, counted) = (waiting(&gate), count.clone());
        let tally = move || counted.add();
        let (block, (function, arg)) = (job(&block), job(&tally));
        let (pool, gate) = (CPool::of(2), gate);
        let mut group = null_mut();
        assert_eq!(c!(ftpool_group_new(pool.handle(), 1, FTPOOL_PRIORITY_LOW, &mut group)), FTPOOL_OK);
        assert_eq!(c!(ftpool_group_submit(group, block.0, block.1, null_mut())), FTPOOL_OK);
        gate.wait_started(1);
        let mut ids = [0; 4];
        for id in &mut ids {
            assert_eq!(c!(ftpool_group_submit_first(group, function, arg, id)), FTPOOL_OK);
        }
        assert_eq!((c!(ftpool_group_busy(group)), c!(ftpool_group_pending(group))), (1, 5));
        assert_eq!(c!(ftpool_cancel(pool.handle(), ids[0])), FTPOOL_OK);
        let mut cancelled = 0;
        assert_eq!(c!(ftpool_group_cancel_all(group, &mut cancelled)), FTPOOL_OK);
        assert_eq!((cancelled, c!(ftpool_group_pending(group))), (3, 1));
        assert_eq!(c!(ftpool_group_wait_idle(group, FTPOOL_NOW)), FTPOOL_TIMEOUT);
        gate.open();
        assert_eq!(c!(ftpool_group_wait_idle(group, LIMIT_NS)), FTPOOL_OK);
        let options = ftpool_submit_options { flags: FTPOOL_SUBMIT_FIRST, group, ..SUBMIT_OPTIONS };
        assert_eq!(c!(ftpool_submit_with(pool.handle(), function, arg, &options, null_mut())), FTPOOL_OK);
        let other = CPool::of(1);
        assert_eq!(c!(ftpool_submit_with(other.handle(), function, arg, &options, null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_group_wait_idle(group, LIMIT_NS)), FTPOOL_OK);
        assert_eq!(count.get(), 1);
        drop(pool);
        assert_eq!(c!(ftpool_group_submit(group, function, arg, null_mut())), FTPOOL_E_SHUTDOWN);
        assert_eq!(c!(ftpool_group_pending(group)), 0);
        c!(ftpool_group_free(group));
    });
}

/// Bad input gets a status and loses nothing.
#[test]
fn bad_groups_are_refused() {
    let pool = CPool::of(1);
    let tally = || 0;
    let (function, arg) = job(&tally);
    let mut group = std::ptr::dangling_mut();
    assert_eq!(c!(ftpool_group_new(null_mut(), 1, 0, &mut group)), FTPOOL_E_INVALID);
    assert!(group.is_null());
    assert_eq!(c!(ftpool_group_new(pool.handle(), 1, 3, &mut group)), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_group_new(pool.handle(), 1, 0, null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_group_submit(null_mut(), function, arg, null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_group_cancel_all(null_mut(), null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_group_wait_idle(null_mut(), 0)), FTPOOL_E_INVALID);
    assert_eq!((c!(ftpool_group_busy(null_mut())), c!(ftpool_group_pending(null_mut()))), (0, 0));
    c!(ftpool_group_free(null_mut()));
    assert_eq!(c!(ftpool_group_new(pool.handle(), usize::MAX, 0, &mut group)), FTPOOL_OK);
    assert_eq!(c!(ftpool_group_submit(group, None, arg, null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_group_wait_idle(group, -2)), FTPOOL_E_INVALID);
    c!(ftpool_group_free(group));
}
