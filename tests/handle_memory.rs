//! Handles that cost an allocation each, keep other memory alive, or leak.

mod common;
mod counting;

use common::{LIMIT, blocked, lock, pool_of, within_limit};
use fastthreadpool::{Deadline, JobHandle, Pool, WaitError, as_completed};
use std::sync::Mutex;
use std::thread;

/// Allocations are counted for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Less than the smallest thing that a handle could leak.
const NOTHING: isize = 64;

/// Runs `body` many times, so that leaks add up.
fn leaves_nothing_behind(body: impl Fn() + Send + 'static) {
    within_limit(move || {
        const RUNS: isize = 100;
        let _alone = lock(&ALONE);
        (0..3).for_each(|_| body());
        let before = counting::live();
        (0..RUNS).for_each(|_| body());
        let left = counting::live() - before;
        assert!(left < RUNS * NOTHING, "{} bytes each time", left / RUNS);
    });
}

/// Conformance 115: a loop that stops waiting and waits again, while its job goes on.
#[test]
fn jobs_that_are_waited_for_again_and_again_keep_nothing_of_it() {
    let alone = lock(&ALONE);
    let (pool, gate) = blocked();
    let jobs = Mutex::new(numbers(&pool, 1));
    drop(alone);
    leaves_nothing_behind(move || {
        let mut jobs = lock(&jobs);
        for _ in 0..100 {
            let mut completed = as_completed(jobs.drain(..), Deadline::NOW);
            assert_eq!(completed.next().unwrap().unwrap_err(), WaitError::TimedOut);
            jobs.append(&mut completed.into_rest());
        }
    });
    let _alone = lock(&ALONE);
    drop((gate, pool));
}

fn numbers(pool: &Pool, count: usize) -> Vec<JobHandle<usize>> {
    (0..count).map(|number| pool.submit(move || number).unwrap()).collect()
}

/// Performance P4: many handles share one allocation.
#[test]
fn a_handle_has_no_allocation_to_itself() {
    within_limit(|| {
        const JOBS: usize = 32_000;
        let _alone = lock(&ALONE);
        let (pool, gate) = blocked();
        let before = counting::asked();
        let jobs = numbers(&pool, JOBS);
        let asked = counting::asked() - before;
        assert!(asked < JOBS / 16, "{asked} allocations for {JOBS} handles");
        let before = counting::asked();
        let texts: Vec<_> = (0..JOBS).map(|_| pool.submit(|| [const { String::new() }; 3]).unwrap()).collect();
        let asked = counting::asked() - before;
        assert!(asked < JOBS / 16, "{asked} allocations for {JOBS} handles of larger values");
        gate.open();
        assert!(jobs.into_iter().map(|job| job.join().unwrap()).eq(0..JOBS));
        assert!(texts.into_iter().all(|job| job.join().unwrap().iter().all(String::is_empty)));
    });
}

/// Performance P4: a burst of handles finds the memory of the burst before it.
#[test]
fn the_next_burst_of_handles_allocates_nothing() {
    within_limit(|| {
        const JOBS: usize = 10_000;
        let _alone = lock(&ALONE);
        let pool = pool_of(1);
        let burst = || {
            let before = counting::asked();
            let jobs: [_; JOBS] = std::array::from_fn(|number| pool.submit(move || number).unwrap());
            let asked = counting::asked() - before;
            assert!(jobs.into_iter().map(|job| job.join().unwrap()).eq(0..JOBS));
            asked
        };
        let first = burst();
        // A worker that rests meanwhile, because this thread has lost its core for long, frees the memory.
        assert!((0..100).any(|_| burst() < first / 4));
    });
}

/// A handle that is kept does not keep the others' memory, once the pool is at rest, nor the pool's.
#[test]
fn a_handle_that_stays_keeps_little() {
    within_limit(|| {
        const LITTLE: isize = 16 << 10;
        let _alone = lock(&ALONE);
        let (pool, gate) = blocked();
        for _ in 0..10_000 {
            pool.spawn(|| ()).unwrap(); // The queue keeps the memory for as many as it has held.
        }
        drop(numbers(&pool, 1000));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        let before = counting::live();
        let mut jobs = numbers(&pool, 10_000);
        jobs.iter().for_each(|job| job.wait(Deadline::NEVER).unwrap());
        let kept = jobs.swap_remove(5000);
        drop(jobs);
        while counting::live() - before >= LITTLE {
            thread::yield_now(); // What the next burst could use is freed when the worker has rested.
        }
        drop((gate, pool));
        let live = counting::live() - before;
        assert!(live < LITTLE, "without its pool it keeps {live} bytes");
        assert_eq!(kept.join().unwrap(), 5000);
    });
}

#[test]
fn a_thread_that_ends_with_half_a_slot_block_leaves_nothing_behind() {
    leaves_nothing_behind(|| {
        let pool = pool_of(1);
        for count in [5, 37] {
            let jobs = thread::scope(|scope| scope.spawn(|| numbers(&pool, count)).join().unwrap());
            assert!(jobs.into_iter().map(|job| job.join().unwrap()).eq(0..count));
        }
        let adopted = numbers(&pool, 3);
        drop(pool);
        drop(adopted);
    });
}

/// The test's own thread goes on, and has had a slot block open in each of the pools.
#[test]
fn a_pool_that_goes_leaves_little_with_its_submitters() {
    within_limit(|| {
        const POOLS: usize = 10;
        const LITTLE: isize = 1 << 10;
        let _alone = lock(&ALONE);
        let before = counting::live();
        let pools: Vec<_> = (0..POOLS).map(|_| pool_of(1)).collect();
        pools.iter().for_each(|pool| assert_eq!(pool.submit(|| 1).unwrap().join().unwrap(), 1));
        drop(pools);
        let live = (counting::live() - before) / POOLS as isize;
        assert!(live < LITTLE, "each pool that is gone leaves {live} bytes");
    });
}

#[test]
fn handles_that_outlive_their_pool_take_the_rest_with_them() {
    leaves_nothing_behind(|| {
        let (pool, gate) = blocked();
        let (mut jobs, cancelled) = (numbers(&pool, 50), pool.submit(|| 0).unwrap());
        drop(jobs.split_off(40)); // Before they have run.
        assert!(cancelled.cancel());
        gate.open();
        drop(pool);
        assert!(!jobs[0].cancel() && cancelled.cancel());
        let last = jobs.split_off(20);
        thread::spawn(|| drop(last)).join().unwrap();
        assert!(jobs.into_iter().map(|job| job.join().unwrap()).eq(0..20));
    });
}

#[repr(align(256))]
struct Aligned(u8);

/// Nor does a job that fails, is refused or is watched.
#[test]
fn handles_of_every_size_leave_nothing_behind() {
    leaves_nothing_behind(|| {
        let pool = Pool::builder().workers(2).timing(true).build().unwrap();
        let plain = pool_of(2);
        for pool in [&pool, &plain] {
            let nothing: Vec<_> = (0..40).map(|_| pool.submit(|| ()).unwrap()).collect();
            let texts: Vec<_> = (0..40).map(|number: usize| pool.submit(move || number.to_string()).unwrap()).collect();
            let large: Vec<_> = (0..3).map(|number: u64| pool.submit(move || [number; 500]).unwrap()).collect();
            let aligned: Vec<_> = (0..3).map(|number: u8| pool.submit(move || Aligned(number)).unwrap()).collect();
            let failing = pool.try_submit(|| Err::<String, _>("on purpose")).unwrap();
            failing.on_done(|outcome| assert!(outcome.is_err()));
            assert!(failing.join().is_err());
            for (number, job) in aligned.iter().enumerate() {
                job.wait(LIMIT).unwrap();
                let value = job.get().unwrap().unwrap();
                assert!(usize::from(value.0) == number && std::ptr::from_ref(value).addr().is_multiple_of(256));
            }
            drop(aligned);
            assert!(large.into_iter().zip(0..).all(|(job, number)| job.join().unwrap() == [number; 500]));
            assert!(texts.into_iter().zip(0..).all(|(job, number)| job.join().unwrap() == format!("{number}")));
            nothing.into_iter().for_each(|job| job.join().unwrap());
        }
    });
}
