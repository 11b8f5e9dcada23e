//! The watchers of a slot: their lock, and how a reader adds and removes them.

use super::{DONE, Reader, Slot, WATCHED, Writer};
use crate::queue::slot_block;
use crate::queue::watchers::{After, Before, Watchers};
use crate::sys::atomic::Ordering;
use crate::sys::lock::LockGuard;
use std::ptr::NonNull;

/// The watchers of a slot, under their lock.
pub(super) type Watching<'a, V> = LockGuard<'a, Option<Box<Watchers<V>>>>;

impl<V> Slot<V> {
    /// Locks the watchers. `None` in the child of a fork, if the lock's holder may have stayed in the parent: protocol
    /// in `README.md`, "Slot".
    ///
    /// # Safety
    ///
    /// 1. `slot` came from a pair with this `S`, and lives as long as the lock is held.
    #[cold]
    pub(super) unsafe fn lock<'a, S>(slot: NonNull<Self>) -> Option<Watching<'a, V>> {
        // SAFETY: by 1 it is alive.
        let this = unsafe { slot.as_ref() };
        // SAFETY: 1. `number` is the slot's place; 2. by 1 it is not given back meanwhile.
        this.watchers.lock_unless(|| unsafe { slot_block::is_elsewhere::<Self, S>(slot, this.number.into()) })
    }
}

impl<V, S> Writer<V, S> {
    pub(super) fn lock(&self) -> Option<Watching<'_, V>> {
        // SAFETY: 1. the slot lives until both sides have gone, and this is borrowed meanwhile.
        unsafe { Slot::lock::<S>(self.0) }
    }
}

impl<V, S> Reader<V, S> {
    pub(super) fn lock(&self) -> Option<Watching<'_, V>> {
        // SAFETY: as above.
        unsafe { Slot::lock::<S>(self.0) }
    }

    /// Sends `after` as soon as the value is there, and returns a key for it; gives it back if the value is there
    /// already.
    pub(crate) fn watch(&self, after: After) -> Result<u64, After> {
        self.watch_by(after, Watchers::add)
    }

    /// Calls `before` with the value before the reader can have it; gives it back if it is too late for that.
    pub(crate) fn watch_before(&self, before: Before<V>) -> Result<u64, Before<V>> {
        self.watch_by(before, Watchers::add_before)
    }

    /// As [`watch`](Self::watch), but replaces the watcher that was added by this function before.
    pub(crate) fn watch_instead(&self, after: After) -> Result<(), After> {
        self.watch_by(after, Watchers::replace).map(drop)
    }

    /// The caller drops what `add` returns after the lock was released. In the child of a fork the watcher may be
    /// dropped instead: nobody would notify it.
    fn watch_by<W, R: Default>(&self, watcher: W, add: impl FnOnce(&mut Watchers<V>, W) -> R) -> Result<R, W> {
        let Some(mut watchers) = self.lock() else { return Ok(R::default()) };
        if self.slot().state.fetch_or(WATCHED, Ordering::AcqRel) & DONE != 0 {
            return Err(watcher);
        }
        Ok(add(watchers.get_or_insert_with(Box::default), watcher))
    }

    /// Removes a watcher; false if there is none with this key, or it is being called.
    pub(crate) fn unwatch(&self, key: u64) -> bool {
        let removed = self.lock().and_then(|mut watchers| watchers.as_mut()?.remove(key));
        removed.is_some()
    }

    /// Takes back all that are told after the reader has the value. What this returns is for the caller to drop.
    pub(super) fn unwatch_all(&self) -> Vec<After> {
        if self.slot().state.load(Ordering::Relaxed) & (WATCHED | DONE) != WATCHED {
            return Vec::new();
        }
        self.lock().and_then(|mut watchers| Some(watchers.as_mut()?.take_after())).unwrap_or_default()
    }
}
