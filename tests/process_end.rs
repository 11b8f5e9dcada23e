//! Processes that exit while pools live: children of this one, each of which plays a scenario.

mod common;

use common::{Gate, LIMIT, within_limit};
use fastthreadpool::{Builder, Deadline, Pool, RecvError, Shutdown, SubmitError, WaitError};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// The environment variable with the scenario that a child plays.
const SCENARIO: &str = "FTPOOL_TEST_SCENARIO";

/// The exit code of a successful scenario.
const WELL: i32 = 42;

/// Plays `scenario` in children of this process, that many times. In the child it never returns.
fn in_children(test: &str, times: usize, scenario: fn() -> i32) {
    if std::env::var(SCENARIO).is_ok_and(|wanted| wanted == test) {
        std::process::exit(scenario());
    }
    let test = test.to_string();
    within_limit(move || {
        for _ in 0..times {
            let mut child = Command::new(std::env::current_exe().expect("a test knows its own path"))
                .args(["--exact", &test, "--nocapture", "--test-threads", "1"])
                .env(SCENARIO, &test)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("a test can be started again");
            let start = Instant::now();
            let status = loop {
                if let Some(status) = child.try_wait().expect("the child is this process's") {
                    break status;
                }
                if start.elapsed() > LIMIT / 4 {
                    let _ = child.kill();
                    panic!("the child hangs");
                }
                thread::sleep(Duration::from_millis(1));
            };
            assert_eq!(status.code(), Some(WELL), "{status}");
        }
    });
}

fn of(workers: i32) -> Builder {
    Pool::builder().workers(workers)
}

/// A job that never ends.
fn endless() {
    loop {
        thread::park();
    }
}

/// A pool that is never dropped, with a job that never ends on each worker and queued ones that must not begin.
fn stuck_pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let (pool, gate) = (of(2).build().unwrap(), Gate::new());
        for _ in 0..2 {
            let pass = gate.job();
            pool.spawn(move || (pass(), endless()).1).unwrap();
        }
        gate.open();
        gate.wait_started(2);
        pool.spawn_batch((0..1000).map(|_| || std::process::abort())).unwrap();
        pool
    })
}

unsafe extern "C" {
    /// The C library's: any function will do.
    safe fn atexit(call: extern "C" fn()) -> std::ffi::c_int;
}

/// Reliability R9; decision "process exit".
#[test]
fn exit_from_the_program_does_not_wait_for_a_pool() {
    in_children("exit_from_the_program_does_not_wait_for_a_pool", 40, || {
        stuck_pool();
        Pool::global().spawn(endless).unwrap();
        WELL
    });
}

/// Reliability R9: on the worker's own thread, with the pool in use.
#[test]
fn exit_from_a_job_ends_the_process() {
    in_children("exit_from_a_job_ends_the_process", 40, || {
        let pool = of(3).build().unwrap();
        pool.spawn_batch((0..1000).map(|_| || ())).unwrap();
        pool.spawn(|| std::process::exit(WELL)).unwrap();
        pool.spawn_batch((0..1000).map(|_| || ())).unwrap();
        drop(pool);
        endless();
        1
    });
}

/// Ends the process, from a function that `exit` calls, with another code.
fn exit_late(code: i32) -> ! {
    unsafe extern "C" {
        fn _exit(code: std::ffi::c_int) -> !;
    }
    // SAFETY: it takes any number.
    unsafe { _exit(code) }
}

/// Reliability R9: a function that was registered before the first pool runs after ours. Nothing is waited for any
/// more, and all calls return an error.
#[test]
fn a_function_of_atexit_that_uses_pools_does_not_hang() {
    extern "C" fn at_exit() {
        let pool = stuck_pool();
        let results = pool.results::<()>();
        let late = of(1).build().unwrap();
        let verdicts = [
            pool.shutdown(Shutdown::Drain, Deadline::NEVER) == Err(WaitError::Exiting),
            pool.shutdown(Shutdown::Cancel, Deadline::NEVER) == Err(WaitError::Exiting),
            pool.wait_idle(Deadline::NEVER) == Err(WaitError::Exiting),
            pool.reopen(Deadline::NEVER) == Err(WaitError::Exiting),
            Pool::shutdown_all(Shutdown::Drain, Deadline::NEVER) == Err(WaitError::Exiting),
            matches!(pool.spawn(|| ()), Err(SubmitError::Shutdown)),
            matches!(results.submit(|| ()), Err(SubmitError::Shutdown)),
            results.next(Deadline::NEVER).is_err_and(|error| error == RecvError::Finished),
            matches!(late.spawn(|| ()), Err(SubmitError::Shutdown)),
        ];
        drop(late);
        if verdicts == [true; 9] {
            exit_late(WELL);
        }
        eprintln!("{verdicts:?}");
    }
    in_children("a_function_of_atexit_that_uses_pools_does_not_hang", 40, || {
        atexit(at_exit);
        stuck_pool();
        1
    });
}

/// Reliability R9: outcomes that will not come are not waited for.
#[test]
fn a_function_of_atexit_that_reads_outcomes_does_not_hang() {
    static RESULTS: OnceLock<fastthreadpool::Results<()>> = OnceLock::new();
    extern "C" fn at_exit() {
        let results = RESULTS.get().expect("the program has set it");
        let verdict = results.next(Deadline::NEVER);
        if matches!(verdict, Err(RecvError::Exiting)) && results.as_completed().count() == 0 {
            exit_late(WELL);
        }
    }
    in_children("a_function_of_atexit_that_reads_outcomes_does_not_hang", 10, || {
        atexit(at_exit);
        let results = stuck_pool().results();
        results.submit(|| ()).unwrap();
        RESULTS.set(results).unwrap();
        1
    });
}

/// Decision "process exit": once it has begun, no further job does.
#[test]
fn no_job_begins_once_exit_has_begun() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn at_exit() {
        let before = BEGUN.load(SeqCst);
        thread::sleep(Duration::from_millis(20)); // in which thousands of jobs would have begun
        let after = BEGUN.load(SeqCst);
        // Jobs that had just been taken when our function ran, or whose producer was in the middle of a submit.
        eprintln!("{before} jobs began before, {} after", after - before);
        exit_late(if after - before <= 3 && before > 0 { WELL } else { 1 });
    }
    in_children("no_job_begins_once_exit_has_begun", 10, || {
        atexit(at_exit);
        let pool = Box::leak(Box::new(of(3).build().unwrap()));
        pool.spawn_batch((0..3_000_000).map(|_| {
            || {
                BEGUN.fetch_add(1, SeqCst);
            }
        }))
        .unwrap();
        thread::spawn(|| {
            while pool
                .spawn(|| {
                    BEGUN.fetch_add(1, SeqCst);
                })
                .is_ok()
            {}
        });
        while BEGUN.load(SeqCst) < 1000 {
            thread::yield_now();
        }
        1
    });
}

/// Reliability R9: a function that was registered after the first pool runs before ours; in it a pool is as usual.
#[test]
fn an_early_function_of_atexit_still_drains() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    static POOL: OnceLock<Pool> = OnceLock::new();
    extern "C" fn at_exit() {
        let pool = POOL.get().expect("the program has set it");
        if pool.shutdown(Shutdown::Drain, Deadline::NEVER).is_ok() && RAN.load(SeqCst) == 1000 {
            exit_late(WELL);
        }
    }
    in_children("an_early_function_of_atexit_still_drains", 10, || {
        POOL.set(of(2).build().unwrap()).unwrap();
        atexit(at_exit);
        let pool = POOL.get().expect("set above");
        pool.spawn_batch((0..1000).map(|_| {
            || {
                RAN.fetch_add(1, SeqCst);
            }
        }))
        .unwrap();
        1
    });
}

/// What the documentation says about an abandoned pool: nothing waits for it.
#[test]
fn an_abandoned_pool_holds_nobody_up() {
    in_children("an_abandoned_pool_holds_nobody_up", 10, || {
        let pool = of(1).build().unwrap();
        let (gate, other) = (Gate::new(), pool.clone());
        let pass = gate.job();
        pool.spawn(move || (pass(), endless()).1).unwrap();
        gate.open();
        gate.wait_started(1);
        other.abandon();
        assert!(matches!(pool.spawn(|| ()), Err(SubmitError::Shutdown)));
        assert_eq!(pool.reopen(Duration::from_millis(5)), Err(WaitError::Refused));
        Pool::shutdown_all(Shutdown::Drain, Deadline::NEVER).unwrap();
        drop(pool);
        WELL
    });
}

/// What the documentation says of the global pool; reliability R9.
#[test]
fn the_global_pool_keeps_no_process_alive() {
    in_children("the_global_pool_keeps_no_process_alive", 10, || {
        (0..100).for_each(|_| assert!(Pool::global().spawn(endless).is_ok()));
        WELL
    });
}
