//! The life of a pool in C: jobs that ask for their context, waits, shutdowns, and what can be used afterwards.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CPool, EVERY_HOW, How, LIMIT_NS, Seen, Which, c, waiting};
use common::{Count, Gate, OnDrop, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::ptr::null_mut;
use std::sync::{Mutex, mpsc};
use std::thread;

/// Conformance 16, 17: its id, its pool, its worker.
#[test]
fn a_job_knows_itself_and_nobody_else_does() {
    within_limit(|| {
        let known = Mutex::new(Vec::new());
        let ask = || {
            let worker = ftpool_worker_index();
            lock(&known).push((ftpool_self_id(), ftpool_current().addr(), worker));
            0
        };
        let pool = CPool::of(3);
        let mut ids: Vec<_> = (0..300).map(|n| pool.submit(EVERY_HOW[n % 3], &ask).unwrap()).collect();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let known = lock(&known);
        let mut named: Vec<_> = known.iter().map(|entry| entry.0).collect();
        ids.sort();
        named.sort();
        assert_eq!(ids, named);
        assert_eq!(c!(ftpool_worker_limit(pool.handle())), 3);
        assert!(known.iter().all(|&(_, current, worker)| current == pool.handle().addr() && (0..3).contains(&worker)));
        assert_eq!((ftpool_self_id(), ftpool_current(), ftpool_worker_index()), (0, null_mut(), -1));
    });
}

/// Conformance 59, 62, 63, 76.
#[test]
fn waiting_for_idleness_and_for_the_end() {
    within_limit(|| {
        for mode in [FTPOOL_SHUTDOWN_DRAIN, FTPOOL_SHUTDOWN_CANCEL] {
            let (gate, ran) = (Gate::new(), Count::new());
            let (block, count) = (waiting(&gate), || ran.add());
            let (pool, gate) = (CPool::of(1), gate);
            assert_eq!(pool.wait_idle(FTPOOL_NOW), FTPOOL_OK);
            let results = pool.results();
            results.submit(How::Last, &block).unwrap();
            gate.wait_started(1);
            let queued = results.submit(How::Last, &count).unwrap();
            for timeout in [FTPOOL_NOW, 1_000_000] {
                assert_eq!(pool.wait_idle(timeout), FTPOOL_TIMEOUT);
            }
            for timeout in [FTPOOL_NOW, 1_000_000] {
                assert_eq!(pool.shutdown(mode, timeout), FTPOOL_TIMEOUT);
                assert_eq!(pool.submit(How::Last, &count), Err(FTPOOL_E_SHUTDOWN));
            }
            gate.open();
            assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER), FTPOOL_OK);
            assert_eq!(pool.shutdown(mode, FTPOOL_NOW), FTPOOL_OK);
            assert_eq!((pool.counts(), pool.wait_idle(FTPOOL_NOW)), ([0, 0, 0], FTPOOL_OK));
            let drained = mode == FTPOOL_SHUTDOWN_DRAIN;
            let end = if drained { Seen::done(queued, 0) } else { Seen::cancelled(queued) };
            assert!(results.take(3).contains(&end));
            assert_eq!(ran.get(), usize::from(drained));
        }
    });
}

/// Conformance 64.
#[test]
fn a_job_is_told_that_it_would_wait_for_itself() {
    within_limit(|| {
        let wait = || {
            let pool = ftpool_current();
            let ends = [FTPOOL_SHUTDOWN_DRAIN, FTPOOL_SHUTDOWN_CANCEL].map(|mode| c!(ftpool_shutdown(pool, mode, -1)));
            usize::from(ends == [FTPOOL_E_DEADLOCK; 2] && c!(ftpool_wait_idle(pool, -1)) == FTPOOL_E_DEADLOCK)
        };
        let pool = CPool::of(2);
        let results = pool.results();
        for how in EVERY_HOW {
            let id = results.submit(how, &wait).unwrap();
            assert_eq!(results.next(Which::Done), Ok(Seen::done(id, 1)));
        }
    });
}

/// Conformance 67, 76.
#[test]
fn freeing_a_pool_runs_everything_that_it_accepted() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let ran = Count::new();
            let count = || ran.add();
            let pool = CPool::of(workers);
            (0..1000).for_each(|n| assert!(pool.submit(EVERY_HOW[n % 3], &count).is_ok()));
            drop(pool);
            assert_eq!(ran.get(), 1000);
        }
    });
}

/// What the header says about ftpool_free: outcomes can be read, one for every job.
#[test]
fn results_outlive_their_pool() {
    within_limit(|| {
        let (seven, fail) = (|| 7, || usize::from(c!(ftpool_fail(3, c"failed".as_ptr())) != FTPOOL_OK));
        let pool = CPool::of(2);
        let (results, never_read) = (pool.results(), pool.results());
        let done = results.submit(How::Last, &seven).unwrap();
        let failed = results.submit(How::Last, &fail).unwrap();
        assert!(never_read.submit(How::Last, &seven).is_ok());
        drop(pool);
        assert_eq!(results.waiting(), [1, 1]);
        assert_eq!(results.next(Which::Done), Ok(Seen::done(done, 7)));
        assert_eq!(results.next(Which::Any), Ok(Seen::failed(failed, 3, "failed")));
        assert_eq!(results.next(Which::Any), Err(FTPOOL_EMPTY));
        assert_eq!(EVERY_HOW.map(|how| results.submit(how, &seven)), [Err(FTPOOL_E_SHUTDOWN); 3]);
        assert_eq!((results.take(1), results.waiting()), (vec![], [0, 0]));
    });
}

type Wish = OnDrop<Box<dyn FnMut()>>;

thread_local! {
    /// Dropped after those thread-locals of its thread that were used later, among them the library's.
    static LAST_WISH: RefCell<Option<Wish>> = const { RefCell::new(None) };
}

/// A thread may read to its very end, when the messages of its earlier reads are gone.
#[test]
fn an_outcome_read_by_a_destructor_of_a_thread() {
    within_limit(|| {
        let fail = || usize::from(c!(ftpool_fail(3, c"failed".as_ptr())) != FTPOOL_OK);
        let seven = || 7;
        let (pool, (last, reads)) = (CPool::of(1), mpsc::channel());
        let results = pool.results();
        let ids = [results.submit(How::Last, &fail).unwrap(), results.submit(How::Last, &seven).unwrap()];
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let read_now_and_at_the_end = || {
            let handle = results.handle();
            LAST_WISH.set(Some(OnDrop(Box::new(move || {
                let mut result = c_common::RESULT;
                assert_eq!(c!(ftpool_results_next(handle, FTPOOL_NOW, &mut result)), FTPOOL_OK);
                last.send(Seen::of(&result)).unwrap();
            }))));
            results.next(Which::Any)
        };
        let now = thread::scope(|scope| scope.spawn(read_now_and_at_the_end).join()).unwrap();
        assert_eq!(now, Ok(Seen::failed(ids[0], 3, "failed")));
        assert_eq!(reads.recv_timeout(common::LIMIT), Ok(Seen::done(ids[1], 7)));
    });
}

/// What the header says of ftpool_results_free: jobs that have not ended yet go on.
#[test]
fn results_may_go_before_their_jobs() {
    within_limit(|| {
        let (gate, ran) = (Gate::new(), Count::new());
        let (block, count) = (waiting(&gate), || ran.add());
        let (pool, gate) = (CPool::of(1), gate);
        for how in EVERY_HOW {
            let results = pool.results();
            results.submit(How::Last, &block).unwrap();
            gate.wait_started(1);
            results.submit(how, &count).unwrap();
        }
        gate.open();
        assert_eq!((pool.wait_idle(LIMIT_NS), ran.get()), (FTPOOL_OK, 3));
    });
}

/// The calling thread, for another thread to observe: when it sleeps, it is inside the call that it announced.
#[cfg(target_os = "linux")]
struct Sleeper(Mutex<Option<std::path::PathBuf>>);

#[cfg(target_os = "linux")]
impl Sleeper {
    fn announce(&self) {
        *lock(&self.0) = Some(common::linux::this_thread());
    }

    /// Waits until the thread sleeps, or has ended.
    fn wait_asleep(&self) {
        common::eventually("the thread sleeps in its call", || {
            let task = lock(&self.0).clone();
            let status = task.map(|task| std::fs::read_to_string(task.join("status")).unwrap_or_default());
            status.is_some_and(|status| status.is_empty() || status.contains("State:\tS"))
        });
    }
}

/// Reliability R4: calls that other threads have begun return while the pool is freed.
#[test]
#[cfg(target_os = "linux")]
fn freeing_a_pool_waits_for_calls_that_have_begun() {
    type Call = fn(*mut ftpool) -> ftpool_status;
    let calls: [(Call, ftpool_status); 4] = [
        (|pool| c!(ftpool_wait_idle(pool, FTPOOL_FOREVER)), FTPOOL_OK),
        (|pool| c!(ftpool_wait_idle(pool, 30_000_000)), FTPOOL_TIMEOUT),
        (|pool| c!(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER)), FTPOOL_OK),
        (|pool| c!(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, 30_000_000)), FTPOOL_TIMEOUT),
    ];
    within_limit(move || {
        for (call, expected) in calls {
            let (gate, ran) = (Gate::new(), Count::new());
            let (block, count) = (waiting(&gate), || ran.add());
            let pool = ManuallyDrop::new(CPool::of(1));
            pool.submit(How::Last, &block).unwrap();
            pool.submit(How::Last, &count).unwrap();
            gate.wait_started(1);
            let (inside, freeing) = (Sleeper(Mutex::default()), Sleeper(Mutex::default()));
            thread::scope(|scope| {
                let caller = scope.spawn(|| {
                    inside.announce();
                    call(pool.handle())
                });
                inside.wait_asleep();
                let end = scope.spawn(|| {
                    freeing.announce();
                    c!(ftpool_free(pool.handle()));
                    ran.get()
                });
                freeing.wait_asleep();
                if expected == FTPOOL_OK {
                    gate.open();
                }
                assert_eq!(caller.join().unwrap(), expected);
                gate.open();
                assert_eq!(end.join().unwrap(), 1);
            });
        }
    });
}

/// What the header says of ftpool_free in a job of the pool: it does not wait, and the pool ends after its last job.
#[test]
fn a_job_may_free_its_own_pool() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (gate, ran) = (Gate::new(), Count::new());
            let (block, count) = (waiting(&gate), || ran.add());
            let free = || {
                c!(ftpool_free(ftpool_current()));
                ran.add()
            };
            let pool = ManuallyDrop::new(
                CPool::new(&ftpool_config { workers, name: c"self-freed".as_ptr(), ..c_common::CONFIG }).unwrap(),
            );
            let results = pool.results();
            // No worker starts the job that frees the pool before everything is submitted.
            (0..workers).for_each(|_| assert!(results.submit(How::Last, &block).is_ok()));
            let blocked = usize::try_from(workers).unwrap();
            gate.wait_started(blocked);
            (0..10).for_each(|n| assert!(results.submit(EVERY_HOW[n % 3], &count).is_ok()));
            results.submit(How::Last, &free).unwrap();
            (0..10).for_each(|n| assert!(results.submit(EVERY_HOW[n % 3], &count).is_ok()));
            gate.open();
            // When the outcomes have arrived, the jobs have ended, and their closures may be dropped.
            let jobs = blocked + 21;
            assert_eq!((0..jobs).filter(|_| results.next(Which::Done).is_ok()).count(), jobs);
            assert_eq!((results.next(Which::Any), ran.get()), (Err(FTPOOL_EMPTY), 21));
            #[cfg(target_os = "linux")]
            common::eventually("the threads end", || common::linux::threads_named("self-freed").is_empty());
        }
    });
}

/// A call that has begun keeps its deadline even when a job frees the pool meanwhile.
#[test]
#[cfg(target_os = "linux")]
fn a_timed_wait_does_not_wait_for_the_end_of_a_pool_that_a_job_frees() {
    within_limit(|| {
        let (gate, turn) = (Gate::new(), Gate::new());
        let (block, door) = (waiting(&gate), turn.door());
        let free = || {
            door.pass();
            c!(ftpool_free(ftpool_current()));
            0
        };
        let pool = ManuallyDrop::new(CPool::of(2));
        let results = pool.results();
        results.submit(How::Last, &block).unwrap();
        results.submit(How::Last, &free).unwrap();
        gate.wait_started(1);
        turn.wait_started(1);
        let inside = Sleeper(Mutex::default());
        let verdict = thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                inside.announce();
                pool.wait_idle(200_000_000)
            });
            inside.wait_asleep();
            turn.open();
            assert_eq!(results.next(Which::Done).map(|seen| seen.value), Ok(0));
            waiter.join().unwrap()
        });
        assert_eq!(verdict, FTPOOL_TIMEOUT);
        gate.open();
        assert!(results.next(Which::Done).is_ok());
    });
}

/// Reliability R5: what the header says of unwinding. The panic is another process's.
#[test]
#[cfg(unix)]
fn a_panic_out_of_a_c_function_aborts_the_process() {
    use std::os::unix::process::ExitStatusExt;
    const CHILD: &str = "FTPOOL_TEST_PANICS";
    const SIGABRT: i32 = 6;
    if std::env::var_os(CHILD).is_some() {
        let panics = || panic!("out of a C function");
        let pool = CPool::of(1);
        pool.submit(How::Last, &panics).unwrap();
        drop(pool);
        return;
    }
    let test = "a_panic_out_of_a_c_function_aborts_the_process";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let end = child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&end.stderr);
    assert_eq!(end.status.signal(), Some(SIGABRT), "{said}");
    assert!(said.contains("out of a C function"), "{said}");
}
