//! Starting threads and counting the processors that they may use.

#[cfg(loom)]
use loom::thread as imp;
use std::cell::Cell;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::thread as imp;
use std::thread::available_parallelism;

pub(crate) use imp::{JoinHandle, LocalKey};

/// How many processors this process may use, by affinity and cgroup quota; at least 1. Determined once, by reading
/// files.
pub(crate) fn usable_cpus() -> usize {
    /// 0 before. No lock: in the child of a fork, whoever holds it may not exist.
    static CPUS: AtomicUsize = AtomicUsize::new(0);
    let known = if cfg!(loom) { 2 } else { CPUS.load(Ordering::Relaxed) };
    if known != 0 {
        return known;
    }
    let cpus = available_parallelism().map_or(1, NonZero::get);
    CPUS.store(cpus, Ordering::Relaxed);
    cpus
}

/// Whether this process may use one processor only, by affinity alone. Determined once, without reading files or
/// allocating memory, because locks call this.
pub(crate) fn is_alone() -> bool {
    const SEVERAL: u8 = 1;
    const ONE: u8 = 2;
    static ANSWER: AtomicU8 = AtomicU8::new(0);
    let known = ANSWER.load(Ordering::Relaxed);
    if known != 0 {
        return known == ONE;
    }
    let alone = one_cpu();
    ANSWER.store(if alone { ONE } else { SEVERAL }, Ordering::Relaxed);
    alone
}

#[cfg(all(target_os = "linux", not(any(loom, ftpool_portable))))]
fn one_cpu() -> bool {
    // SAFETY: the call takes nothing.
    let first_thread = unsafe { libc::getpid() };
    // Of the first thread, because the caller may be restricted to one processor while other threads use the rest.
    super::cpus::Cpus::of(first_thread).is_some_and(|cpus| cpus.count() == 1)
}

#[cfg(not(all(target_os = "linux", not(any(loom, ftpool_portable)))))]
fn one_cpu() -> bool {
    usable_cpus() == 1
}

/// Starts a thread that asynchronous signals (`SIGINT`, `SIGALRM`, …) are never delivered to.
pub(crate) fn start(
    name: String,
    stack_size: Option<usize>,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let mut builder = imp::Builder::new().name(name);
    if let Some(bytes) = stack_size {
        builder = builder.stack_size(bytes);
    }
    // The new thread inherits the mask, so no signal can slip in before it masks them itself.
    let _masked = signals::Masked::new();
    builder.spawn(body)
}

/// Waits for a thread's end, unless it is the calling thread, in the destructor of one of its thread-locals.
pub(crate) fn join_other(thread: JoinHandle<()>) {
    if thread.thread().id() != imp::current().id() {
        thread.join().expect("threads of ours do not panic");
    }
}

/// Suspends the calling thread for good.
pub(crate) fn stand_still() -> ! {
    loop {
        imp::park();
    }
}

/// While this lives, timed sleeps of the calling thread end in time, and not up to 50 µs later, a delay by which the
/// kernel combines wake-ups (timer slack). Does nothing except on Linux.
#[derive(Debug)]
pub(crate) struct PreciseSleep {
    /// The thread's timer slack before.
    #[cfg(all(target_os = "linux", not(loom)))]
    usual: libc::c_ulong,
}

pub(crate) fn sleep_precisely() -> PreciseSleep {
    #[cfg(all(target_os = "linux", not(loom)))]
    {
        const NANOSECOND: libc::c_ulong = 1;
        let usual = slack(libc::PR_GET_TIMERSLACK, 0).try_into().unwrap_or(0);
        slack(libc::PR_SET_TIMERSLACK, NANOSECOND);
        PreciseSleep { usual }
    }
    #[cfg(not(all(target_os = "linux", not(loom))))]
    PreciseSleep {}
}

/// Reads or sets the calling thread's timer slack in nanoseconds; 0 stands for its initial value.
#[cfg(all(target_os = "linux", not(loom)))]
fn slack(operation: libc::c_int, nanoseconds: libc::c_ulong) -> libc::c_int {
    const UNUSED: libc::c_ulong = 0;
    // SAFETY: these operations take numbers, and affect the calling thread alone. If one fails, nothing changes.
    unsafe { libc::prctl(operation, nanoseconds, UNUSED, UNUSED, UNUSED) }
}

impl Drop for PreciseSleep {
    fn drop(&mut self) {
        #[cfg(all(target_os = "linux", not(loom)))]
        slack(libc::PR_SET_TIMERSLACK, self.usual);
    }
}

/// Declares a thread-local.
#[cfg(not(loom))]
macro_rules! per_thread {
    ($(#[$doc:meta])* $name:ident: $type:ty = $init:expr) => {
        std::thread_local! {
            $(#[$doc])*
            static $name: $type = const { $init };
        }
    };
}

#[cfg(loom)]
macro_rules! per_thread {
    ($(#[$doc:meta])* $name:ident: $type:ty = $init:expr) => {
        loom::thread_local! {
            $(#[$doc])*
            static $name: $type = $init;
        }
    };
}

pub(crate) use per_thread;

/// A thread-local pointer to the innermost thing of its kind that the thread is inside, until this is dropped; then to
/// the outer one again.
pub(crate) struct Entered<T: 'static> {
    innermost: &'static LocalKey<Cell<*const T>>,
    outer: *const T,
}

/// Makes `inner` the innermost; null for none.
#[inline]
#[must_use]
pub(crate) fn enter<T>(innermost: &'static LocalKey<Cell<*const T>>, inner: *const T) -> Entered<T> {
    Entered { innermost, outer: innermost.with(|place| place.replace(inner)) }
}

impl<T> Drop for Entered<T> {
    #[inline]
    fn drop(&mut self) {
        self.innermost.with(|place| place.set(self.outer));
    }
}

#[cfg(not(target_os = "linux"))]
mod signals {
    /// Elsewhere signals are left as they are.
    pub(super) struct Masked;

    impl Masked {
        pub(super) fn new() -> Self {
            Self
        }
    }
}

#[cfg(target_os = "linux")]
mod signals {
    use std::mem::MaybeUninit;
    use std::ptr;

    /// Signals that a thread causes itself: masking them would turn a crash into a hang.
    const SYNCHRONOUS: [libc::c_int; 6] =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];

    /// The calling thread's asynchronous signals are blocked while this lives.
    pub(super) struct Masked(libc::sigset_t);

    impl Masked {
        pub(super) fn new() -> Self {
            let mut mask = MaybeUninit::uninit();
            // SAFETY: `mask` is writable memory for one set.
            unsafe { libc::sigfillset(mask.as_mut_ptr()) };
            for signal in SYNCHRONOUS {
                // SAFETY: `mask` was initialised by sigfillset.
                unsafe { libc::sigdelset(mask.as_mut_ptr(), signal) };
            }
            let mut before = MaybeUninit::uninit();
            // SAFETY: `mask` is initialised, `before` is writable memory for one set.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask.as_ptr(), before.as_mut_ptr()) };
            // SAFETY: pthread_sigmask with a valid `how` cannot fail, so it has written the old set.
            Self(unsafe { before.assume_init() })
        }
    }

    impl Drop for Masked {
        fn drop(&mut self) {
            // SAFETY: the set came from pthread_sigmask.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, ptr::null_mut()) };
        }
    }
}
