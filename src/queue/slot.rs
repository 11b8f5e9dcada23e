//! A value on its way from one writer to one reader, in one allocation.

use super::Arrivals;
use crate::sync::Deadline;
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::futex::Futex;
use crate::sys::lock::Lock;
use std::fmt;
use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;

/// To be called with the value before the reader gets it.
pub(crate) type Before<V> = Box<dyn FnOnce(&V) + Send>;

/// Who is to be told once the reader can have the value.
#[derive(Debug)]
pub(crate) enum After {
    /// Learns of it by a number of its own.
    Arrive(Arc<Arrivals>, usize),
    Wake(Waker),
}

impl After {
    /// Whether this runs code of others.
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

/// The writer has written, or will never write. What the slot holds is the reader's.
const DONE: u32 = 1;
/// There is no value, and none will come.
const EMPTY: u32 = 2;
/// The reader has gone. What the slot holds is the writer's.
const DROPPED: u32 = 4;
/// Somebody watches, or has: the writer takes the lock, and so does a reader who frees.
const WATCHED: u32 = 8;
/// The reader sleeps on the state, or has: the writer wakes it.
const SLEEPING: u32 = 16;

/// Written once, waited for, read any number of times or taken. Protocol and proof: `README.md`, "Slot".
///
/// # Memory ordering
///
/// The writer's release of DONE pairs with the reader's acquire: who sees it sees the value. Each side's last access is
/// its exchange of the state (or follows the other's), with acquire and release, so that who frees does so after both.
struct Slot<V, X> {
    state: Futex,
    started: AtomicBool,
    asked: AtomicBool,
    watchers: Lock<Option<Box<Watchers<V>>>>,
    value: UnsafeCell<MaybeUninit<V>>,
    own: X,
}

struct Watchers<V> {
    last_key: u64,
    before: Vec<(u64, Before<V>)>,
    after: Vec<(u64, After)>,
}

/// The side that brings the value. One that is dropped instead leaves the reader without.
pub(crate) struct Writer<V, X>(NonNull<Slot<V, X>>);

/// The side that waits for the value. `own` is what it keeps in the slot for itself.
pub(crate) struct Reader<V, X>(NonNull<Slot<V, X>>);

// SAFETY: the two sides share atomics and locks; the value and `own` are touched by one of them at a time.
unsafe impl<V: Send, X: Send> Send for Writer<V, X> {}
// SAFETY: as above.
unsafe impl<V: Send, X: Send> Send for Reader<V, X> {}

/// What is left to do after a value was written.
#[must_use]
pub(crate) struct Written<V> {
    /// The value, if the reader has gone before it came.
    pub(crate) unread: Option<V>,
    /// To be told now, by key.
    pub(crate) after: Vec<(u64, After)>,
}

/// A writer and its reader.
pub(crate) fn pair<V, X>(own: X) -> (Writer<V, X>, Reader<V, X>) {
    let slot = Box::new(Slot {
        state: Futex::new(0),
        started: AtomicBool::new(false),
        asked: AtomicBool::new(false),
        watchers: Lock::new(None),
        value: UnsafeCell::new(MaybeUninit::uninit()),
        own,
    });
    let slot = NonNull::from(Box::leak(slot));
    (Writer(slot), Reader(slot))
}

impl<V, X> Slot<V, X> {
    /// # Safety
    ///
    /// 1. The value was written and not moved out. 2. The caller's side owns it, and does not change it meanwhile.
    unsafe fn peek(&self) -> &V {
        self.value.with(|value| {
            // SAFETY: the caller's 2; the reference is shared, and as long as the slot is borrowed.
            let value = unsafe { &*value };
            // SAFETY: the caller's 1.
            unsafe { value.assume_init_ref() }
        })
    }

    /// # Safety
    ///
    /// 1. `slot` came from `pair`, and the other side will not touch it again. 2. The caller's side owns the value if
    ///    `full`, and there is none otherwise.
    unsafe fn free(slot: NonNull<Self>, full: bool) -> Option<V> {
        // SAFETY: the caller's 1.
        let slot = unsafe { Box::from_raw(slot.as_ptr()) };
        // SAFETY: the caller's 2; the slot goes away without dropping the value.
        full.then(|| slot.value.with(|value| unsafe { value.cast::<V>().read() }))
    }
}

impl<V, X> Writer<V, X> {
    fn slot(&self) -> &Slot<V, X> {
        // SAFETY: the slot lives until both sides have gone.
        unsafe { self.0.as_ref() }
    }

    /// The value is being made from now on.
    pub(crate) fn start(&self) {
        self.slot().started.store(true, Ordering::Release);
    }

    /// Set when the reader asks the writer to hurry to an end.
    pub(crate) fn asked(&self) -> &AtomicBool {
        &self.slot().asked
    }

    /// Watchers that want the value before the reader gets it, if there are any yet.
    pub(crate) fn take_before(&self) -> Vec<Before<V>> {
        if self.slot().state.load(Ordering::Relaxed) & WATCHED == 0 {
            return Vec::new();
        }
        let mut watchers = self.slot().watchers.lock();
        let before = watchers.as_mut().map(|watchers| mem::take(&mut watchers.before)).unwrap_or_default();
        before.into_iter().map(|(_, before)| before).collect()
    }

    /// Hands the value over. `call` is given each watcher that wants it before.
    #[inline]
    pub(crate) fn write(self, value: V, call: impl FnMut(Before<V>, &V)) -> Written<V> {
        let this = ManuallyDrop::new(self);
        let slot = this.slot();
        // SAFETY: the writer owns the value until the state says DONE.
        slot.value.with_mut(|place| unsafe { place.cast::<V>().write(value) });
        match slot.state.compare_exchange(0, DONE, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => Written { unread: None, after: Vec::new() },
            // SAFETY: the value was written above, and the writer is consumed.
            Err(_) => unsafe { Self::write_watched(this.0, call) },
        }
    }

    /// # Safety
    ///
    /// 1. The value was written, and the state does not say DONE. 2. The writer is consumed.
    #[cold]
    unsafe fn write_watched(pointer: NonNull<Slot<V, X>>, mut call: impl FnMut(Before<V>, &V)) -> Written<V> {
        // SAFETY: by 2 this stands for the writer: the slot lives until its last step below.
        let slot = unsafe { pointer.as_ref() };
        let sleepers = slot.state.sleepers();
        if slot.state.compare_exchange(SLEEPING, SLEEPING | DONE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            sleepers.wake_all(); // The reader may have freed the slot.
            return Written { unread: None, after: Vec::new() };
        }
        loop {
            let mut watchers = slot.watchers.lock();
            let before = watchers.as_mut().map(|watchers| mem::take(&mut watchers.before)).unwrap_or_default();
            if before.is_empty() {
                let after = watchers.take().map(|watchers| watchers.after).unwrap_or_default();
                let seen = slot.state.fetch_or(DONE, Ordering::AcqRel);
                drop(watchers);
                let gone = seen & DROPPED != 0;
                if seen & SLEEPING != 0 {
                    sleepers.wake_all();
                }
                // SAFETY: 1. the reader has gone, and this is the writer's last step; 2. by the caller's 1.
                let unread = if gone { unsafe { Slot::free(pointer, true) } } else { None };
                return Written { unread, after };
            }
            drop(watchers);
            // SAFETY: 1. the caller's 1; 2. the value is the writer's until the state says DONE.
            before.into_iter().for_each(|(_, before)| call(before, unsafe { slot.peek() }));
        }
    }
}

impl<V, X> Drop for Writer<V, X> {
    fn drop(&mut self) {
        let after = {
            let slot = self.slot();
            let sleepers = slot.state.sleepers();
            let mut watchers = slot.watchers.lock();
            let after = watchers.take().map(|watchers| watchers.after).unwrap_or_default();
            let seen = slot.state.fetch_or(DONE | EMPTY | WATCHED, Ordering::AcqRel);
            drop(watchers);
            if seen & SLEEPING != 0 {
                sleepers.wake_all();
            }
            if seen & DROPPED != 0 {
                // SAFETY: 1. the reader has gone, and this is the writer's last step; 2. nothing was written.
                unsafe { Slot::free(self.0, false) };
            }
            after
        };
        after.into_iter().for_each(|(_, after)| after.tell());
    }
}

impl<V, X> Reader<V, X> {
    fn slot(&self) -> &Slot<V, X> {
        // SAFETY: the slot lives until both sides have gone.
        unsafe { self.0.as_ref() }
    }

    /// What the reader keeps in the slot for itself.
    pub(crate) fn own(&self) -> &X {
        &self.slot().own
    }

    /// Whether there is a value, or none will ever come.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.slot().state.load(Ordering::Acquire) & DONE != 0
    }

    /// Whether the writer has begun.
    pub(crate) fn is_started(&self) -> bool {
        self.slot().started.load(Ordering::Acquire)
    }

    /// Asks the writer to come to an end soon.
    pub(crate) fn ask(&self) {
        self.slot().asked.store(true, Ordering::Release);
    }

    /// The value; `None` as long as there is none.
    pub(crate) fn get(&self) -> Option<&V> {
        let state = self.slot().state.load(Ordering::Acquire);
        // SAFETY: 1. DONE without EMPTY: the value was written; 2. it is the reader's, who is borrowed.
        (state & (DONE | EMPTY) == DONE).then(|| unsafe { self.slot().peek() })
    }

    /// Takes the value, if there is one, and goes.
    pub(crate) fn take(self) -> Option<V> {
        ManuallyDrop::new(self).leave()
    }

    /// Called once, as the reader's end.
    fn leave(&mut self) -> Option<V> {
        let mut state = self.slot().state.load(Ordering::Acquire);
        if state & DONE == 0 {
            state = self.slot().state.fetch_or(DROPPED, Ordering::AcqRel);
            if state & DONE == 0 {
                return None; // The writer will free.
            }
        }
        if state & WATCHED != 0 {
            // Race with a writer that has said DONE and not yet let go of the lock.
            drop(self.slot().watchers.lock());
        }
        // SAFETY: 1. the writer's last step is done; 2. what it has written is the reader's.
        unsafe { Slot::free(self.0, state & EMPTY == 0) }
    }

    /// Has `after` told as soon as the value is there, under the key that this returns; gives it back if it is there already.
    pub(crate) fn watch(&self, after: After) -> Result<u64, After> {
        self.watch_by(after, |watchers, key, after| watchers.after.push((key, after)))
    }

    /// Has `before` called with the value before the reader can have it; gives it back if it is too late for that.
    pub(crate) fn watch_before(&self, before: Before<V>) -> Result<u64, Before<V>> {
        self.watch_by(before, |watchers, key, before| watchers.before.push((key, before)))
    }

    fn watch_by<W>(&self, watcher: W, push: impl FnOnce(&mut Watchers<V>, u64, W)) -> Result<u64, W> {
        let mut watchers = self.slot().watchers.lock();
        if self.slot().state.fetch_or(WATCHED, Ordering::AcqRel) & DONE != 0 {
            return Err(watcher);
        }
        let watchers = watchers.get_or_insert_with(Box::default);
        watchers.last_key += 1;
        push(watchers, watchers.last_key, watcher);
        Ok(watchers.last_key)
    }

    /// Takes a watcher back; false if there is none with this key, or it is being called.
    pub(crate) fn unwatch(&self, key: u64) -> bool {
        let mut guard = self.slot().watchers.lock();
        let Some(watchers) = guard.as_mut() else { return false };
        let before = watchers.before.iter().position(|entry| entry.0 == key).map(|at| watchers.before.swap_remove(at));
        let after = watchers.after.iter().position(|entry| entry.0 == key).map(|at| watchers.after.swap_remove(at));
        drop(guard);
        before.is_some() || after.is_some()
    }

    /// Sleeps until there is a value or none will come; false if the deadline came first.
    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        let state = &self.slot().state;
        let mut seen = state.load(Ordering::Acquire);
        while seen & DONE == 0 {
            if deadline.has_passed() {
                return false;
            }
            if seen & SLEEPING == 0 {
                seen = state.fetch_or(SLEEPING, Ordering::Acquire) | SLEEPING;
                continue;
            }
            state.wait(seen, deadline.remaining());
            seen = state.load(Ordering::Acquire);
        }
        true
    }

    /// The reader as a pointer, which [`from_raw`](Self::from_raw) makes a reader again.
    #[cfg(feature = "capi")]
    pub(crate) fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).0.cast()
    }

    /// # Safety
    ///
    /// 1. `pointer` came from `into_raw` of a reader of the same types, and only one reader that is made of it is ever
    ///    dropped or consumed.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn from_raw(pointer: NonNull<()>) -> Self {
        Self(pointer.cast())
    }
}

impl<V, X> Drop for Reader<V, X> {
    fn drop(&mut self) {
        drop(self.leave());
    }
}

impl<V> Default for Watchers<V> {
    fn default() -> Self {
        Self { last_key: 0, before: Vec::new(), after: Vec::new() }
    }
}

impl<V, X> fmt::Debug for Reader<V, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("done", &self.is_done()).finish_non_exhaustive()
    }
}
