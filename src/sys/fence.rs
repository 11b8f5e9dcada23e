//! The asymmetric fence: one side of a store-then-load race pays nothing, the other side pays for both.
//!
//! Two threads that each *store, fence, load the other's word* cannot both miss the other's store. With
//! `membarrier(PRIVATE_EXPEDITED)` the frequent side's fence, [`light`], is a compiler fence only: when the rare side
//! calls [`heavy`], the kernel runs a full barrier on every core that runs a thread of this process, so that each
//! light side is ordered either wholly before or wholly after it.
//!
//! # Modes
//!
//! The process starts in mode `FENCE`: both sides are `fence(SeqCst)`. [`enable`] registers with the kernel and changes
//! the mode to `MEMBARRIER`. It is called before memory that needs the pair is shared, so that the change happens
//! before every use. The heavy side always executes `fence(SeqCst)` too, so a light side that still reads the old mode
//! is paired as before. Should the kernel refuse later (a seccomp filter installed at run time), the mode becomes
//! `REFUSED` for good, which is `FENCE` without a way back, and the thread that notices waits for the light sides in
//! progress.
//!
//! # Words that nobody prepares
//!
//! A lock in static memory is used without anybody calling [`enable`] first, and two copies of this library, each with
//! a mode of its own, may use the same lock. [`light_unprepared`] and [`heavy_unprepared`] are the pair for those. The
//! heavy side does not trust the mode: it registers by itself and calls `membarrier`, which reaches the light sides of
//! all threads and copies. If `membarrier` is refused, another copy may still rely on it: then the heavy side reports
//! that, and its caller checks again from time to time instead of sleeping for good. A word may record that the light
//! side [`is_light`]; a thread that reads this needs no mode, and calls [`light_as_known`].
//!
//! # Memory ordering
//!
//! The mode is read `Relaxed`: reading `FENCE` is always sound, and `MEMBARRIER` is published by the act of sharing.

/// What the pair guarantees and nothing more: a light and a heavy side are ordered, two light sides are not. Each side
/// releases to the other in one exchange and acquires from it in the next, so after the second of two fences everything
/// is visible that was stored before the first.
#[cfg(loom)]
mod imp {
    use crate::sys::atomic::{AtomicUsize, Ordering, fence};

    loom::lazy_static! {
        static ref LIGHT: AtomicUsize = AtomicUsize::new(0);
        static ref HEAVY: AtomicUsize = AtomicUsize::new(0);
    }

    pub(crate) use self::{light as light_as_known, light as light_unprepared};

    pub(crate) fn enable() {}

    pub(crate) fn light() {
        LIGHT.fetch_add(1, Ordering::Release);
        HEAVY.fetch_add(0, Ordering::Acquire);
    }

    pub(crate) fn heavy() {
        fence(Ordering::SeqCst);
        HEAVY.fetch_add(1, Ordering::Release);
        LIGHT.fetch_add(0, Ordering::Acquire);
    }

    pub(crate) fn is_light() -> bool {
        true
    }

    pub(crate) fn heavy_unprepared() -> bool {
        heavy();
        true
    }
}

#[cfg(all(not(loom), any(ftpool_portable, not(target_os = "linux"))))]
mod imp {
    pub(crate) use self::{light as light_as_known, light as light_unprepared};

    pub(crate) fn enable() {}

    #[inline(always)]
    pub(crate) fn light() {
        full();
    }

    pub(crate) fn heavy() {
        full();
    }

    #[cfg(not(ftpool_tsan))]
    #[inline(always)]
    fn full() {
        use std::sync::atomic::{Ordering, fence};
        fence(Ordering::SeqCst);
    }

    /// ThreadSanitizer does not support fences. An exchange of one shared word is at least as strong.
    #[cfg(ftpool_tsan)]
    fn full() {
        use std::sync::atomic::{AtomicU32, Ordering};
        static ALL: AtomicU32 = AtomicU32::new(0);
        ALL.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn is_light() -> bool {
        false
    }

    pub(crate) fn heavy_unprepared() -> bool {
        heavy();
        true
    }
}

#[cfg(not(any(loom, ftpool_portable, not(target_os = "linux"))))]
mod imp {
    use std::sync::atomic::{AtomicBool, AtomicU8, Ordering, compiler_fence, fence};
    use std::time::Duration;

    const FENCE: u8 = 0;
    const MEMBARRIER: u8 = 1;
    /// The kernel has refused, and light sides that read the mode before may be in progress.
    const REFUSING: u8 = 2;
    const REFUSED: u8 = 3;

    static MODE: AtomicU8 = AtomicU8::new(FENCE);

    /// How long a store may linger in another core's store buffer once `membarrier` is refused: the buffer drains in
    /// well under a microsecond, so this is a margin of three orders of magnitude.
    const STORE_BUFFER_DRAIN: Duration = Duration::from_millis(1);

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: membarrier takes a command, flags and a cpu number; it reads and writes no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    pub(crate) fn enable() {
        if MODE.load(Ordering::Relaxed) == FENCE && membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) {
            // Race with a refusal: only FENCE may become MEMBARRIER, a refused process stays refused.
            let _ = MODE.compare_exchange(FENCE, MEMBARRIER, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    pub(crate) fn light() {
        if MODE.load(Ordering::Relaxed) == MEMBARRIER {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    pub(crate) fn heavy() {
        fence(Ordering::SeqCst);
        match MODE.load(Ordering::Relaxed) {
            MEMBARRIER if membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) => {}
            MEMBARRIER | REFUSING => wait_out_light_sides(),
            _ => {}
        }
    }

    /// Race with other heavy sides: one that reads REFUSED need not wait, because another has waited.
    #[cold]
    fn wait_out_light_sides() {
        let _ = MODE.compare_exchange(MEMBARRIER, REFUSING, Ordering::Relaxed, Ordering::Relaxed);
        std::thread::sleep(STORE_BUFFER_DRAIN);
        MODE.store(REFUSED, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(crate) fn light_unprepared() {
        if is_light() {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence_and_enable();
        }
    }

    pub(crate) fn is_light() -> bool {
        MODE.load(Ordering::Relaxed) == MEMBARRIER
    }

    #[inline(always)]
    pub(crate) fn light_as_known() {
        compiler_fence(Ordering::SeqCst);
    }

    /// One thread registers, which may take some milliseconds in a process with several threads; meanwhile the others
    /// use fences.
    #[cold]
    fn fence_and_enable() {
        static TRIED: AtomicBool = AtomicBool::new(false);
        fence(Ordering::SeqCst);
        if !TRIED.load(Ordering::Relaxed) && !TRIED.swap(true, Ordering::Relaxed) {
            enable();
        }
    }

    pub(crate) fn heavy_unprepared() -> bool {
        enable();
        heavy();
        is_light()
    }
}

/// Whether new words record that the light side [`is_light`]: in models, most of which are about other states.
pub(crate) const LIGHT_FROM_THE_START: bool = cfg!(loom);

/// The light side for words that may be used before [`enable`].
pub(crate) use imp::light_unprepared;

/// Whether the light side is a compiler fence, because the process has registered.
pub(crate) use imp::is_light;

/// The light side for a thread that has read in such a word that it [`is_light`].
pub(crate) use imp::light_as_known;

/// The heavy side for such words. False if a light side in another copy of this library may have been missed.
pub(crate) use imp::heavy_unprepared;

pub(crate) use imp::{enable, heavy, light};
