//! Handles as futures: tasks that are woken too late, twice or never, or kept in memory.

mod common;

use common::{Gate, LIMIT, blocked, eventually, pool_of, within_limit};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

struct Woken(thread::Thread, AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, SeqCst);
        self.0.unpark();
    }
}

/// Conformance 109: a handle is a future, woken once by the waker that polled last.
#[test]
fn a_handle_can_be_awaited() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let mut job = pin!(pool.submit(|| 9).unwrap());
        let stale = Arc::new(Woken(thread::current(), AtomicUsize::new(0)));
        let fresh = Arc::new(Woken(thread::current(), AtomicUsize::new(0)));
        for waker in [&stale, &fresh] {
            let waker = Waker::from(Arc::clone(waker));
            assert!(job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        gate.open();
        while fresh.1.load(SeqCst) == 0 {
            thread::park_timeout(LIMIT);
        }
        let Poll::Ready(result) = job.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("woken without a value");
        };
        assert_eq!(result.unwrap(), 9);
        assert_eq!((stale.1.load(SeqCst), fresh.1.load(SeqCst)), (0, 1));
    });
}

/// Conformance 109: a task that no longer waits for a handle is not kept in memory until the job ends.
#[test]
fn a_dropped_handle_keeps_no_waker() {
    within_limit(|| {
        let (pool, _gate) = blocked();
        let woken = Arc::new(Woken(thread::current(), AtomicUsize::new(0)));
        let mut job = pool.submit(|| ()).unwrap();
        let waker = Waker::from(Arc::clone(&woken));
        assert!(pin!(&mut job).poll(&mut Context::from_waker(&waker)).is_pending());
        drop((waker, job));
        assert_eq!(Arc::strong_count(&woken), 1);
    });
}

/// Conformance 109: removing a callback by another handle's key returns false, and does not stop an awaiting task.
#[test]
fn a_key_of_another_handle_takes_no_waker_away() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let ended = pool.submit(|| ()).unwrap();
        ended.wait(LIMIT).unwrap();
        let key = ended.on_done(|_| ());
        let mut job = pool.submit(gate.job()).unwrap();
        let woken = Arc::new(Woken(thread::current(), AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&woken));
        assert!(pin!(&mut job).poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(!job.remove_callback(key));
        gate.open();
        eventually("the task is woken", || woken.1.load(SeqCst) == 1);
    });
}
