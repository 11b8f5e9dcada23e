//! Callbacks and notifications for a value.

use super::Arrivals;
use std::mem;
use std::sync::Arc;
use std::task::Waker;

/// To be called with the value before the reader gets it.
pub(crate) type Before<V> = Box<dyn FnOnce(&V) + Send>;

/// A notification for when the reader can have the value.
#[derive(Debug)]
pub(crate) enum After {
    /// Pushes this number.
    Arrive(Arc<Arrivals>, usize),
    Wake(Waker),
}

impl After {
    /// Whether this runs user code.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Self::Wake(_))
    }

    pub(crate) fn tell(self) {
        match self {
            Self::Arrive(arrivals, number) => arrivals.push(number),
            Self::Wake(waker) => waker.wake(),
        }
    }
}

/// What is left to do after a value was written.
#[must_use]
pub(crate) struct Written<V> {
    /// The value, if the reader has gone before it came.
    pub(crate) unread: Option<V>,
    /// Notifications to send now.
    pub(crate) after: Vec<After>,
}

/// The watchers of one value, each with a key. The caller drops what is removed after it has released the lock, because
/// it may be a user's.
pub(super) struct Watchers<V> {
    last_key: u64,
    before: Vec<(u64, Before<V>)>,
    after: Vec<(u64, After)>,
}

/// The key of the one watcher that [`replace`](Watchers::replace) replaces. Nobody is told it.
const REPLACED: u64 = u64::MAX;

impl<V> Watchers<V> {
    fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    pub(super) fn add(&mut self, after: After) -> u64 {
        let key = self.next_key();
        self.after.push((key, after));
        key
    }

    pub(super) fn add_before(&mut self, before: Before<V>) -> u64 {
        let key = self.next_key();
        self.before.push((key, before));
        key
    }

    /// Replaces the watcher that was added by this function before, and returns it.
    pub(super) fn replace(&mut self, after: After) -> Option<After> {
        match self.after.iter_mut().find(|entry| entry.0 == REPLACED) {
            Some(entry) => Some(mem::replace(&mut entry.1, after)),
            None => {
                self.after.push((REPLACED, after));
                None
            }
        }
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<impl Sized + use<V>> {
        let before = self.before.iter().position(|entry| entry.0 == key).map(|at| self.before.swap_remove(at));
        let after = self.after.iter().position(|entry| entry.0 == key).map(|at| self.after.swap_remove(at));
        (before.is_some() || after.is_some()).then_some((before, after))
    }

    pub(super) fn take_before(&mut self) -> Vec<Before<V>> {
        mem::take(&mut self.before).into_iter().map(|(_, before)| before).collect()
    }

    pub(super) fn take_after(&mut self) -> Vec<After> {
        mem::take(&mut self.after).into_iter().map(|(_, after)| after).collect()
    }

    pub(super) fn into_after(mut self) -> Vec<After> {
        self.take_after()
    }
}

impl<V> Default for Watchers<V> {
    fn default() -> Self {
        Self { last_key: 0, before: Vec::new(), after: Vec::new() }
    }
}
