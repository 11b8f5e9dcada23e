//! Hints to the processor and the scheduler, for threads that wait without sleeping.

#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Tells the core that this is a spin loop.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn spin() {
    std::hint::spin_loop();
}

/// How many pauses take this long. Measured once: a pause takes from 10 to 50 ns, depending on the processor.
#[cfg(not(loom))]
pub(crate) fn pauses_in(nanos: u32) -> u32 {
    /// In 1024 ns.
    static PAUSES: AtomicU32 = AtomicU32::new(0);
    let mut pauses = PAUSES.load(Ordering::Relaxed);
    if pauses == 0 {
        pauses = measured_pauses();
        PAUSES.store(pauses, Ordering::Relaxed);
    }
    (u64::from(nanos) * u64::from(pauses) / 1024) as u32
}

#[cfg(loom)]
pub(crate) fn pauses_in(nanos: u32) -> u32 {
    nanos
}

/// How many pauses take 1024 ns; at least one. The shortest of some measurements: a thread may be preempted meanwhile.
#[cfg(not(loom))]
#[cold]
fn measured_pauses() -> u32 {
    const AT_A_TIME: u64 = 32;
    let time = |_| {
        let start = Instant::now();
        (0..AT_A_TIME).for_each(|_| spin());
        start.elapsed().as_nanos().max(1) as u64
    };
    let shortest = (0..4).map(time).min().unwrap_or(1);
    (AT_A_TIME * 1024 / shortest).max(1) as u32
}

/// Whether threads may wait awake at all. In models they sleep at once: spinning would only add executions.
pub(crate) const MAY_WAIT_AWAKE: bool = !cfg!(loom);

/// Whether other threads can run while this one spins.
pub(crate) fn may_spin() -> bool {
    MAY_WAIT_AWAKE && !super::thread::is_alone()
}

/// `time`, but endless in models, whose threads must not depend on a real clock.
pub(crate) const fn real_time(time: Duration) -> Duration {
    if cfg!(loom) { Duration::MAX } else { time }
}

/// Spins for some time, by the clock.
pub(crate) fn linger(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        spin();
    }
}

/// Lets another thread have the core.
#[cfg(not(loom))]
pub(crate) fn yield_now() {
    std::thread::yield_now();
}

#[cfg(loom)]
pub(crate) use loom::thread::{yield_now, yield_now as spin};

/// Prefetches the cache line of `place` for writing, so that a later write does not wait until another core gives it
/// up.
#[inline(always)]
pub(crate) fn will_write<T>(place: &T) {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    {
        // SAFETY: a prefetch has no effect that a program could observe.
        unsafe { std::arch::asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags, readonly)) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    let _ = place;
}
