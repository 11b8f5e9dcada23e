//! The pools of the process: who must be told when it exits or is forked, and what "all pools" means.

use super::closing::Unfinished;
use super::core::Core;
use crate::sync::Deadline;
use crate::sys::hint;
use crate::sys::process::{self, Global, Watcher};
use crate::sys::thread::per_thread;
use std::cell::RefCell;
use std::sync::{Arc, MutexGuard, Weak};

/// Touched when a pool is made and when it goes, and by what concerns all pools; never by a job.
static POOLS: Global<ProcessPools> = Global::new(ProcessPools { pools: Vec::new(), exiting: false });

#[derive(Debug)]
struct ProcessPools {
    /// Each with its number, ascending.
    pools: Vec<(u64, Weak<Core>)>,
    exiting: bool,
}

impl ProcessPools {
    fn position(&self, number: u64) -> usize {
        self.pools.partition_point(|pool| pool.0 < number)
    }

    fn living(&self) -> impl Iterator<Item = Arc<Core>> {
        self.pools.iter().filter_map(|pool| pool.1.upgrade())
    }
}

/// A pool was made.
pub(super) fn enter(core: &Arc<Core>) {
    process::watch(Watcher {
        exit: process_exits,
        before_fork: lock_pools,
        after_fork_in_parent: unlock_pools,
        after_fork_in_child: process_is_a_copy,
    });
    let mut known = POOLS.lock();
    let position = known.position(core.number);
    known.pools.insert(position, (core.number, Arc::downgrade(core)));
    if known.exiting {
        drop(known);
        core.halt();
    }
}

/// A pool is going away.
pub(super) fn leave(core: &Core) {
    let mut known = POOLS.lock();
    let position = known.position(core.number);
    known.pools.remove(position);
}

fn all() -> Vec<Arc<Core>> {
    POOLS.lock().living().collect()
}

/// Closes every pool that there is, cancels what is queued if `cancel` says so, and waits for the end of all.
pub(crate) fn drain_all(cancel: bool, deadline: Deadline) -> Result<(), Unfinished> {
    let pools: Vec<_> = all().into_iter().filter(|core| !core.is_abandoned() && !core.is_forked()).collect();
    if pools.iter().any(|core| core.is_current() || core.is_ending_one()) {
        return Err(Unfinished::Deadlock);
    }
    for core in &pools {
        core.close();
        if cancel {
            core.cancel_all();
        }
    }
    pools.iter().try_for_each(|core| core.drain(deadline))
}

/// The handler that `exit` calls. It runs on whichever thread called `exit`, be it a worker, and waits for nobody: in
/// the child of a fork, say, whoever holds a lock may not exist.
fn process_exits() {
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
        // Otherwise a pool whose last handle goes now would end here, on a thread that is on its way out. The list's
        // reference shows leak checkers that the memory is not lost.
        std::mem::forget(core);
    }
}

per_thread! {
    /// Keeps other threads off the pools while this one forks, so that the child finds them in order.
    HELD: RefCell<Option<MutexGuard<'static, ProcessPools>>> = RefCell::new(None)
}

fn lock_pools() {
    let _ = HELD.try_with(|held| *held.borrow_mut() = Some(POOLS.lock()));
}

fn unlock_pools() {
    let _ = HELD.try_with(|held| held.borrow_mut().take());
}

/// The workers stayed in the parent.
fn process_is_a_copy() {
    let _ = HELD.try_with(|held| {
        if let Some(known) = held.borrow_mut().take() {
            for core in known.living() {
                core.orphan();
                // Nothing of a pool whose workers are gone can be put in order and freed.
                std::mem::forget(core);
            }
        }
    });
}
