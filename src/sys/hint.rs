//! What a thread may say while it waits without sleeping.

#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Tells the core that this is a spin loop.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn spin() {
    std::hint::spin_loop();
}

/// How many pauses take so long. Measured once: a pause takes from 10 to 50 ns, as the core likes.
#[cfg(not(loom))]
pub(crate) fn pauses_in(nanos: u32) -> u32 {
    /// In 1024 ns.
    static PAUSES: AtomicU32 = AtomicU32::new(0);
    match PAUSES.load(Ordering::Relaxed) {
        0 => {
            PAUSES.store(measured_pauses(), Ordering::Relaxed);
            pauses_in(nanos)
        }
        pauses => (u64::from(nanos) * u64::from(pauses) / 1024) as u32,
    }
}

#[cfg(loom)]
pub(crate) fn pauses_in(nanos: u32) -> u32 {
    nanos
}

/// How many pauses take 1024 ns; at least one. The quickest of some times: a thread may lose its core meanwhile.
#[cfg(not(loom))]
#[cold]
fn measured_pauses() -> u32 {
    const AT_A_TIME: u64 = 32;
    let time = |_| {
        let start = Instant::now();
        (0..AT_A_TIME).for_each(|_| spin());
        start.elapsed().as_nanos().max(1) as u64
    };
    let quickest = (0..4).map(time).min().unwrap_or(1);
    (AT_A_TIME * 1024 / quickest).max(1) as u32
}

/// Whether threads may wait awake at all. In models they sleep at once: everything else would only add looks.
pub(crate) const MAY_WAIT_AWAKE: bool = !cfg!(loom);

/// Whether anybody else can run while this thread spins.
pub(crate) fn may_spin() -> bool {
    MAY_WAIT_AWAKE && !super::thread::is_alone()
}

/// `time`, but without end in models, whose threads must not look at a real clock.
pub(crate) const fn real_time(time: Duration) -> Duration {
    if cfg!(loom) { Duration::MAX } else { time }
}

/// Lets some time pass on this core. Counts time, not pauses: a pause takes from 10 to 50 ns, as the core likes.
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

/// Asks for the cache line of `place` to write to it soon, so that the write does not wait for another core to give it
/// up.
#[inline(always)]
pub(crate) fn will_write<T>(place: &T) {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    {
        // SAFETY: a prefetch touches no memory as far as the program can tell.
        unsafe { std::arch::asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags, readonly)) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    let _ = place;
}
