//! How late timers are.

use fastthreadpool::{Missed, Pool, Schedule, current_tick};
use std::sync::atomic::AtomicU32;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{ptr, thread};

const DELAY: Duration = Duration::from_millis(1);

/// Sorted nanoseconds by which a bare sleep, and the pool's jobs, were late, in turns.
pub(crate) fn measure(outstanding: usize, samples: usize) -> [(&'static str, Vec<u64>); 2] {
    let pool = Pool::new().expect("a pool");
    for n in 0..outstanding {
        let far = Duration::from_secs(3600) + Duration::from_micros(n as u64);
        pool.spawn_later(far, || unreachable!("an hour ahead")).expect("the pool is open");
    }
    let (sender, receiver) = mpsc::channel();
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        bare.push(bare_sleep());
        let (due, sender) = (Instant::now() + DELAY, sender.clone());
        let job = move || sender.send(Instant::now().duration_since(due)).expect("somebody reads");
        pool.spawn_later(DELAY, job).expect("the pool is open");
        let late = receiver.recv_timeout(Duration::from_secs(10)).expect("the timer fires");
        ours.push(late.as_nanos() as u64);
    }
    assert_eq!(pool.cancel_timers(), outstanding, "nothing else has fired");
    bare.sort_unstable();
    ours.sort_unstable();
    [("bare timed futex wait", bare), ("fastthreadpool", ours)]
}

/// A thread that sleeps on a futex and does the work itself.
fn bare_sleep() -> u64 {
    let word = AtomicU32::new(0);
    let timeout = libc::timespec { tv_sec: 0, tv_nsec: DELAY.as_nanos() as i64 };
    let due = Instant::now() + DELAY;
    while Instant::now() < due {
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the word and the timeout outlive the call.
        unsafe {
            libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 0, &raw const timeout, ptr::null::<u32>(), 0)
        };
    }
    Instant::now().duration_since(due).as_nanos() as u64
}

/// From the call to the end of the hundredth tick.
pub(crate) fn hundred_ticks() -> Duration {
    let pool = Pool::new().expect("a pool");
    let (sender, receiver) = mpsc::channel();
    let plan = Schedule::every(Duration::from_millis(20)).missed(Missed::Queue).most_runs(100);
    let began = Instant::now();
    let tick = move || sender.send(current_tick().expect("a tick").number).expect("somebody reads");
    pool.schedule(plan, tick).expect("the pool is open");
    let ticks: Vec<u64> = receiver.iter().take(100).collect();
    let took = began.elapsed();
    assert_eq!(ticks.iter().sum::<u64>(), 5050, "each tick once");
    thread::yield_now();
    took
}
