//! What is to be reached, in words; the figures are at the scenarios and facts themselves.

/// One of the questions.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    pub id: &'static str,
    pub what: &'static str,
    pub value: &'static str,
}

const fn goal(id: &'static str, what: &'static str, value: &'static str) -> Goal {
    Goal { id, what, value }
}

/// Ratios are our time divided by theirs in the same run, by the C ABI where it takes part.
pub const GOALS: [Goal; 14] = [
    goal(
        "P1",
        "fire and forget, 1 producer, 2 workers",
        "≤ 0.35 of a bare crossbeam channel; 4 × faster than simple Rust pools; 8 × libuv, oneTBB; 10 × everybody else",
    ),
    goal("P2", "the same with 4 producers, with 8 workers", "the same ratios; never slower than with 1 producer"),
    goal("P3", "a result for each job, every one read", "5 × faster than a job channel and a result channel"),
    goal("P4", "a handle for each job, all waited for", "10 × faster than std::future pools and tokio"),
    goal(
        "P5",
        "forks: fib(30), trees of 2¹⁰ and 2²⁰ nodes",
        "chili's time; 3 × faster than rayon; 2¹⁰ tree ≤ 2 × serial",
    ),
    goal("P6", "loops of 10⁷ and of 1000 steps", "rayon's time; the short one ≤ 1.4 × serial"),
    goal("P7", "waking an idle pool", "p50 ≤ 1.25 ×, p99 ≤ 1.5 × that of a bare futex"),
    goal("P8", "doing nothing, and memory after a burst", "< 1 ms CPU in 2 s; 8 MiB kept, 1 s after 10⁷ jobs"),
    goal(
        "P9",
        "Semaphore",
        "alone: POSIX's time, 18 × faster than std's; 4 and 8 threads: 1.5 × POSIX; ping-pong: the best's time",
    ),
    goal("P10", "FastLock", "alone ≤ 0.55 of std and parking_lot; 2 to 8 threads ≤ 1.1 of the better"),
    goal(
        "P11",
        "a million timers",
        "2 × faster than DelayQueue, 3 × than a locked heap; ≤ 64 B each; as late as a futex",
    ),
    goal("P12", "the workloads of fastthreadpool for Python", "100 × its semaphores, 10 × its map, 60 × its submit"),
    goal("P13", "size of the stripped library", "an empty Rust cdylib + 150 KB, libc and libgcc_s only"),
    goal("P14", "16 cores and more: 8 + 8 against 1 + 1", "5 × the throughput; no collapse up to 16 + 16"),
];
