//! All pools of the process, for its exit, its forks and calls that concern all.

use super::closing::WaitError;
use super::core::Core;
use crate::sync::Deadline;
use crate::sys::clock::{Clock, ManualTime};
use crate::sys::hint;
use crate::sys::process::{self, Global, Watcher};
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::{Arc, MutexGuard, Weak};

/// Locked when a pool is created or destroyed, and by calls that concern all pools; never by a job.
static POOLS: Global<ProcessPools> = Global::new(ProcessPools { pools: Vec::new(), exiting: false });

#[derive(Debug)]
struct ProcessPools {
    /// Sorted by number.
    pools: Vec<Known>,
    exiting: bool,
}

#[derive(Debug)]
struct Known {
    number: u64,
    clock: Clock,
    core: Weak<Core>,
}

impl ProcessPools {
    fn position(&self, number: u64) -> usize {
        self.pools.partition_point(|pool| pool.number < number)
    }

    fn living(&self) -> impl Iterator<Item = Arc<Core>> {
        self.pools.iter().filter_map(|pool| pool.core.upgrade())
    }
}

/// Adds a new pool.
pub(super) fn register(core: &Arc<Core>) {
    process::watch::<ProcessPools>();
    let mut known = POOLS.lock();
    let position = known.position(core.number);
    let clock = core.settings.clock.clone();
    known.pools.insert(position, Known { number: core.number, clock, core: Arc::downgrade(core) });
    if known.exiting {
        drop(known);
        core.halt();
    }
}

/// Removes a pool that is being destroyed.
pub(super) fn unregister(core: &Core) {
    let mut known = POOLS.lock();
    let position = known.position(core.number);
    known.pools.remove(position);
}

fn all() -> Vec<Arc<Core>> {
    POOLS.lock().living().collect()
}

/// Closes all pools, cancels what is queued if `cancel`, and waits until all have ended.
pub(crate) fn drain_all(cancel: bool, deadline: Deadline) -> Result<(), WaitError> {
    let pools: Vec<_> = all().into_iter().filter(|core| !core.is_abandoned() && !core.is_forked()).collect();
    if pools.iter().any(|core| core.is_current() || core.is_ending_job()) {
        return Err(WaitError::Deadlock);
    }
    for core in &pools {
        if cancel {
            core.close_and_cancel(&mut |_| ())?;
        } else {
            core.close();
        }
    }
    pools.iter().try_for_each(|core| core.drain(deadline))
}

/// A manual clock was set: queues what is due in the pools that go by it.
pub(crate) fn clock_was_set(time: &Arc<ManualTime>) {
    let pools: Vec<_> = {
        let known = POOLS.lock();
        // No reference to the others: it would put off the end of a pool whose last handle is dropped meanwhile.
        known.pools.iter().filter(|pool| pool.clock.is(time)).filter_map(|pool| pool.core.upgrade()).collect()
    };
    pools.iter().for_each(Core::clock_advanced);
}

type Held = MutexGuard<'static, ProcessPools>;

per_thread! {
    /// The lock that this thread holds while it forks, so that the child finds the list consistent. It has no
    /// destructor, so it exists to the thread's very end: destructors of other thread-locals may fork.
    HELD: Cell<Option<ManuallyDrop<Held>>> = Cell::new(None)
}

fn take_held() -> Option<Held> {
    HELD.try_with(Cell::take).ok()?.map(ManuallyDrop::into_inner)
}

impl Watcher for ProcessPools {
    /// May run on any thread, also on a worker. It blocks on no lock indefinitely: in a forked child the holder may not
    /// exist.
    fn exit() {
        const ATTEMPTS: usize = 1000;
        let known = (0..ATTEMPTS).find_map(|_| {
            let known = POOLS.try_lock();
            if known.is_none() {
                hint::yield_now();
            }
            known
        });
        let Some(mut known) = known else { return };
        known.exiting = true;
        for core in known.living() {
            core.halt();
            // Leaked, so that no pool is destroyed on an exiting thread. Leak checkers reach it through the list's weak
            // reference.
            std::mem::forget(core);
        }
    }

    /// Has the lock already when it is called the second time in a row.
    fn before_fork() {
        let _ = HELD.try_with(|held| held.set(held.take().or_else(|| Some(ManuallyDrop::new(POOLS.lock())))));
    }

    fn after_fork_in_parent() {
        drop(take_held());
    }

    /// The workers are in the parent.
    fn after_fork_in_child() {
        let Some(known) = take_held() else { return };
        for core in known.living() {
            core.mark_forked();
            // A pool without its workers cannot be freed: leak it.
            std::mem::forget(core);
        }
    }
}
