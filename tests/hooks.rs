//! Hooks that are called too often, too rarely or on the wrong thread, and what their failures do.

mod common;

use common::{Count, Gate, LIMIT, eventually, lock, within_limit};
use fastthreadpool::{
    Builder, Deadline, JobError, Pool, Shutdown, SubmitError, WaitError, current_job, fail, worker_index,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

fn of(workers: i32) -> Builder {
    Pool::builder().workers(workers)
}

fn cause(error: SubmitError) -> String {
    match error {
        SubmitError::Broken(cause) => cause.to_string(),
        other => panic!("not broken: {other}"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Start(usize),
    Job,
    Stop(usize),
}

/// Events with the threads that they happened on.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<BTreeMap<String, Vec<Event>>>>);

impl Diary {
    fn note(&self, event: Event) {
        let thread = format!("{:?}", thread::current().id());
        lock(&self.0).entry(thread).or_default().push(event);
    }

    fn noting(&self, event: fn(usize) -> Event) -> impl Fn(usize) + Send + Sync + use<> {
        let diary = self.clone();
        move |worker| {
            assert_eq!((worker_index(), current_job()), (Some(worker), None));
            diary.note(event(worker));
        }
    }
}

/// Conformance 10.
#[test]
fn hooks_frame_the_jobs_of_each_worker() {
    within_limit(|| {
        for round in 0..200 {
            let workers = 1 + round % 4;
            let diary = Diary::default();
            let builder = of(workers).on_start(diary.noting(Event::Start)).on_stop(diary.noting(Event::Stop));
            let (pool, gate) = (builder.build().unwrap(), Gate::new());
            assert!(lock(&diary.0).is_empty(), "there is no worker before the first job");
            for _ in 0..workers {
                pool.spawn(gate.job()).unwrap();
            }
            gate.wait_started(workers as usize);
            for _ in 0..100 {
                let diary = diary.clone();
                pool.spawn(move || diary.note(Event::Job)).unwrap();
            }
            gate.open();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            let diary = lock(&diary.0);
            assert_eq!(diary.len(), workers as usize, "round {round}");
            for events in diary.values() {
                let [Event::Start(started), jobs @ .., Event::Stop(stopped)] = &events[..] else {
                    panic!("not framed: {events:?}");
                };
                assert_eq!(started, stopped);
                assert!(jobs.iter().all(|event| *event == Event::Job));
            }
            pool.check().unwrap_err();
        }
    });
}

/// Conformance 5, 10: a hook does not make more workers start.
#[test]
fn a_start_hook_brings_no_second_worker() {
    within_limit(|| {
        let starts = Count::new();
        let pool = {
            let starts = starts.clone();
            of(4).on_start(move |_| assert_eq!(starts.add(), 0)).build().unwrap()
        };
        let results = pool.results();
        for _ in 0..20 {
            results.submit(|| ()).unwrap();
            results.next_done(LIMIT).unwrap();
        }
        assert_eq!((starts.get(), pool.alive()), (1, 1));
    });
}

/// Conformance 6: jobs do not wait for the hook of a worker that was started for another job.
#[test]
fn a_start_hook_that_takes_long_holds_only_its_worker_up() {
    within_limit(|| {
        let (gate, ran) = (Gate::new(), Count::new());
        let door = gate.door();
        let pool = of(2)
            .on_start(move |worker| {
                if worker == 0 {
                    door.pass()
                }
            })
            .build()
            .unwrap();
        let gate = gate;
        pool.spawn(ran.job()).unwrap();
        gate.wait_started(1);
        pool.spawn(ran.job()).unwrap();
        eventually("the second worker runs the second job", || ran.get() == 1);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 2);
    });
}

type Failing = fn(usize) -> Result<(), String>;

/// The ways in which a hook can fail, and the texts of the errors.
const FAILURES: [(Failing, &str); 3] = [
    (|_| Err("no licence".into()), "no licence"),
    (|_| panic!("no {}", "licence"), "it panicked: no licence"),
    (|_| if fail(7, "no licence") { Ok(()) } else { unreachable!() }, "no licence (code 7)"),
];

/// Conformance 11, 108: accepted jobs are reported as cancelled, and later submits return the cause.
#[test]
fn a_failing_start_hook_breaks_the_pool() {
    within_limit(|| {
        for (hook, text) in FAILURES {
            for round in 0..200 {
                let workers = 1 + round % 4;
                let (attempts, drops) = (Count::new(), Count::new());
                let count = attempts.clone();
                let hook = move |worker| {
                    count.add();
                    hook(worker)
                };
                let pool = of(workers).try_on_start(hook).build().unwrap();
                let results = pool.results::<()>();
                let job = || {
                    let token = drops.on_drop();
                    move || {
                        drop(token);
                        unreachable!("no worker is fit to run it")
                    }
                };
                let submit = |n| match n % 3 {
                    0 => results.submit(job()).map(|_| 1),
                    1 => results.submit_first(job()).map(|_| 1),
                    _ => results.submit_batch([job(), job(), job()]).map(|ids| ids.len()),
                };
                let accepted: usize = (0..30).map_while(|n| submit(n).ok()).sum();
                pool.wait_idle(LIMIT).unwrap();
                let outcomes: Vec<_> = results.as_completed().map(|outcome| outcome.result).collect();
                assert!(outcomes.iter().all(|result| matches!(result, Err(JobError::Cancelled))));
                assert_eq!(outcomes.len(), accepted, "{text}, round {round}");
                let refused = cause(submit(0).unwrap_err());
                assert!(refused.starts_with("the start hook of worker "), "{refused}");
                assert!(refused.ends_with(&format!("failed: {text}")), "{refused}");
                assert_eq!(cause(pool.check().unwrap_err()), refused, "the first cause is kept");
                assert_eq!(pool.reopen(LIMIT), Err(WaitError::Broken));
                assert_eq!(pool.clear(LIMIT), Err(WaitError::Broken));
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                assert_eq!((pool.pending(), pool.alive(), pool.failed()), (0, 0, 0));
                assert!((1..=workers as usize).contains(&attempts.get()), "once in a worker");
                drop(pool);
                drop(results);
            }
        }
    });
}

/// Conformance 11: other workers' jobs end as usual, but cannot submit any more.
#[test]
fn a_pool_breaks_while_a_job_runs() {
    within_limit(|| {
        let hook = |worker| if worker == 0 { Ok(()) } else { Err("one is enough") };
        let (pool, gate) = (of(2).try_on_start(hook).build().unwrap(), Gate::new());
        let results = pool.results();
        let door = gate.door();
        let running = move || {
            door.pass();
            Pool::current().expect("this is a job").spawn(|| ()).map(drop)
        };
        let first = results.submit(running).unwrap();
        gate.wait_started(1);
        let second = results.submit(|| Ok(())).unwrap();
        let (id, error) = results.next_failed(LIMIT).unwrap();
        assert!(id == second && matches!(error, JobError::Cancelled));
        assert!(cause(pool.spawn(|| ()).unwrap_err()).contains("worker 1"));
        gate.open();
        let (id, refused) = results.next_done(LIMIT).unwrap();
        assert_eq!(id, first);
        assert!(cause(refused.unwrap_err()).contains("one is enough"));
    });
}

/// Conformance 12; decision "failing finish hook".
#[test]
fn a_failing_stop_hook_is_recorded_and_holds_nothing_up() {
    within_limit(|| {
        for (hook, text) in FAILURES {
            for workers in 1..4 {
                let (pool, ran) = (of(workers).try_on_stop(hook).build().unwrap(), Count::new());
                for _ in 0..100 {
                    pool.spawn(ran.job()).unwrap();
                }
                pool.check().unwrap();
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                assert_eq!((ran.get(), pool.alive(), pool.failed()), (100, 0, 0));
                let cause = cause(pool.check().unwrap_err());
                assert!(cause.starts_with("the stop hook of worker ") && cause.ends_with(text), "{cause}");
                assert_eq!(pool.reopen(LIMIT), Err(WaitError::Broken));
            }
        }
    });
}

/// Decision "failing finish hook": dropping the last handle ends the pool.
#[test]
fn a_pool_whose_hooks_fail_can_be_dropped() {
    within_limit(|| {
        let owned = Count::new();
        for (hook, _) in FAILURES {
            let (start, stop) = (owned.on_drop(), owned.on_drop());
            let start = move |worker| {
                let _ = &start;
                if worker > 0 { hook(worker) } else { Ok(()) }
            };
            let stop = move |worker| {
                let _ = &stop;
                hook(worker)
            };
            let pool = of(2).try_on_start(start).try_on_stop(stop).build().unwrap();
            (0..10).for_each(|_| drop(pool.spawn(|| ())));
            drop(pool);
        }
        eventually("the hooks are dropped with their pools", || owned.get() == 6);
    });
}

/// A stop hook is not a job of its pool, but still cannot wait for the pool.
#[test]
fn a_stop_hook_neither_submits_to_its_pool_nor_waits_for_it() {
    within_limit(|| {
        let (seen, drops) = (Arc::new(Mutex::new(Vec::new())), Count::new());
        let (note, token) = (Arc::clone(&seen), drops.on_drop());
        let token = Mutex::new(Some(token));
        let hook = move |_| {
            let pool = Pool::current().expect("a worker knows its pool to the end");
            let job = {
                let token = lock(&token).take();
                move || drop(token)
            };
            let submitted = pool.spawn(job).map(drop).map_err(|error| error.to_string());
            let waited = pool.shutdown(Shutdown::Drain, Deadline::NEVER);
            lock(&note).push((submitted, waited));
        };
        let pool = of(1).on_stop(hook).build().unwrap();
        pool.spawn(|| ()).unwrap();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let refused = SubmitError::Shutdown.to_string();
        assert_eq!(*lock(&seen), [(Err(refused), Err(WaitError::Deadlock))]);
        assert_eq!(drops.get(), 1);
    });
}

/// Conformance 33: for jobs with and without an outcome, and every kind of failure.
#[test]
fn the_failure_hook_is_called_once_for_every_failure() {
    within_limit(|| {
        let told: Arc<Mutex<BTreeMap<_, (String, ThreadId)>>> = Arc::default();
        let note = Arc::clone(&told);
        let hook = move |id, error: &JobError| {
            assert_eq!(current_job(), Some(id));
            let before = lock(&note).insert(id, (error.to_string(), thread::current().id()));
            assert_eq!(before, None, "told twice");
            panic!("of no consequence");
        };
        let pool = of(3).on_failure(hook).build().unwrap();
        let results = pool.results();
        let mut expected = BTreeMap::new();
        for n in 0..300 {
            let (id, text) = match n % 6 {
                0 => (pool.spawn(|| panic!("boom")), "the job panicked: boom"),
                1 => (pool.try_spawn(|| Err("no disk")), "the job failed: no disk"),
                2 => (pool.spawn(|| assert!(fail(3, "declared"))), "the job failed: declared (code 3)"),
                3 => (results.submit(|| panic!("boom")), "the job panicked: boom"),
                4 => (results.try_submit(|| Err("no disk")), "the job failed: no disk"),
                _ => (results.submit_first(|| ()), ""),
            };
            if !text.is_empty() {
                expected.insert(id.unwrap(), text.to_string());
            }
        }
        let cancelled = {
            let gate = Gate::new();
            (0..3).for_each(|_| assert!(pool.spawn(gate.job()).is_ok()));
            gate.wait_started(3);
            let id = results.submit(|| unreachable!("it is cancelled")).unwrap();
            assert!(pool.cancel(id));
            id
        };
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.failed(), 250);
        let told = lock(&told);
        assert!(told.values().all(|(_, thread)| *thread != thread::current().id()));
        assert!(!told.contains_key(&cancelled), "to be cancelled is no failure");
        let texts: BTreeMap<_, _> = told.iter().map(|(id, (text, _))| (*id, text.clone())).collect();
        assert_eq!(texts, expected);
    });
}

/// Conformance 33: when a failure can be read, the hook has been called.
#[test]
fn the_failure_hook_is_called_before_the_outcome_is_known() {
    within_limit(|| {
        let told = Count::new();
        let note = told.clone();
        let pool = of(2).on_failure(move |_, _| assert!(note.add() < 1000)).build().unwrap();
        let results = pool.results::<()>();
        for n in 1..=1000 {
            results.submit(|| panic!("boom")).unwrap();
            results.next_failed(LIMIT).unwrap();
            assert_eq!(told.get(), n);
        }
    });
}

/// Conformance 34, 11: each failure is logged once, also if other pools fail.
#[test]
fn each_failure_is_logged_once() {
    within_limit(|| {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let logging = |name: &str| {
            let lines = Arc::clone(&lines);
            of(1).name(name).on_log(move |line| lock(&lines).push(line.to_string()))
        };
        let pools = ["a", "b"].map(|name| logging(name).build().unwrap());
        let ids = [0, 1].map(|n| pools[n].try_spawn(move || Err(format!("error {n}"))).unwrap());
        pools.iter().for_each(|pool| pool.wait_idle(LIMIT).unwrap());
        let broken = logging("c").try_on_start(|_| Err("no licence")).build().unwrap();
        broken.spawn(|| ()).unwrap();
        broken.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let mut lines = lock(&lines).clone();
        lines.sort();
        let job = |name, n: usize| format!("{name}: job {}: the job failed: error {n}", ids[n]);
        let cause = "c: the pool is broken: the start hook of worker 0 failed: no licence".to_string();
        assert_eq!(lines, [job("a", 0), job("b", 1), cause]);
    });
}

/// Conformance 34.
#[test]
#[cfg(feature = "log")]
fn failures_go_to_the_log_crate() {
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    struct Logger;
    impl log::Log for Logger {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            assert_eq!((record.level(), record.target()), (log::Level::Error, "fastthreadpool"));
            lock(&LINES).push(record.args().to_string());
        }
        fn flush(&self) {}
    }
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Error);
    let pool = of(1).log_failures().build().unwrap();
    let id = pool.try_spawn(|| Err("no disk")).unwrap();
    pool.wait_idle(LIMIT).unwrap();
    assert_eq!(*lock(&LINES), [format!("ThreadPool: job {id}: the job failed: no disk")]);
}
