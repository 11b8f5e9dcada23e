//! Jobs in the wrong order.

mod common;

use common::{Door, Gate, LIMIT, blocked, lock, pool_of, within_limit};
use fastthreadpool::Pool;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

/// The jobs that ran, in the order in which they started.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<usize>>>);

impl Diary {
    /// A job that writes `entry`.
    fn job(&self, entry: usize) -> impl FnOnce() + Send + 'static {
        let entries = Arc::clone(&self.0);
        move || lock(&entries).push(entry)
    }

    fn read(&self) -> Vec<usize> {
        lock(&self.0).clone()
    }
}

/// Conformance 13.
#[test]
fn first_jobs_run_before_all_others_the_last_one_first() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let diary = Diary::default();
        for n in [0, 1, 2] {
            pool.spawn(diary.job(n)).unwrap();
        }
        for n in [10, 11, 12] {
            pool.spawn_first(diary.job(n)).unwrap();
        }
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(diary.read(), [12, 11, 10, 0, 1, 2]);
    });
}

/// Conformance 13, through a results object: its jobs are in the same queue.
#[test]
fn first_jobs_of_a_results_object_overtake_the_pools_jobs() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let diary = Diary::default();
        let results = pool.results();
        pool.spawn(diary.job(0)).unwrap();
        results.submit(diary.job(1)).unwrap();
        results.submit_first(diary.job(10)).unwrap();
        pool.spawn_first(diary.job(11)).unwrap();
        results.submit_batch([2, 3].map(|n| diary.job(n))).unwrap();
        pool.spawn(diary.job(4)).unwrap();
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(diary.read(), [11, 10, 0, 1, 2, 3, 4]);
    });
}

/// Conformance 13, where the worker has taken the other jobs out of the queue already.
#[test]
fn a_first_job_overtakes_jobs_that_the_worker_has_taken() {
    within_limit(|| {
        for taken in [1, 8, 64, 300] {
            let (pool, outer) = blocked();
            let inner = Gate::new();
            let diary = Diary::default();
            pool.spawn(inner.job()).unwrap();
            for n in 0..taken {
                pool.spawn(diary.job(n)).unwrap();
            }
            outer.open();
            inner.wait_started(1);
            pool.spawn_first(diary.job(1000)).unwrap();
            inner.open();
            pool.wait_idle(LIMIT).unwrap();
            let expected: Vec<usize> = std::iter::once(1000).chain(0..taken).collect();
            assert_eq!(diary.read(), expected);
        }
    });
}

/// Conformance, decision "order": one submitter's jobs begin in order, while it submits and afterwards.
#[test]
fn one_submitters_jobs_run_in_order() {
    within_limit(|| {
        let pool = pool_of(1);
        let diary = Diary::default();
        for n in 0..100_000 {
            pool.spawn(diary.job(n)).unwrap();
        }
        pool.wait_idle(LIMIT).unwrap();
        assert!(diary.read().into_iter().eq(0..100_000));
    });
}

/// Conformance, decision "order": batches and single jobs are in one queue.
#[test]
fn batches_keep_their_place_among_single_jobs() {
    within_limit(|| {
        let pool = pool_of(1);
        let diary = Diary::default();
        let mut next = 0;
        for size in (0..600).chain([256, 255, 257, 1, 0, 1024]) {
            pool.spawn(diary.job(next)).unwrap();
            pool.spawn_batch((next + 1..=next + size).map(|n| diary.job(n))).unwrap();
            next += 1 + size;
        }
        pool.wait_idle(LIMIT).unwrap();
        assert!(diary.read().into_iter().eq(0..next));
    });
}

/// Conformance, decision "order": each of several submitters has its own order.
#[test]
fn every_submitters_jobs_run_in_order() {
    within_limit(|| {
        let pool = pool_of(1);
        let diary = Diary::default();
        thread::scope(|scope| {
            for submitter in 0..4 {
                let (pool, diary) = (&pool, &diary);
                scope.spawn(move || {
                    for n in 0..25_000 {
                        pool.spawn(diary.job(n * 4 + submitter)).unwrap();
                    }
                });
            }
        });
        pool.wait_idle(LIMIT).unwrap();
        let ran = diary.read();
        for submitter in 0..4 {
            let own = ran.iter().filter(|&&entry| entry % 4 == submitter);
            assert!(own.copied().eq((0..25_000).map(|n| n * 4 + submitter)), "submitter {submitter}");
        }
    });
}

/// Starts a thread that submits one job to the pool and stays until the sender is dropped.
fn submitter_who_stays(pool: &Pool) -> (mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (leave, stay) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let pool = pool.clone();
    let thread = thread::spawn(move || {
        pool.spawn(|| ()).unwrap();
        ready.send(()).unwrap();
        let _ = stay.recv();
    });
    is_ready.recv_timeout(LIMIT).unwrap();
    (leave, thread)
}

/// Conformance, decision "order": it also holds for one of so many submitters that some share a lane, after others have
/// left, and after it has used another pool in between.
#[test]
fn a_submitter_in_a_crowd_keeps_its_order() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let other = pool_of(1);
        let diary = Diary::default();
        let mut crowd: Vec<_> = (0..200).map(|_| submitter_who_stays(&pool)).collect();
        let late = {
            let (pool, diary) = (pool.clone(), diary.clone());
            move || {
                for n in 0..100 {
                    pool.spawn(diary.job(n)).unwrap();
                    other.spawn(|| ()).unwrap();
                    let (leave, thread) = crowd.swap_remove(n % crowd.len());
                    drop(leave);
                    thread.join().unwrap();
                }
            }
        };
        thread::spawn(late).join().unwrap();
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        let ran = diary.read();
        let early = ran.iter().enumerate().find(|(turn, number)| turn != *number);
        assert_eq!((ran.len(), early), (100, None), "(turn, job) that is out of order");
    });
}

/// Submits jobs from four threads under a lock, numbered in the order of submission; returns their numbers in the order
/// in which they began.
fn ordered_run(workers: i32, jobs_of_each: usize) -> Vec<usize> {
    let pool = Pool::builder().workers(workers).ordered(true).build().unwrap();
    let jobs = 4 * jobs_of_each;
    let began = Arc::new(AtomicUsize::new(0));
    let turns: Arc<Vec<AtomicUsize>> = Arc::new((0..jobs).map(|_| AtomicUsize::new(usize::MAX)).collect());
    let next = Mutex::new(0);
    thread::scope(|scope| {
        for submitter in 0..4 {
            let (pool, next, began, turns) = (&pool, &next, &began, &turns);
            scope.spawn(move || {
                for n in 0..jobs_of_each {
                    let mut next = lock(next);
                    let (number, began, turns) = (*next, Arc::clone(began), Arc::clone(turns));
                    let job = move || turns[number].store(began.fetch_add(1, SeqCst), SeqCst);
                    if (n + submitter) % 7 == 0 {
                        pool.spawn_batch([job]).unwrap();
                    } else {
                        pool.spawn(job).unwrap();
                    }
                    *next += 1;
                }
            });
        }
    });
    pool.wait_idle(LIMIT).unwrap();
    let mut order = vec![usize::MAX; jobs];
    turns.iter().enumerate().for_each(|(number, turn)| order[turn.load(SeqCst)] = number);
    order
}

/// Conformance, decision "order": `ordered` means FIFO over all submitters.
#[test]
fn an_ordered_pool_of_one_runs_all_jobs_in_order() {
    within_limit(|| assert!(ordered_run(1, 10_000).into_iter().eq(0..40_000)));
}

/// Conformance, decision "order". Jobs are taken in order, one at a time. So while a job begins, of those before it
/// only those that the other workers have just taken may still have to.
#[test]
fn an_ordered_pool_begins_no_job_before_more_earlier_ones_than_there_are_other_workers() {
    within_limit(|| {
        let order = ordered_run(4, 10_000);
        let mut high = 0; // one more than the highest number that has begun
        for (turn, &number) in order.iter().enumerate() {
            high = high.max(number + 1);
            let overtaken = high - (turn + 1);
            assert!(overtaken <= 3, "when job {number} began, {overtaken} before job {high} had not");
        }
    });
}

/// Conformance, decision "order": also for jobs that are submitted by jobs.
#[test]
fn jobs_submitted_by_a_job_run_in_order() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let diary = Diary::default();
        let family = |door: Door, diary: Diary| {
            move || {
                door.pass();
                let pool = Pool::current().expect("a job has a pool");
                for n in 0..1000 {
                    pool.spawn(diary.job(n)).unwrap();
                }
            }
        };
        pool.spawn(family(gate.door(), diary.clone())).unwrap();
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert!(diary.read().into_iter().eq(0..1000));
    });
}
