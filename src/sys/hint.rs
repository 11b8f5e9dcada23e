//! What a thread may say while it waits without sleeping.

/// Tells the core that this is a spin loop.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn spin() {
    std::hint::spin_loop();
}

/// Lets another thread have the core.
#[cfg(not(loom))]
pub(crate) fn yield_now() {
    std::thread::yield_now();
}

#[cfg(loom)]
pub(crate) use loom::thread::{yield_now, yield_now as spin};
