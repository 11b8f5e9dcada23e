//! Pools as a whole in C: hooks, cancelling all, reopening, and all pools of the process.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, EVERY_HOW, How, LIMIT_NS, Seen, Which, c, text, waiting};
use common::{Count, Gate, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ffi::{c_char, c_void};
use std::mem::ManuallyDrop;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Held by each test: some affect all pools of the process.
fn alone(body: impl FnOnce() + Send + 'static) {
    within_limit(|| {
        let _turn = lock(&ONE_AT_A_TIME);
        body();
    });
}

fn cancel_all(pool: &CPool<'_>, what: u32) -> (ftpool_status, usize) {
    let mut count = usize::MAX;
    let status = c!(ftpool_cancel_all(pool.handle(), what, &mut count));
    (status, count)
}

fn queued_ids(pool: &CPool<'_>, capacity: usize) -> (Vec<u64>, usize) {
    let (mut ids, mut count) = (vec![u64::MAX; capacity + 1], usize::MAX);
    assert_eq!(c!(ftpool_queued_ids(pool.handle(), capacity, ids.as_mut_ptr(), &mut count)), FTPOOL_OK);
    assert_eq!(ids.pop(), Some(u64::MAX), "no more is written than there is room for");
    ids.truncate(count.min(capacity));
    (ids, count)
}

/// Conformance 53, 54.
#[test]
fn cancelling_all_that_is_queued_or_nothing() {
    alone(|| {
        let (gate, ran) = (Gate::new(), Count::new());
        let (block, count) = (waiting(&gate), || ran.add());
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results();
        results.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        let mut ids: Vec<_> = (0..90).map(|n| results.submit(EVERY_HOW[n % 3], &count).unwrap()).collect();
        ids.sort();
        assert_eq!(queued_ids(&pool, 90), (ids.clone(), 90));
        assert_eq!(queued_ids(&pool, 7), (ids[..7].to_vec(), 90));
        assert_eq!(c!(ftpool_queued_ids(pool.handle(), 0, null_mut(), &mut 0)), FTPOOL_OK);
        assert_eq!(cancel_all(&pool, 0), (FTPOOL_OK, 0));
        assert_eq!(cancel_all(&pool, 1 << 31), (FTPOOL_E_INVALID, usize::MAX));
        assert_eq!(pool.counts(), [1, 1, 91]);
        assert_eq!(cancel_all(&pool, FTPOOL_CANCEL_QUEUED), (FTPOOL_OK, 90));
        assert_eq!(c!(ftpool_cancel_all(pool.handle(), FTPOOL_CANCEL_QUEUED, null_mut())), FTPOOL_OK);
        assert_eq!((pool.counts(), queued_ids(&pool, 3)), ([1, 1, 1], (vec![], 0)));
        let mut reported = results.take(100);
        reported.sort_by_key(|seen| seen.id);
        assert_eq!(reported, ids.into_iter().map(Seen::cancelled).collect::<Vec<_>>());
        gate.open();
        assert!(results.next(Which::Done).is_ok());
        assert_eq!(ran.get(), 0);
    });
}

/// Reliability R6: NULL is no pool, and outputs are written on success only.
#[test]
fn calls_on_no_pool_are_refused() {
    let (mut count, mut id) = (7, 7);
    let refused = [
        c!(ftpool_cancel_all(null_mut(), FTPOOL_CANCEL_QUEUED, &mut count)),
        c!(ftpool_queued_ids(null_mut(), 1, &mut id, &mut count)),
        c!(ftpool_queued_ids(ftpool_default(), 1, null_mut(), &mut count)),
        c!(ftpool_queued_ids(ftpool_default(), 1, &mut id, null_mut())),
        c!(ftpool_clear(null_mut(), FTPOOL_NOW, &mut count)),
        c!(ftpool_reopen(null_mut(), FTPOOL_NOW)),
        c!(ftpool_check(null_mut(), null_mut())),
        c!(ftpool_shutdown_now(null_mut(), None, null_mut(), FTPOOL_NOW)),
        c!(ftpool_shutdown_now(ftpool_default(), None, null_mut(), FTPOOL_NOW)),
    ];
    assert_eq!((refused, count, id), ([FTPOOL_E_INVALID; 9], 7, 7));
    c!(ftpool_abandon(null_mut()));
}

/// Conformance 56, 62.
#[test]
fn a_pool_is_cleared_and_opened_again() {
    alone(|| {
        let gate = Gate::new();
        let (block, one) = (waiting(&gate), || 1);
        let fail = || usize::from(c!(ftpool_fail(1, null())) != FTPOOL_OK);
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results();
        assert!(pool.submit(How::Last, &fail).is_ok());
        assert!(results.submit(How::Last, &block).is_ok());
        gate.wait_started(1);
        assert!(results.submit(How::Last, &one).is_ok());
        let mut count = usize::MAX;
        assert_eq!((c!(ftpool_clear(pool.handle(), FTPOOL_NOW, &mut count)), count), (FTPOOL_OK, 1));
        assert_eq!((c!(ftpool_failed(pool.handle())), pool.counts()), (0, [1, 1, 1]));
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_NOW), FTPOOL_TIMEOUT);
        assert_eq!(c!(ftpool_reopen(pool.handle(), 1_000_000)), FTPOOL_TIMEOUT);
        assert_eq!(c!(ftpool_clear(pool.handle(), FTPOOL_NOW, null_mut())), FTPOOL_TIMEOUT);
        assert_eq!(c!(ftpool_check(pool.handle(), null_mut())), FTPOOL_E_SHUTDOWN);
        gate.open();
        assert_eq!(c!(ftpool_reopen(pool.handle(), LIMIT_NS)), FTPOOL_OK);
        assert_eq!(c!(ftpool_reopen(pool.handle(), FTPOOL_NOW)), FTPOOL_OK);
        assert_eq!(c!(ftpool_check(pool.handle(), null_mut())), FTPOOL_OK);
        let id = results.submit(How::Last, &one).unwrap();
        assert_eq!(results.next(Which::Failed).map(|seen| seen.outcome), Ok(FTPOOL_OUTCOME_CANCELLED));
        assert_eq!(results.next(Which::Done).map(|seen| seen.value), Ok(0));
        assert_eq!(results.next(Which::Done), Ok(Seen::done(id, 1)));
        assert_eq!([c!(ftpool_reopen(pool.handle(), -2)), c!(ftpool_reopen(null_mut(), 0))], [FTPOOL_E_INVALID; 2]);
        let mut untouched = usize::MAX;
        assert_eq!(c!(ftpool_clear(pool.handle(), -2, &mut untouched)), FTPOOL_E_INVALID);
        assert_eq!((c!(ftpool_clear(null_mut(), 0, &mut untouched)), untouched), (FTPOOL_E_INVALID, usize::MAX));
    });
}

/// Conformance 64, 65.
#[test]
fn all_pools_end_at_once() {
    alone(|| {
        for mode in [FTPOOL_SHUTDOWN_DRAIN, FTPOOL_SHUTDOWN_CANCEL] {
            let (gate, ran) = (Gate::new(), Count::new());
            let (block, count) = (waiting(&gate), || ran.add());
            let all = || usize::from(ftpool_shutdown_all(FTPOOL_SHUTDOWN_DRAIN, -1) == FTPOOL_E_DEADLOCK);
            let (pools, gate) = ([CPool::of(1), CPool::of(1)], gate);
            let results = pools[0].results();
            assert!(results.submit(How::Last, &all).is_ok());
            assert_eq!(results.next(Which::Done).map(|seen| seen.value), Ok(1));
            pools.iter().for_each(|pool| assert!(pool.submit(How::Last, &block).is_ok()));
            gate.wait_started(2);
            pools.iter().for_each(|pool| assert!(pool.submit(How::Last, &count).is_ok()));
            assert_eq!(ftpool_shutdown_all(2, 0), FTPOOL_E_INVALID);
            assert_eq!(ftpool_shutdown_all(mode, -2), FTPOOL_E_INVALID);
            pools.iter().for_each(|pool| assert_eq!(c!(ftpool_check(pool.handle(), null_mut())), FTPOOL_OK));
            assert_eq!(ftpool_shutdown_all(mode, 1_000_000), FTPOOL_TIMEOUT);
            gate.open();
            assert_eq!(ftpool_shutdown_all(mode, FTPOOL_FOREVER), FTPOOL_OK);
            assert_eq!(ftpool_shutdown_all(mode, FTPOOL_NOW), FTPOOL_OK);
            assert_eq!(pools.each_ref().map(|pool| pool.submit(How::Last, &count)), [Err(FTPOOL_E_SHUTDOWN); 2]);
            assert_eq!(ran.get(), if mode == FTPOOL_SHUTDOWN_DRAIN { 2 } else { 0 });
            assert_eq!(c!(ftpool_reopen(ftpool_default(), LIMIT_NS)), FTPOOL_OK);
        }
    });
}

/// What the header says of ftpool_default().
#[test]
fn the_default_pool_is_the_librarys() {
    static RAN: Mutex<usize> = Mutex::new(0);
    extern "C" fn count(by: *mut c_void) -> *mut c_void {
        *lock(&RAN) += by.addr();
        null_mut()
    }
    alone(|| {
        let pool = ftpool_default();
        assert!(!pool.is_null() && pool == ftpool_default());
        c!(ftpool_free(pool));
        c!(ftpool_abandon(pool));
        assert_eq!(c!(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_submit(pool, Some(count), c_common::value(5), null_mut())), FTPOOL_OK);
        assert_eq!(c!(ftpool_wait_idle(pool, LIMIT_NS)), FTPOOL_OK);
        assert_eq!(*lock(&RAN), 5);
    });
}

/// What the header says about ftpool_abandon(): it does not wait, and accepted jobs still run.
#[test]
fn an_abandoned_pool_is_not_waited_for() {
    alone(|| {
        for from_job in [false, true] {
            let (gate, ran) = (Gate::new(), Count::new());
            let (block, count) = (waiting(&gate), || ran.add());
            let abandon = || {
                block();
                c!(ftpool_abandon(ftpool_current()));
                ran.add()
            };
            let first = || if from_job { abandon() } else { block() };
            let pool = ManuallyDrop::new(CPool::of(1));
            let results = pool.results();
            results.submit(How::Last, &first).unwrap();
            results.submit(How::Last, &count).unwrap();
            if !from_job {
                gate.wait_started(1);
                c!(ftpool_abandon(pool.handle()));
            }
            gate.open();
            assert!(results.next(Which::Done).is_ok() && results.next(Which::Done).is_ok());
            assert_eq!(results.submit(How::Last, &count), Err(FTPOOL_E_SHUTDOWN));
            assert_eq!(ran.get(), if from_job { 2 } else { 1 });
        }
        c!(ftpool_abandon(null_mut()));
    });
}

/// The arguments of hook calls.
#[derive(Default)]
struct Told {
    started: Mutex<Vec<u32>>,
    stopped: Mutex<Vec<u32>>,
    failures: Mutex<Vec<(u64, i32, String)>>,
    lines: Mutex<Vec<(u32, String)>>,
    /// The hook of this kind declares a failure.
    fails: Option<&'static str>,
}

impl Told {
    fn of(context: &*mut c_void) -> &Self {
        // SAFETY: the context is a test's, which outlives the pool.
        unsafe { &*context.cast::<Self>() }
    }

    fn config(&self) -> ftpool_config {
        let context = std::ptr::from_ref(self).cast_mut().cast();
        ftpool_config { start: Some(start), stop: Some(stop), failed: Some(failed), log: Some(log), context, ..CONFIG }
    }
}

extern "C" fn start(context: *mut c_void, worker: u32) {
    let told = Told::of(&context);
    lock(&told.started).push(worker);
    assert_eq!((ftpool_self_id(), ftpool_worker_index()), (0, worker as i32));
    if told.fails == Some("start") {
        assert_eq!(c!(ftpool_fail(9, c"no licence".as_ptr())), FTPOOL_OK);
    }
}

extern "C" fn stop(context: *mut c_void, worker: u32) {
    let told = Told::of(&context);
    lock(&told.stopped).push(worker);
    if told.fails == Some("stop") {
        assert_eq!(c!(ftpool_fail(9, c"no licence".as_ptr())), FTPOOL_OK);
    }
}

extern "C" fn failed(context: *mut c_void, id: u64, code: i32, message: *const c_char) {
    assert_eq!(ftpool_self_id(), id);
    lock(&Told::of(&context).failures).push((id, code, text(message)));
}

extern "C" fn log(context: *mut c_void, level: u32, line: *const c_char) {
    lock(&Told::of(&context).lines).push((level, text(line)));
}

/// Conformance 10, 33, 34.
#[test]
fn hooks_are_called_with_their_context() {
    alone(|| {
        let told = Told::default();
        let fail = || usize::from(c!(ftpool_fail(3, c"no disk".as_ptr())) != FTPOOL_OK);
        let pool = CPool::new(&ftpool_config { workers: 1, ..told.config() }).unwrap();
        let results = pool.results();
        let ids = [pool.submit(How::Last, &fail), results.submit(How::Last, &fail)].map(Result::unwrap);
        assert_eq!(results.next(Which::Any), Ok(Seen::failed(ids[1], 3, "no disk")));
        drop(results);
        drop(pool);
        assert_eq!((&*lock(&told.started), &*lock(&told.stopped)), (&vec![0], &vec![0]));
        assert_eq!(*lock(&told.failures), ids.map(|id| (id, 3, "no disk".into())));
        let line = |id| (FTPOOL_LOG_ERROR, format!("ThreadPool: job {id}: the job failed: no disk (code 3)"));
        assert_eq!(*lock(&told.lines), ids.map(line));
    });
}

/// Conformance 11, 12, 108.
#[test]
fn a_failing_hook_breaks_the_pool_and_says_why() {
    alone(|| {
        for kind in ["start", "stop"] {
            let told = Told { fails: Some(kind), ..Told::default() };
            let one = || 1;
            let pool = CPool::new(&ftpool_config { workers: 1, ..told.config() }).unwrap();
            let results = pool.results();
            let id = results.submit(How::Last, &one).unwrap();
            let expected = if kind == "start" { Seen::cancelled(id) } else { Seen::done(id, 1) };
            assert_eq!(results.next(Which::Any), Ok(expected));
            if kind == "stop" {
                assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER), FTPOOL_OK);
            }
            assert_eq!(EVERY_HOW.map(|how| pool.submit(how, &one)), [Err(FTPOOL_E_BROKEN); 3]);
            let mut cause = null();
            assert_eq!(c!(ftpool_check(pool.handle(), &mut cause)), FTPOOL_E_BROKEN);
            let expected = format!("the {kind} hook of worker 0 failed: no licence (code 9)");
            assert_eq!(text(cause), expected);
            assert_eq!(*lock(&told.lines), [(FTPOOL_LOG_ERROR, format!("ThreadPool: the pool is broken: {expected}"))]);
            assert_eq!(c!(ftpool_reopen(pool.handle(), FTPOOL_FOREVER)), FTPOOL_E_BROKEN);
            assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER), FTPOOL_OK);
            assert_eq!(lock(&told.stopped).len(), usize::from(kind == "stop"));
        }
        assert_eq!(c!(ftpool_check(null_mut(), null_mut())), FTPOOL_E_INVALID);
    });
}

/// Reliability R10: the only worker of a pool would wait forever.
#[test]
fn the_only_worker_is_told_that_no_outcome_can_come() {
    alone(|| {
        let one = || 1;
        let results_of_all = Mutex::new(0_usize);
        let wait = || {
            let handle: *mut ftpool_results = std::ptr::with_exposed_provenance_mut(*lock(&results_of_all));
            let mut result = c_common::RESULT;
            let submitted = c!(ftpool_results_submit(handle, Some(done), null_mut(), null_mut()));
            let untimed = c!(ftpool_results_next(handle, FTPOOL_FOREVER, &mut result));
            let timed = c!(ftpool_results_next(handle, 1_000_000, &mut result));
            usize::from((submitted, untimed, timed) == (FTPOOL_OK, FTPOOL_E_DEADLOCK, FTPOOL_TIMEOUT))
        };
        let pool = CPool::of(1);
        let (results, verdicts) = (pool.results(), pool.results());
        *lock(&results_of_all) = results.handle().expose_provenance();
        verdicts.submit(How::Last, &wait).unwrap();
        assert_eq!(verdicts.next(Which::Done).map(|seen| seen.value), Ok(1));
        assert!(results.next(Which::Done).is_ok());
        assert_eq!(pool.submit(How::Last, &one).map(drop), Ok(()));
    });
}

extern "C" fn done(argument: *mut c_void) -> *mut c_void {
    argument
}

extern "C" fn list(context: *mut c_void, id: ftpool_job_id) {
    // SAFETY: the context is a list that lives during the call.
    unsafe { &mut *context.cast::<Vec<u64>>() }.push(id);
}

/// Conformance 111: what a shutdown cancels is listed, in order, before it waits.
#[test]
fn a_shutdown_lists_what_it_cancels() {
    alone(|| {
        let (gate, ran) = (Gate::new(), Count::new());
        let (block, count) = (waiting(&gate), || ran.add());
        let (pool, gate) = (CPool::of(1), gate);
        pool.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        let mut expected: Vec<_> = (0..90).map(|n| pool.submit(EVERY_HOW[n % 3], &count).unwrap()).collect();
        let ((function, argument), mut id) = (c_common::job(&count), 0);
        assert_eq!(c!(ftpool_schedule(pool.handle(), i64::MAX, function, argument, &mut id)), FTPOOL_OK);
        expected.push(id);
        expected.sort();
        let mut listed = Vec::<u64>::new();
        let context = (&raw mut listed).cast();
        assert_eq!(c!(ftpool_shutdown_now(pool.handle(), Some(list), context, -2)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_shutdown_now(pool.handle(), Some(list), context, FTPOOL_NOW)), FTPOOL_TIMEOUT);
        gate.open();
        assert_eq!(c!(ftpool_shutdown_now(pool.handle(), Some(list), context, LIMIT_NS)), FTPOOL_OK);
        assert_eq!((listed, ran.get()), (expected, 0));
    });
}
