//! Which jobs of a pool sleep until another one has ended.

use crate::sys::lock::Lock;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Jobs that sleep, and for which jobs: one of them must end. A job that others help with may sleep on several threads,
/// each for its own reason, and goes on when all of them do. Only untimed waits are kept here, a timed one ends anyway.
#[derive(Debug, Default)]
pub(super) struct Waits(Lock<Asleep>);

type Asleep = HashMap<u64, Vec<Arc<[u64]>>>;

/// `stack` sleeps until the guard is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    waits: &'a Waits,
    stack: Vec<u64>,
    awaited: Arc<[u64]>,
}

impl Waits {
    /// Jobs `stack`, all on one thread, begin to sleep until one of `awaited` has ended. `None` if that will never be:
    /// each of them sleeps, on some thread, for jobs that will never end either.
    pub(super) fn begin(&self, stack: Vec<u64>, awaited: Vec<u64>) -> Option<Waiting<'_>> {
        let awaited = Arc::<[u64]>::from(awaited);
        let mut asleep = self.0.lock();
        for &job in &stack {
            asleep.entry(job).or_default().push(Arc::clone(&awaited));
        }
        if may_end(&asleep, &awaited) {
            return Some(Waiting { waits: self, stack, awaited });
        }
        wake(&mut asleep, &stack, &awaited);
        None
    }
}

/// Whether one of the jobs may end, as far as the table tells.
fn may_end(asleep: &Asleep, jobs: &[u64]) -> bool {
    // What is not in the table is queued, runs or has ended: nothing says that it does not go on.
    if jobs.iter().any(|job| !asleep.contains_key(job)) {
        return true;
    }
    let mut stuck: HashSet<u64> = reached(asleep, jobs).into_iter().filter(|job| asleep.contains_key(job)).collect();
    loop {
        let goes_on = |job: &u64| asleep[job].iter().all(|others| others.iter().any(|other| !stuck.contains(other)));
        let free: Vec<u64> = stuck.iter().copied().filter(goes_on).collect();
        if free.is_empty() {
            return jobs.iter().any(|job| !stuck.contains(job));
        }
        free.iter().for_each(|job| _ = stuck.remove(job));
    }
}

/// The jobs, and all that they sleep for, directly or by way of others.
fn reached(asleep: &Asleep, jobs: &[u64]) -> HashSet<u64> {
    let mut reached = HashSet::new();
    let mut next = jobs.to_vec();
    while let Some(job) = next.pop() {
        if reached.insert(job) {
            next.extend(asleep.get(&job).into_iter().flatten().flat_map(|others| others.iter()));
        }
    }
    reached
}

/// Takes what these jobs sleep for out of the table again, and leaves what other threads sleep for in their names.
fn wake(asleep: &mut Asleep, stack: &[u64], awaited: &Arc<[u64]>) {
    for job in stack {
        if let Some(waits) = asleep.get_mut(job) {
            waits.retain(|others| !Arc::ptr_eq(others, awaited));
            if waits.is_empty() {
                asleep.remove(job);
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        wake(&mut self.waits.0.lock(), &self.stack, &self.awaited);
    }
}

#[cfg(test)]
mod tests {
    use super::Waits;

    /// A job may be stuck on the thread of one helper while another helper of it goes on.
    #[test]
    fn a_helper_that_sleeps_hides_no_circle_through_another() {
        let waits = Waits::default();
        let [job, other, running] = [1, 2, 3];
        let first = waits.begin(vec![job], vec![other]).unwrap();
        let second = waits.begin(vec![job], vec![running]).unwrap();
        assert!(waits.begin(vec![other], vec![job]).is_none());
        let way_out = waits.begin(vec![other], vec![job, running]).unwrap();
        drop((way_out, second));
        assert!(waits.begin(vec![other], vec![job]).is_none(), "the first helper still sleeps");
        drop(first);
        let waiting = waits.begin(vec![other], vec![job]).unwrap();
        assert!(waits.begin(vec![job], vec![other]).is_none());
        drop(waiting);
        assert!(waits.0.lock().is_empty(), "nobody sleeps any more");
    }
}
