//! How late timers are.

use fastthreadpool::{MissedTicks, Pool, Schedule, current_tick};
use rivals::native_timers::{self, Entrant, Timers};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{ptr, thread};

const DELAY: Duration = Duration::from_millis(1);

/// Sorted nanoseconds by which bare sleeps, the pool's jobs, and those of loops of C or C++ were late, in turns.
pub(crate) fn measure(outstanding: usize, samples: usize) -> Vec<(&'static str, Vec<u64>)> {
    let pool = Pool::new().expect("a pool");
    for n in 0..outstanding {
        let far = Duration::from_secs(3600) + Duration::from_micros(n as u64);
        pool.spawn_later(far, || unreachable!("an hour ahead")).expect("the pool is open");
    }
    let (sender, receiver) = mpsc::channel();
    let (mut bare, mut precise, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    let mut loops: Vec<(Entrant, Timers, Vec<u64>)> =
        native_timers::installed().into_iter().map(|one| (one, crowded(one, outstanding), Vec::new())).collect();
    for _ in 0..samples {
        bare.push(bare_sleep());
        precise.push(with_slack(1, bare_sleep));
        for (_, timers, late) in &mut loops {
            late.push(in_a_loop(timers));
        }
        let (due, sender) = (Instant::now() + DELAY, sender.clone());
        let job = move || sender.send(Instant::now().duration_since(due)).expect("somebody reads");
        pool.spawn_later(DELAY, job).expect("the pool is open");
        let late = receiver.recv_timeout(Duration::from_secs(10)).expect("the timer fires");
        ours.push(late.as_nanos() as u64);
    }
    assert_eq!(pool.cancel_timers(), outstanding, "nothing else has fired");
    let all = [("bare timed futex wait", bare), ("the same, timer slack 1 ns", precise), ("fastthreadpool", ours)];
    let all = all.into_iter().chain(loops.into_iter().map(|(entrant, _, late)| (entrant.name, late)));
    all.map(|(who, mut late)| {
        late.sort_unstable();
        (who, late)
    })
    .collect()
}

/// Timers of which many are an hour ahead.
fn crowded(entrant: Entrant, outstanding: usize) -> Timers {
    extern "C" fn never(_number: usize) {
        unreachable!("an hour ahead");
    }
    let mut timers = entrant.make();
    for n in 0..outstanding {
        timers.insert(Duration::from_secs(3600) + Duration::from_micros(n as u64), never);
    }
    timers
}

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
static CALLED: AtomicU64 = AtomicU64::new(0);

/// A timer of a loop that calls it itself. 0 if it is early: libuv counts whole milliseconds.
fn in_a_loop(timers: &mut Timers) -> u64 {
    extern "C" fn note(_number: usize) {
        CALLED.store(ORIGIN.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
    timers.look();
    let due = ORIGIN.elapsed() + DELAY;
    timers.insert(DELAY, note);
    timers.wait();
    CALLED.load(Ordering::Relaxed).saturating_sub(due.as_nanos() as u64)
}

/// Runs `code` while the kernel may let this thread's sleeps end so many nanoseconds late, and no more.
fn with_slack<R>(nanoseconds: libc::c_ulong, code: impl FnOnce() -> R) -> R {
    // SAFETY: a number that concerns this thread alone.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds) };
    let result = code();
    // SAFETY: as above; 0 stands for what the thread began with.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 0 as libc::c_ulong) };
    result
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
    let plan = Schedule::every(Duration::from_millis(20)).missed(MissedTicks::Queue).max_runs(100);
    let began = Instant::now();
    let tick = move || sender.send(current_tick().expect("a tick").number).expect("somebody reads");
    pool.schedule(plan, tick).expect("the pool is open");
    let ticks: Vec<u64> = receiver.iter().take(100).collect();
    let took = began.elapsed();
    assert_eq!(ticks.iter().sum::<u64>(), 5050, "each tick once");
    thread::yield_now();
    took
}
