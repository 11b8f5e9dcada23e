//! Which thread is calling.

pub(crate) use imp::of_this_thread;

/// A place for the thread with this token among 2^`bits`, by Fibonacci hashing (Knuth, The Art of Computer Programming
/// 3, 6.4). Tokens are addresses some stacks apart, at distances and alignments that the system chooses.
#[inline(always)]
pub(crate) fn place(token: usize, bits: u32) -> usize {
    const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;
    (token as u64).wrapping_mul(GOLDEN_RATIO).unbounded_shr(u64::BITS - bits) as usize
}

/// A number that distinguishes the calling thread from all others that are alive now, and is not 0. The address of a
/// thread-local would do, but in a shared library that takes a call: a fifth of a submit.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64", not(any(loom, ftpool_portable))))]
mod imp {
    use std::arch::asm;

    /// The first word of a thread's control block, which is the block's address (System V ABI, "Thread-Local Storage").
    #[inline(always)]
    pub(crate) fn of_this_thread() -> usize {
        let token;
        // SAFETY: the ABI says that `fs` points to the thread's control block, which the thread may read.
        unsafe { asm!("mov {}, fs:[0]", out(reg) token, options(pure, readonly, nostack, preserves_flags)) };
        token
    }
}

#[cfg(all(target_os = "linux", target_arch = "aarch64", not(any(loom, ftpool_portable))))]
mod imp {
    use std::arch::asm;

    /// The address of a thread's control block.
    #[inline(always)]
    pub(crate) fn of_this_thread() -> usize {
        let token;
        // SAFETY: threads may read this register.
        unsafe { asm!("mrs {}, tpidr_el0", out(reg) token, options(pure, readonly, nostack, preserves_flags)) };
        token
    }
}

#[cfg(not(all(
    target_os = "linux",
    any(all(target_arch = "x86_64", target_pointer_width = "64"), target_arch = "aarch64"),
    not(any(loom, ftpool_portable))
)))]
mod imp {
    use crate::sys::thread::per_thread;

    pub(crate) fn of_this_thread() -> usize {
        per_thread!(TOKEN: u8 = 0);
        // An error means that it was destroyed already, which happens in models only.
        TOKEN.try_with(|token| std::ptr::from_ref(token).addr()).unwrap_or(usize::MAX)
    }
}
