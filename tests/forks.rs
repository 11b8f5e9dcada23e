//! Children of a fork that wait for threads of their parent.
#![cfg(target_os = "linux")]

mod common;

use common::{Gate, LIMIT, pool_of, within_limit};
use fastthreadpool::{Deadline, JobError, RecvError, WaitError};
use std::future::Future;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
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

/// Ends the calling process, a child, in a second, also from a worker, which blocks the signal.
fn end_in_a_second() {
    let mut alarm = std::mem::MaybeUninit::uninit();
    // SAFETY: the set is writable.
    unsafe { libc::sigemptyset(alarm.as_mut_ptr()) };
    // SAFETY: it was initialised.
    unsafe { libc::sigaddset(alarm.as_mut_ptr(), libc::SIGALRM) };
    // SAFETY: as above; the old mask is not wanted.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, alarm.as_ptr(), std::ptr::null_mut()) };
    // SAFETY: always allowed.
    unsafe { libc::alarm(1) };
}

fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut polled = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: it is one descriptor, and writable.
    unsafe { libc::poll(&raw mut polled, 1, 0) == 1 }
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

/// Reliability R8: parent and child share the descriptor, but not what it tells.
#[test]
fn a_child_that_reads_does_not_silence_the_parents_descriptor() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let fd = results.poll_fd().unwrap();
        results.submit(|| 1).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        let reads_to_the_end = || {
            let next = [(); 2].map(|()| results.next(Deadline::NOW));
            next[0].is_ok() && matches!(next[1], Err(RecvError::Finished)) && results.poll_fd().is_err()
        };
        assert_eq!(end_of_child(reads_to_the_end), 0);
        assert!(is_readable(fd), "the parent has not read it");
        assert_eq!(results.next_done(Deadline::NOW).unwrap().1, 1);
        assert!(results.next(Deadline::NOW).is_err() && !is_readable(fd));
    });
}

/// Reliability R8: a job that forks ends in the child, too; the outcome there is not the parent's.
#[test]
fn a_job_that_ends_in_a_child_does_not_ring_in_the_parent() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results();
        let fd = results.poll_fd().unwrap();
        let wait = gate.job();
        let code = move || {
            // SAFETY: the child runs only the library's code.
            let child = unsafe { libc::fork() };
            if child == 0 {
                end_in_a_second();
                return;
            }
            // SAFETY: it may be NULL.
            assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
            wait();
        };
        results.submit(code).unwrap();
        gate.wait_started(1);
        assert!(!is_readable(fd), "there is nothing to read");
        gate.open();
        results.next_done(LIMIT).unwrap();
    });
}

/// Reliability R8: another thread of the parent may be making the descriptor while it forks.
#[test]
fn a_descriptor_asked_for_in_a_forked_child_waits_for_nobody_in_the_parent() {
    within_limit(|| {
        let (pool, made) = (pool_of(1), AtomicUsize::new(0));
        for _ in 0..20 {
            let results: Vec<_> = (0..500).map(|_| pool.results::<()>()).collect();
            made.store(0, SeqCst);
            thread::scope(|scope| {
                scope.spawn(|| {
                    for results in &results {
                        results.poll_fd().unwrap();
                        made.fetch_add(1, SeqCst);
                    }
                });
                while made.load(SeqCst) < results.len() {
                    let asks = || results[made.load(SeqCst)..].first().is_none_or(|asked| asked.poll_fd().is_err());
                    assert_eq!(end_of_child(asks), 0);
                }
            });
        }
    });
}
