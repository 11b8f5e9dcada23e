//! Models of forks, loops and scopes: each piece is run once, and its caller continues after its end.

use super::{Tally, drain, pool, with};
use crate::pool::branch::Piece;
use crate::pool::call_sites::Site;
use crate::pool::loops;
use crate::pool::offered::Offered;
use crate::pool::trial::Rest;
use crate::pool::{Core, Scope, fork};
use crate::sys::cell::UnsafeCell;
use crate::sys::model::check;
use loom::thread;
use std::sync::Arc;

/// A number that one piece of work changes, and that is read after its end. The checker reports data races on it.
struct Number(UnsafeCell<usize>);

// SAFETY: the models change it on one thread at a time, and read it after the last change.
unsafe impl Sync for Number {}

impl Number {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn add(&self) {
        // SAFETY: no other thread accesses it now, which the checker verifies.
        self.0.with_mut(|number| unsafe { *number += 1 });
    }

    fn get(&self) -> usize {
        // SAFETY: as above.
        self.0.with(|number| unsafe { *number })
    }
}

/// Race: a worker begins the offered piece while its owner takes it back.
#[test]
fn a_forks_second_piece_is_run_once() {
    check(2, || {
        let core = pool(1);
        let (a, b) = (Number::new(), Number::new());
        let _: ((), ()) = fork::join(&core, || a.add(), || b.add());
        assert_eq!((a.get(), b.get()), (1, 1));
        drain(&core);
    });
}

/// Race: all queued jobs are cancelled while the owner takes the piece back.
#[test]
fn a_forks_second_piece_survives_a_cancellation() {
    check(1, || {
        let core = pool(1);
        let canceller = with(&core, |core| core.cancel_all());
        let b = Number::new();
        fork::join(&core, || (), || b.add());
        assert_eq!(b.get(), 1);
        canceller.join().unwrap();
        drain(&core);
    });
}

/// Runs a piece that posts a piece of its own to its joiner. That one is `taken_back` and run, or else joined; it is
/// run at once if there is no idle joiner.
fn post(taken_back: fn(&Arc<Offered>, &Arc<Core>) -> bool) {
    let core = pool(1);
    let number = Arc::new(Number::new());
    let (own, inner) = (Arc::clone(&core), Arc::clone(&number));
    let outer = Piece::new(move || {
        inner.add();
        let piece = Piece::new(|| inner.add());
        let offered = Arc::new(Offered::new(&raw const piece.branch, &own));
        if !offered.try_post() || taken_back(&offered, &own) || !offered.join(Some(&own)) {
            // SAFETY: 1. no other thread has it.
            let code = unsafe { piece.take_code() };
            code();
        }
        inner.add();
    });
    let offered = Arc::new(Offered::new(&raw const outer.branch, &core));
    let same = Arc::clone(&offered);
    let runner = thread::spawn(move || {
        // SAFETY: 1. it is joined, not taken back.
        unsafe { same.run() };
        same.done(None);
    });
    assert!(offered.join(Some(&core)));
    assert_eq!(number.get(), 3);
    runner.join().unwrap();
    drain(&core);
}

/// Race: the joiner takes a posted piece while its owner takes it back.
#[test]
fn a_posted_piece_is_run_once() {
    check(2, || post(Offered::try_take_back));
}

/// Race: the joiner falls asleep while a piece is posted that only the joiner will run.
#[test]
fn a_posted_piece_wakes_the_joiner() {
    check(2, || post(|_, _| false));
}

/// Race: caller and helper claim chunks; the caller revokes the helper, or waits for its end.
#[test]
fn every_chunk_of_a_loop_is_run_once() {
    check(2, || {
        let core = pool(1);
        let numbers = [Number::new(), Number::new(), Number::new()];
        let body = |items: std::ops::Range<usize>| items.for_each(|item| numbers[item].add());
        let rest = Rest { items: 0..3, chunk: 1, flexible: false, stoppable: false, site: Site::of(&body) };
        assert!(loops::run(&core, rest, &body).is_ok());
        assert!(numbers.iter().all(|number| number.get() == 1));
        drain(&core);
    });
}

/// Race: the last job of a scope ends while the scope begins to wait.
#[test]
fn a_scope_sees_what_its_jobs_did() {
    check(2, || {
        let core = pool(1);
        let number = Number::new();
        let scope = Scope::new(&core);
        // SAFETY: 1. the scope and the number outlive the wait.
        unsafe { scope.spawn(|| number.add()) };
        assert!(scope.wait().is_ok());
        assert_eq!(number.get(), 1);
        drain(&core);
    });
}

/// Race: a job of a scope is claimed, or cancelled and handed back while the scope begins to wait.
#[test]
fn a_scope_runs_what_was_cancelled() {
    check(2, || {
        let core = pool(1);
        let number = Number::new();
        let scope = Scope::new(&core);
        // SAFETY: 1. the scope and the number outlive the wait.
        unsafe { scope.spawn(|| number.add()) };
        let canceller = with(&core, |core| core.cancel_all());
        assert!(scope.wait().is_ok());
        assert_eq!(number.get(), 1);
        canceller.join().unwrap();
        drain(&core);
    });
}

/// Race: a job waits for another one, which a second worker claims.
#[test]
fn a_job_that_another_job_waits_for_is_run_once() {
    check(1, || {
        let (core, tally) = (pool(2), Tally::new());
        let inner = Arc::clone(&tally);
        let outer = tally.job(move |worker| {
            let awaited = inner.empty_job();
            let id = worker.core().submit(awaited).unwrap();
            worker.wait_for_one(std::iter::once(id), || vec![id], || inner.wait_until_one_ran()).unwrap();
            assert_eq!(inner.run(), 1);
        });
        core.submit(outer).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}
