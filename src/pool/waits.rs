//! Which jobs of a pool sleep until another one has ended.

use crate::sys::lock::Lock;
use std::collections::HashMap;

/// Jobs that sleep, and for which jobs: one of them must end. Only untimed waits are kept here, a timed one ends
/// anyway.
#[derive(Debug, Default)]
pub(super) struct Waits(Lock<HashMap<u64, Vec<u64>>>);

/// `stack` sleeps until the guard is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    waits: &'a Waits,
    stack: Vec<u64>,
}

impl Waits {
    /// Jobs `stack`, all on one thread, begin to sleep until one of `awaited` has ended. `None` if that will never be:
    /// every way on leads to jobs that sleep, and in the end to the stack itself.
    pub(super) fn begin(&self, stack: Vec<u64>, awaited: Vec<u64>) -> Option<Waiting<'_>> {
        let mut asleep = self.0.lock();
        let mut reached = awaited.clone();
        let mut at = 0;
        loop {
            let &job = reached.get(at)?;
            if !stack.contains(&job) {
                match asleep.get(&job) {
                    None => break, // It is queued, runs or has ended: nothing says that it does not go on.
                    Some(others) => {
                        let new: Vec<u64> = others.iter().copied().filter(|job| !reached.contains(job)).collect();
                        reached.extend(new);
                    }
                }
            }
            at += 1;
        }
        for &job in &stack {
            asleep.insert(job, awaited.clone());
        }
        drop(asleep);
        Some(Waiting { waits: self, stack })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut asleep = self.waits.0.lock();
        for job in &self.stack {
            asleep.remove(job);
        }
    }
}
