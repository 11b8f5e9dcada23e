//! Children of a fork that wait for threads of their parent.
#![cfg(target_os = "linux")]

mod common;

use common::{Gate, pool_of, within_limit};
use fastthreadpool::{JobError, WaitError};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Forks, and returns the status with which the child ended: 0 if `holds` was true there.
fn end_of_child(holds: impl FnOnce() -> bool) -> i32 {
    // SAFETY: the child only calls `holds`, which may allocate, and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: always allowed; it ends a child that hangs.
        unsafe { libc::alarm(10) };
        // SAFETY: always allowed.
        unsafe { libc::_exit(i32::from(!holds())) };
    }
    let mut status = -1;
    // SAFETY: the child is this test's, and the status is writable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status
}

/// Conformance 109, design rule 16: in a forked child no thread will ever wake the task.
#[test]
fn a_handle_awaited_in_a_forked_child_says_that_nothing_will_come() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let mut job = pin!(pool.submit(gate.job()).unwrap());
        let says_so = || match job.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(JobError::Failed(error))) => error.downcast_ref() == Some(&WaitError::Forked),
            _ => false,
        };
        assert_eq!(end_of_child(says_so), 0);
        gate.open();
    });
}

/// Reliability R8: another thread of the parent may be giving the results a callback while it forks.
#[test]
fn a_callback_set_in_a_forked_child_waits_for_nobody_in_the_parent() {
    within_limit(|| {
        let (pool, over) = (pool_of(1), AtomicBool::new(false));
        let results = pool.results::<()>();
        results.on_outcome(|_| ()).unwrap();
        let is_refused = || results.on_outcome(|_| ()).is_err();
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(SeqCst) {
                    assert!(is_refused());
                }
            });
            let ends: Vec<_> = (0..100).map(|_| end_of_child(is_refused)).collect();
            over.store(true, SeqCst);
            assert_eq!(ends, [0; 100]);
        });
    });
}
