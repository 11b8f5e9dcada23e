//! Pools that outlive their handles, or end before them.

mod common;

use common::{Count, Gate, LIMIT, block, eventually, manual, pool_of, within_limit};
use fastthreadpool::{Deadline, ManualClock, Outcome, Pool, Priority, Shutdown, SubmitError, WaitError};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Conformance 67.
#[test]
fn dropping_the_last_handle_runs_everything_accepted() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (pool, gate, ran, drops) = (pool_of(workers), Gate::new(), Count::new(), Count::new());
            pool.spawn(gate.job()).unwrap();
            for _ in 0..1000 {
                let (ran, token) = (ran.clone(), drops.on_drop());
                pool.spawn(move || drop((ran.add(), token))).unwrap();
            }
            gate.open();
            drop(pool);
            assert_eq!((ran.get(), drops.get()), (1000, 1000));
        }
    });
}

/// Conformance 67: a handle from [`Pool::current`] does not keep the drop of the last other handle from waiting.
#[test]
fn dropping_the_last_handle_outside_waits_for_jobs_that_have_one() {
    within_limit(|| {
        let (pool, gate, ran) = (pool_of(2), Gate::new(), Count::new());
        let (door, job) = (gate.door(), ran.job());
        let parent = move || {
            let pool = Pool::current().expect("this is a job");
            door.pass();
            pool.spawn(job).unwrap();
        };
        pool.spawn(parent).unwrap();
        gate.wait_started(1);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(20)); // so that the drop, most probably, has to wait
                gate.open();
            });
            drop(pool);
            assert_eq!(ran.get(), 1, "the drop has waited");
        });
    });
}

/// Conformance 67: a scope that is left by a panic drains, too.
#[test]
fn unwinding_runs_everything_accepted() {
    within_limit(|| {
        let ran = Count::new();
        let job = ran.job();
        let unwound = thread::spawn(move || {
            let pool = pool_of(2);
            (0..100).for_each(|_| assert!(pool.spawn(job.clone()).is_ok()));
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        assert!(unwound.join().is_err());
        assert_eq!(ran.get(), 100);
    });
}

/// Conformance 66.
#[test]
fn dropping_another_handle_ends_nothing() {
    within_limit(|| {
        let (pool, ran) = (pool_of(2), Count::new());
        let clones: Vec<Pool> = (0..10).map(|_| pool.clone()).collect();
        drop(pool);
        for clone in clones {
            clone.spawn(ran.job()).unwrap();
            clone.wait_idle(LIMIT).unwrap();
        }
        assert_eq!(ran.get(), 10);
    });
}

/// Conformance 66: a results object keeps outcomes, not the pool.
#[test]
fn a_results_object_does_not_keep_the_pool_open() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        results.submit(|| ()).unwrap();
        drop(pool);
        assert_eq!(results.outstanding(), 0);
        assert!(matches!(results.submit(|| ()), Err(SubmitError::Shutdown)));
    });
}

/// Conformance 66, 62: a handle from [`Pool::current`] refuses everything once the pool has ended.
#[test]
fn a_jobs_handle_to_its_own_pool_does_not_keep_it_open() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        results.submit(|| Pool::current().expect("this is a job")).unwrap();
        let handle = results.next(LIMIT).unwrap().result.unwrap();
        let copy = handle.clone();
        drop(pool);
        assert_eq!((handle.alive(), handle.pending()), (0, 0));
        assert!(matches!(handle.spawn(|| ()), Err(SubmitError::Shutdown)));
        assert!(matches!(copy.spawn(|| ()), Err(SubmitError::Shutdown)));
    });
}

/// Waits until no thread of this name is left.
fn expect_no_thread(prefix: &str) {
    #[cfg(target_os = "linux")]
    eventually("all threads are gone", || common::linux::threads_named(prefix).is_empty());
    #[cfg(not(target_os = "linux"))]
    let _ = prefix;
}

/// The process's resident memory in KiB.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = common::linux::status("/proc/self".as_ref(), "VmRSS");
    status.trim_end_matches(" kB").parse().expect("a number of KiB")
}

/// Conformance 66: neither threads nor memory pile up.
#[test]
fn pools_that_are_gone_leave_nothing_behind() {
    const JOBS: usize = 4000; // at 32 bytes a job in the queue, a leak of 200 pools is 25 MB
    within_limit(|| {
        let (ran, drops) = (Count::new(), Count::new());
        #[cfg(target_os = "linux")]
        let mut memory = 0;
        for cycle in 0..300 {
            #[cfg(target_os = "linux")]
            if cycle == 100 {
                memory = resident();
            }
            let pool = Pool::builder().workers(1 + cycle % 4).name("cycle").build().unwrap();
            let gate = Gate::new();
            pool.spawn(gate.job()).unwrap();
            let job = || {
                let (ran, token) = (ran.clone(), drops.on_drop());
                move || drop((ran.add(), token))
            };
            pool.spawn_batch((0..JOBS).map(|_| job())).unwrap();
            gate.open();
            if cycle % 3 == 0 {
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            }
        }
        assert_eq!((ran.get(), drops.get()), (300 * JOBS, 300 * JOBS));
        #[cfg(target_os = "linux")]
        assert!(resident() < memory + 12 * 1024, "from {memory} to {} KiB", resident());
        expect_no_thread("cycle-");
    });
}

/// Conformance 66: the last handle may be dropped where a wait for the end is impossible.
#[test]
fn a_job_that_drops_the_last_handle_lets_the_pool_end() {
    within_limit(|| {
        for round in 0..300 {
            let pool = Pool::builder().workers(1 + round % 4).name("orphan").build().unwrap();
            let (gate, ran) = (Gate::new(), Count::new());
            let (handle, door) = (pool.clone(), gate.door());
            let last = move || {
                door.pass();
                drop(handle);
            };
            pool.spawn(last).unwrap();
            (0..50).for_each(|_| assert!(pool.spawn(ran.job()).is_ok()));
            drop(pool);
            gate.open();
            eventually("what was accepted has run", || ran.get() == 50);
        }
        expect_no_thread("orphan-");
    });
}

/// Conformance 66: likewise if the pool was used for that job only.
#[test]
fn a_job_that_got_the_only_handle_lets_the_pool_end() {
    within_limit(|| {
        for _ in 0..300 {
            let pool = Pool::builder().workers(4).name("given").build().unwrap();
            let gate = Gate::new();
            let (handle, door) = (pool.clone(), gate.door());
            pool.spawn(move || {
                door.pass();
                handle.spawn(|| drop(Pool::current())).unwrap();
            })
            .unwrap();
            drop(pool);
            gate.open();
        }
        expect_no_thread("given-");
    });
}

/// Conformance 66: an unread value that owns a handle to its pool does not keep the pool alive.
#[test]
fn an_unread_value_that_holds_the_pool_lets_it_end() {
    within_limit(|| {
        for _ in 0..300 {
            let pool = Pool::builder().workers(2).name("cyclic").build().unwrap();
            let gate = Gate::new();
            let results = pool.results();
            let door = gate.door();
            let job = move || {
                door.pass();
                pool
            };
            results.submit(job).unwrap();
            drop(results);
            gate.open();
        }
        expect_no_thread("cyclic-");
    });
}

/// Conformance 66: what a job has left that nobody reads goes with the last outcome, although no worker comes to that.
#[test]
fn an_unread_value_goes_when_the_last_outcome_is_a_cancelled_job() {
    const SECOND: Duration = Duration::from_secs(1);
    for way in ["queued", "all", "expired", "delayed", "schedule", "timers"] {
        within_limit(move || {
            let ((pool, clock), gate, dropped) = (manual(1), Gate::new(), Count::new());
            let results = pool.results();
            let (value, unused) = (dropped.on_drop(), dropped.clone());
            results.submit(move || value).unwrap();
            eventually("the value is there", || results.done_count() == 1);
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let job = move || unused.on_drop();
            let id = match way {
                "queued" | "all" => results.submit(job),
                "expired" => results.job(job).start_within(SECOND).submit(),
                "schedule" => results.schedule(SECOND, job),
                _ => results.submit_later(SECOND, job),
            };
            let id = id.unwrap();
            drop(results);
            assert_eq!(dropped.get(), 0);
            match way {
                "all" => _ = pool.cancel_all(),
                "expired" => clock.advance(SECOND),
                "timers" => assert_eq!(pool.cancel_timers(), 1),
                _ => assert!(pool.cancel(id)),
            }
            assert_eq!(dropped.get(), 1, "{way}");
        });
    }
}

/// Conformance 67, 64: a job may drop the last handle of another pool; it waits for that pool's jobs.
#[test]
fn a_job_that_drops_another_pool_waits_for_its_end() {
    within_limit(|| {
        let (outer, ran) = (pool_of(1), Count::new());
        for _ in 0..300 {
            let (inner, job) = (pool_of(2), ran.job());
            let end = move || {
                (0..10).for_each(|_| assert!(inner.spawn(job.clone()).is_ok()));
                drop(inner);
            };
            outer.spawn(end).unwrap();
        }
        outer.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 3000);
    });
}

/// A pool of one worker, which waits at the gate, and a way to cancel its jobs.
fn blocked() -> (Pool, ManualClock, Gate) {
    let (pool, clock) = manual(1);
    let gate = block(&pool);
    (pool, clock, gate)
}

/// Conformance 66: a job that is cancelled or expires owns the last handle. It counts as pending until it is dropped.
#[test]
fn a_cancelled_job_that_has_the_last_handle_lets_the_pool_end() {
    within_limit(|| {
        for way in 0..4 {
            let (pool, clock, gate) = blocked();
            let (ended, end) = (Count::new(), Count::new());
            let (core, last) = (ended.on_drop(), (pool.clone(), end.on_drop()));
            let group = pool.group(1, Priority::Normal);
            pool.spawn(move || drop(core)).unwrap();
            let code = move || drop(last);
            match way {
                0 => {
                    let job = pool.submit(code).unwrap();
                    drop(pool);
                    assert!(job.cancel());
                }
                1 => {
                    group.spawn(code).unwrap();
                    drop(pool);
                    assert_eq!(group.cancel_all(), 1);
                }
                2 => {
                    pool.job(code).start_within(Duration::from_secs(1)).submit().unwrap();
                    drop(pool);
                    clock.advance(Duration::from_secs(1));
                }
                _ => {
                    let job = pool.job(code).at(Duration::from_secs(1)).submit_handle().unwrap();
                    clock.advance(Duration::from_secs(1));
                    drop(pool);
                    assert!(job.cancel());
                }
            }
            assert_eq!((end.get(), ended.get()), (1, 0), "way {way}");
            gate.open();
            eventually("the pool has run what was queued", || ended.get() == 1);
        }
    });
}

/// Conformance 64: the callback of a cancelled job cannot wait for all jobs, because that job has not ended.
#[test]
fn a_callback_of_a_cancelled_job_does_not_wait_for_its_pool() {
    within_limit(|| {
        let (pool, _, gate) = blocked();
        let (tell, told) = mpsc::channel();
        let own = pool.clone();
        let wait = move |_: &Outcome<()>| {
            tell.send(own.wait_idle(Deadline::NEVER)).unwrap();
            tell.send(own.shutdown(Shutdown::Drain, Deadline::NEVER)).unwrap();
            tell.send(own.shutdown(Shutdown::Cancel, Deadline::NEVER)).unwrap();
            tell.send(Pool::shutdown_all(Shutdown::Drain, Deadline::NEVER)).unwrap();
        };
        let id = pool.job(|| ()).then(wait).submit().unwrap();
        assert!(pool.cancel(id));
        assert!(told.iter().all(|answer| answer == Err(WaitError::Deadlock)));
        pool.spawn(|| ()).expect("nothing was shut down");
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
    });
}
