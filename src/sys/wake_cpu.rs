//! On which processor a thread wakes up, or goes on.
//!
//! A scheduler wakes a thread on the processor where it went to sleep, or near its waker, unless it finds an idle one.
//! In a virtual machine it often finds none: an idle processor was given back to the host, and a processor that the
//! host does not run counts as preempted (Linux: `available_idle_cpu`, `vcpu_is_preempted`). Then a helper is queued
//! behind the thread that it should help, for a time slice of some milliseconds; and again the next time, because it
//! has slept there. So a waker that continues to work excludes its own processor from the affinity of the sleeper,
//! which restores the affinity when it is awake.
//!
//! In the same way a thread leaves the processor that it shares with a thread it takes turns with: the system does not
//! separate two that never want it at the same time.
//!
//! Implemented on Linux only; elsewhere these functions do nothing.

pub(crate) use imp::{WakeCpu, leave_this_cpu};

#[cfg(all(target_os = "linux", not(any(loom, ftpool_portable))))]
mod imp {
    use crate::sys::cpus::Cpus;
    use crate::sys::lock::Lock;
    use libc::{c_int, pid_t};
    use std::sync::atomic::{AtomicI32, Ordering};

    /// Keeps a sleeper, one thread at a time, from waking on its waker's processor.
    ///
    /// # Memory ordering
    ///
    /// `cpu` is stored (release) after `thread`; a waker that does not observe it yet (acquire) does nothing.
    /// Everything else is ordered by the token that the waker leaves for the sleeper.
    #[derive(Debug)]
    pub(crate) struct WakeCpu {
        thread: AtomicI32,
        /// The processor on which the thread went to sleep; `NOWHERE` if it is awake.
        cpu: AtomicI32,
        /// The sleeper's affinity before its waker excluded a processor.
        before: Lock<Option<Cpus>>,
        /// The processor of the last waker, if the sleeper has [asked](Self::ask_for_waker) for it.
        waker: AtomicI32,
    }

    impl WakeCpu {
        pub(crate) fn new() -> Self {
            Self {
                thread: AtomicI32::new(0),
                cpu: AtomicI32::new(NOWHERE),
                before: Lock::new(None),
                waker: AtomicI32::new(NOWHERE),
            }
        }

        /// The calling thread is about to sleep here.
        pub(crate) fn before_sleep(&self) {
            // SAFETY: the call has no preconditions.
            self.thread.store(unsafe { libc::gettid() }, Ordering::Relaxed);
            self.cpu.store(this_cpu(), Ordering::Release);
        }

        /// Keeps the sleeper, which only the caller is about to wake, off the caller's processor, if it went to sleep
        /// there and may use others.
        pub(crate) fn avoid_this_cpu(&self) {
            let cpu = self.cpu.load(Ordering::Acquire);
            if cpu == NOWHERE || cpu != this_cpu() {
                return;
            }
            let thread = self.thread.load(Ordering::Relaxed);
            let Some(allowed) = Cpus::of(thread) else { return };
            if allowed.without(cpu as usize).is_some_and(|others| others.allow(thread)) {
                *self.before.lock() = Some(allowed);
            }
        }

        /// The calling thread is about to sleep here, and wants to know whether it will be woken by a thread on its own
        /// processor, or not. The answer takes the waker a moment, most of all if it has not asked the system lately.
        pub(crate) fn ask_for_waker(&self, wants: bool) {
            self.waker.store(if wants { ASKED } else { NOWHERE }, Ordering::Relaxed);
        }

        /// The caller is about to wake the sleeper.
        pub(crate) fn note_waker(&self) {
            if self.waker.load(Ordering::Relaxed) == ASKED {
                self.waker.store(this_cpu(), Ordering::Relaxed);
            }
        }

        /// Whether the sleeper, which calls this, has asked and was woken on its waker's processor.
        pub(crate) fn shares_wakers_cpu(&self) -> bool {
            self.waker.load(Ordering::Relaxed) == this_cpu()
        }

        /// The calling thread has slept here and is awake.
        pub(crate) fn after_sleep(&self) {
            self.cpu.store(NOWHERE, Ordering::Relaxed);
            if let Some(allowed) = self.before.lock().take() {
                restore(&allowed);
            }
        }
    }

    /// Moves the calling thread to another processor; false if there is none that it may use.
    pub(crate) fn leave_this_cpu() -> bool {
        let (Some(allowed), Ok(cpu)) = (Cpus::of(SELF), usize::try_from(this_cpu())) else { return false };
        let leaves = allowed.without(cpu).is_some_and(|others| others.allow(SELF));
        if leaves {
            restore(&allowed);
        }
        leaves
    }

    /// Ends a restriction of the calling thread, which could use the `allowed` processors before.
    fn restore(allowed: &Cpus) {
        // If the affinity was that of the process, leave it unrestricted, so that the thread may use processors that
        // the process gets later.
        if !(Cpus::all().allow(SELF) && Cpus::of(SELF).is_some_and(|now| now == *allowed)) {
            allowed.allow(SELF);
        }
    }

    /// Not the number of a processor; also what `sched_getcpu` returns if it fails.
    const NOWHERE: c_int = -1;

    /// Stands for a processor that is asked for.
    const ASKED: c_int = -2;

    const SELF: pid_t = 0;

    fn this_cpu() -> c_int {
        // SAFETY: the call has no preconditions.
        unsafe { libc::sched_getcpu() }
    }

    #[cfg(test)]
    mod tests {
        use super::{Cpus, SELF, WakeCpu, leave_this_cpu, this_cpu};
        use std::thread;

        fn allowed() -> Cpus {
            Cpus::of(SELF).expect("Linux says")
        }

        /// The sleeper and its waker are one thread here, which is on its own processor unless the system moves it.
        #[test]
        fn a_sleeper_is_kept_off_its_wakers_processor_until_it_is_awake() {
            let (before, wake_cpu) = (allowed(), WakeCpu::new());
            let is_sent_away = || {
                wake_cpu.before_sleep();
                wake_cpu.avoid_this_cpu();
                let barred = before.count() - allowed().count();
                wake_cpu.after_sleep();
                assert_eq!(allowed(), before);
                barred == 1
            };
            let several = before.count() > 1;
            assert_eq!((0..1000).any(|_| is_sent_away()), several);
        }

        #[test]
        fn a_thread_that_is_awake_keeps_its_affinity() {
            let (before, wake_cpu) = (allowed(), WakeCpu::new());
            wake_cpu.avoid_this_cpu();
            assert_eq!(allowed(), before);
            wake_cpu.before_sleep();
            wake_cpu.after_sleep();
            wake_cpu.avoid_this_cpu();
            assert_eq!(allowed(), before);
        }

        #[test]
        fn a_thread_that_leaves_its_processor_may_use_it_again() {
            let before = allowed();
            let leaves = || {
                let from = this_cpu();
                assert_eq!(leave_this_cpu(), before.count() > 1);
                assert_eq!(allowed(), before);
                this_cpu() != from
            };
            assert_eq!((0..1000).any(|_| leaves()), before.count() > 1);
        }

        /// Waker and sleeper are one thread here, as above.
        #[test]
        fn a_sleeper_knows_whether_its_waker_was_on_its_processor() {
            let wake_cpu = WakeCpu::new();
            let shares = |asks, moves| {
                wake_cpu.ask_for_waker(asks);
                wake_cpu.note_waker();
                assert_eq!(moves && leave_this_cpu(), moves && allowed().count() > 1);
                wake_cpu.shares_wakers_cpu()
            };
            assert!((0..1000).any(|_| shares(true, false)));
            assert!((0..1000).all(|_| !shares(false, false)), "it has not asked");
            assert_eq!((0..1000).any(|_| !shares(true, true)), allowed().count() > 1);
        }

        /// Users may set the affinity of workers, in a start hook say.
        #[test]
        fn a_sleeper_with_one_processor_keeps_it() {
            thread::spawn(|| {
                let before = allowed();
                let others = before.iter().skip(1);
                let only = others.fold(before, |only, cpu| only.without(cpu).expect("the first is left"));
                assert!(only.allow(SELF));
                let wake_cpu = WakeCpu::new();
                wake_cpu.before_sleep();
                wake_cpu.avoid_this_cpu();
                assert_eq!(allowed(), only);
                wake_cpu.after_sleep();
                assert_eq!(allowed(), only);
            })
            .join()
            .expect("it stays there");
        }

        #[test]
        fn a_restricted_affinity_is_restored() {
            thread::spawn(|| {
                let Some(most) = allowed().iter().next().and_then(|first| allowed().without(first)) else { return };
                assert!(most.allow(SELF));
                let wake_cpu = WakeCpu::new();
                *wake_cpu.before.lock() = Some(most);
                wake_cpu.after_sleep();
                assert_eq!(allowed(), most);
            })
            .join()
            .expect("it stays there");
        }
    }
}

#[cfg(not(all(target_os = "linux", not(any(loom, ftpool_portable)))))]
mod imp {
    /// Does nothing.
    #[derive(Debug)]
    pub(crate) struct WakeCpu;

    impl WakeCpu {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn before_sleep(&self) {}

        pub(crate) fn avoid_this_cpu(&self) {}

        pub(crate) fn ask_for_waker(&self, _wants: bool) {}

        pub(crate) fn note_waker(&self) {}

        pub(crate) fn shares_wakers_cpu(&self) -> bool {
            false
        }

        pub(crate) fn after_sleep(&self) {}
    }

    pub(crate) fn leave_this_cpu() -> bool {
        false
    }
}
