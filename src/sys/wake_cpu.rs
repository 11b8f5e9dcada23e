//! On which processor a sleeping thread wakes up.
//!
//! A scheduler wakes a thread where it has slept, or beside its waker, unless it finds an idle processor. In a virtual
//! machine it often finds none: a processor that idles has been given back to the host, and what the host does not run
//! counts as preempted (Linux: `available_idle_cpu`, `vcpu_is_preempted`). Then a helper waits behind the very thread
//! that it shall help, for a time slice of milliseconds, and the next time it is the same, for it has slept there. So a
//! waker who goes on working bars its own processor to whom it wakes, who lifts the bar when it is up.
//!
//! Only Linux is asked for this; elsewhere nothing happens.

pub(crate) use imp::WakeCpu;

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
    /// A waker may come before the sleeper has said where it is, and then does nothing: `cpu` is stored (release) after
    /// `thread`. For the rest the waker's token orders what it has done before what the sleeper does.
    #[derive(Debug)]
    pub(crate) struct WakeCpu {
        thread: AtomicI32,
        /// Where the thread sleeps; `NOWHERE` if it does not.
        cpu: AtomicI32,
        /// What the sleeper might use before its waker barred a processor.
        barred: Lock<Option<Cpus>>,
    }

    impl WakeCpu {
        pub(crate) fn new() -> Self {
            Self { thread: AtomicI32::new(0), cpu: AtomicI32::new(NOWHERE), barred: Lock::new(None) }
        }

        /// The calling thread is about to sleep here.
        pub(crate) fn before_sleep(&self) {
            // SAFETY: the call takes nothing.
            self.thread.store(unsafe { libc::gettid() }, Ordering::Relaxed);
            self.cpu.store(this_cpu(), Ordering::Release);
        }

        /// The sleeper, whom the caller is about to wake and nobody else, shall not wake on the caller's processor, if
        /// that is where it has slept and it may use others.
        pub(crate) fn avoid_this_cpu(&self) {
            let cpu = self.cpu.load(Ordering::Acquire);
            if cpu == NOWHERE || cpu != this_cpu() {
                return;
            }
            let thread = self.thread.load(Ordering::Relaxed);
            let Some(allowed) = Cpus::of(thread) else { return };
            if allowed.without(cpu as usize).is_some_and(|others| others.allow(thread)) {
                *self.barred.lock() = Some(allowed);
            }
        }

        /// The calling thread has slept here and is awake.
        pub(crate) fn after_sleep(&self) {
            self.cpu.store(NOWHERE, Ordering::Relaxed);
            let Some(allowed) = self.barred.lock().take() else { return };
            // Nobody may have said where it shall run. Then nobody has said so afterwards either, and it comes along
            // when the process gets more processors.
            if !(Cpus::all().allow(SELF) && Cpus::of(SELF).is_some_and(|now| now == allowed)) {
                allowed.allow(SELF);
            }
        }
    }

    /// No processor has this number; what the system says if it does not know.
    const NOWHERE: c_int = -1;

    const SELF: pid_t = 0;

    fn this_cpu() -> c_int {
        // SAFETY: the call takes nothing.
        unsafe { libc::sched_getcpu() }
    }

    #[cfg(test)]
    mod tests {
        use super::{Cpus, SELF, WakeCpu};
        use std::thread;

        fn allowed() -> Cpus {
            Cpus::of(SELF).expect("Linux says")
        }

        /// The sleeper and its waker are one thread here, which is on its own processor unless the system moves it.
        #[test]
        fn a_sleeper_wakes_elsewhere_and_may_come_back() {
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
        fn who_does_not_sleep_is_sent_nowhere() {
            let (before, wake_cpu) = (allowed(), WakeCpu::new());
            wake_cpu.avoid_this_cpu();
            assert_eq!(allowed(), before);
            wake_cpu.before_sleep();
            wake_cpu.after_sleep();
            wake_cpu.avoid_this_cpu();
            assert_eq!(allowed(), before);
        }

        /// Users may tie workers to processors, in a start hook say.
        #[test]
        fn who_is_tied_to_one_processor_stays_there() {
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
        fn who_is_tied_to_some_processors_is_tied_to_them_afterwards() {
            thread::spawn(|| {
                let Some(most) = allowed().iter().next().and_then(|first| allowed().without(first)) else { return };
                assert!(most.allow(SELF));
                let wake_cpu = WakeCpu::new();
                *wake_cpu.barred.lock() = Some(most);
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
    /// Leaves it to the system.
    #[derive(Debug)]
    pub(crate) struct WakeCpu;

    impl WakeCpu {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn before_sleep(&self) {}

        pub(crate) fn avoid_this_cpu(&self) {}

        pub(crate) fn after_sleep(&self) {}
    }
}
