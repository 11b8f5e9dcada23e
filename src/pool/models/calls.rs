//! Models of calls: work that every worker does once.

use super::{Tally, drain, settings, with};
use crate::pool::{Core, Settings, broadcast};
use crate::sync::Deadline;
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::model::check;
use std::time::Duration;

/// Race: a worker runs a job and falls asleep while it gets a call.
#[test]
fn a_worker_that_is_called_comes() {
    check(2, || {
        let (core, tally) = (Core::new(settings(1)), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        let calls = AtomicUsize::new(0);
        let body = |_| _ = calls.fetch_add(1, Ordering::Relaxed);
        assert!(broadcast::run(&core, &body).unwrap().is_ok());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        drain(&core);
        assert_eq!(tally.run(), 1);
    });
}

/// Race: an idle worker gets a call while it leaves.
#[test]
fn a_worker_that_leaves_is_called_or_replaced() {
    check(1, || {
        let impatient = Settings { idle_timeout: Some(Duration::ZERO), ..settings(1) };
        let (core, tally) = (Core::new(impatient), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        core.wait_quiescent(Deadline::NEVER).unwrap();
        let calls = AtomicUsize::new(0);
        let body = |_| _ = calls.fetch_add(1, Ordering::Relaxed);
        assert!(broadcast::run(&core, &body).unwrap().is_ok());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        drain(&core);
    });
}

/// Race: the pool is closed while its worker gets a call: the call is run, or the caller is refused.
#[test]
fn a_call_to_a_closing_pool_is_answered_or_refused() {
    check(2, || {
        let core = Core::new(settings(1));
        let closer = with(&core, |core| drain(core));
        let calls = AtomicUsize::new(0);
        let body = |_| _ = calls.fetch_add(1, Ordering::Relaxed);
        let called = broadcast::run(&core, &body).is_ok();
        assert_eq!(calls.load(Ordering::Relaxed), usize::from(called));
        closer.join().unwrap();
        drain(&core);
    });
}
