//! The table of waits: which jobs of a pool sleep until another one has ended. Protocol: `README.md`, "Waiting in a
//! job".

use crate::sys::lock::Lock;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Maps each sleeping job to its waits; a wait ends when one of its jobs has ended. A job with helpers may sleep on
/// several threads, each with a wait of its own, and ends only when all of these continue. Contains no timed waits,
/// which end by themselves.
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
    /// The jobs `stack`, all on one thread, begin to sleep until one of `awaited` has ended. `None` if that would never
    /// happen, because each of those waits, directly or not, for jobs that cannot end either.
    pub(super) fn begin(&self, stack: Vec<u64>, awaited: Vec<u64>) -> Option<Waiting<'_>> {
        let awaited = Arc::<[u64]>::from(awaited);
        let mut asleep = self.0.lock();
        for &job in &stack {
            asleep.entry(job).or_default().push(Arc::clone(&awaited));
        }
        if may_end(&asleep, &awaited) {
            return Some(Waiting { waits: self, stack, awaited });
        }
        remove(&mut asleep, &stack, &awaited);
        None
    }
}

/// Whether one of the jobs may end, according to the table.
fn may_end(asleep: &Asleep, jobs: &[u64]) -> bool {
    // A job that is not in the table is queued, runs or has ended.
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

/// The jobs, and all jobs that they wait for, directly or not.
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

/// Removes one wait of these jobs from the table, and keeps those of other threads that stand in for them.
fn remove(asleep: &mut Asleep, stack: &[u64], awaited: &Arc<[u64]>) {
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
        remove(&mut self.waits.0.lock(), &self.stack, &self.awaited);
    }
}

#[cfg(test)]
mod tests {
    use super::Waits;

    /// A job may be stuck on one helper's thread while another helper continues.
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
        assert!(waits.0.lock().is_empty(), "no job sleeps any more");
    }
}
