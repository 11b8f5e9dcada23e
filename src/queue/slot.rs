//! A value on its way from one writer to one reader.

mod watching;

use super::slot_block::{self, SlotBlocks};
use super::watchers::{After, Before, Watchers, Written};
use crate::sync::{Deadline, awake};
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::futex::Futex;
use crate::sys::lock::Lock;
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::ptr::NonNull;
use watching::Watching;

/// The writer has written, or will never write. What the slot holds is the reader's.
const DONE: u32 = 1;
/// There is no value, and none will come.
const EMPTY: u32 = 2;
/// The reader has gone. What the slot holds is the writer's.
const DROPPED: u32 = 4;
/// There is a watcher, or was: the writer takes the lock, and so does a reader that frees.
const WATCHED: u32 = 8;
/// The reader sleeps on the state, or has: the writer wakes it.
const SLEEPING: u32 = 16;

/// Written once, waited for, read any number of times or taken. Protocol and proof: `README.md`, "Slot".
///
/// # Memory ordering
///
/// The writer's release of DONE pairs with the reader's acquire, which makes the value visible. Each side's last access
/// is its exchange of the state (or follows the other's), with acquire and release, so the slot is freed after both.
struct Slot<V> {
    envelope: Envelope<V>,
    value: UnsafeCell<MaybeUninit<V>>,
}

/// All of a slot but the value.
struct Envelope<V> {
    state: Futex,
    started: AtomicBool,
    asked: AtomicBool,
    /// Which place of its block this is.
    number: u16,
    watchers: Lock<Option<Box<Watchers<V>>>>,
    /// Accessed by the reader only.
    id: Cell<u64>,
}

/// The side that writes the value. If it is dropped instead, there will be none.
pub(crate) struct Writer<V, S>(NonNull<Slot<V>>, PhantomData<S>);

/// The side that waits for the value. `S` is what slots of a block have in common.
pub(crate) struct Reader<V, S>(NonNull<Slot<V>>, PhantomData<S>);

// SAFETY: the two sides share atomics and locks; the value and the id are accessed by one of them at a time; what slots
// share is read on any thread, and dropped on any.
unsafe impl<V: Send, S: Send + Sync> Send for Writer<V, S> {}
// SAFETY: as above.
unsafe impl<V: Send, S: Send + Sync> Send for Reader<V, S> {}
// SAFETY: as above; what a shared reader hands out is references, and the id is changed only by who has it alone.
unsafe impl<V: Send + Sync, S: Send + Sync> Sync for Reader<V, S> {}

impl<S> SlotBlocks<S> {
    /// A writer and its reader. Slots that come from a new block have `shared` in common.
    ///
    /// # Safety
    ///
    /// 1. No other call that takes `self` is under way.
    #[inline(always)]
    pub(crate) unsafe fn pair<V>(&self, shared: impl FnOnce() -> S) -> (Writer<V, S>, Reader<V, S>) {
        // SAFETY: the caller's 1.
        let (memory, number) = unsafe { self.take(shared) };
        // SAFETY: 1. the place was just taken.
        unsafe { Slot::pair(memory, number) }
    }
}

/// A writer and its reader, in an allocation of their own.
pub(crate) fn pair<V, S>(shared: S) -> (Writer<V, S>, Reader<V, S>) {
    // SAFETY: 1. the place is new.
    unsafe { Slot::pair(slot_block::alone(shared), 0) }
}

impl<V> Deref for Slot<V> {
    type Target = Envelope<V>;

    #[inline(always)]
    fn deref(&self) -> &Envelope<V> {
        &self.envelope
    }
}

impl<V> Slot<V> {
    /// Makes a slot in its place: a copy, written in words and read in pairs of words, would stall the processor.
    ///
    /// # Safety
    ///
    /// 1. The memory is place `number` of a block with such an `S`, and not used by others.
    #[inline(always)]
    unsafe fn pair<S>(slot: NonNull<Self>, number: u32) -> (Writer<V, S>, Reader<V, S>) {
        let envelope = Envelope {
            state: Futex::new(0),
            started: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            number: number as u16,
            watchers: Lock::new(None),
            id: Cell::new(0),
        };
        // SAFETY: by 1 it is within the place.
        let place = unsafe { &raw mut (*slot.as_ptr()).envelope };
        // SAFETY: by 1 it is writable and aligned.
        unsafe { place.write(envelope) };
        // SAFETY: as above.
        let place = unsafe { &raw mut (*slot.as_ptr()).value };
        // SAFETY: as above.
        unsafe { place.write(UnsafeCell::new(MaybeUninit::uninit())) };
        (Writer(slot, PhantomData), Reader(slot, PhantomData))
    }

    /// Writer: adds `done` to the state, and wakes the reader. Returns the state before, and the notifications to send.
    fn finish(&self, mut watchers: Watching<'_, V>, done: u32) -> (u32, Vec<After>) {
        let sleepers = self.state.sleepers();
        let after = watchers.take().map(|watchers| watchers.into_after()).unwrap_or_default();
        let seen = self.state.fetch_or(done, Ordering::AcqRel);
        drop(watchers);
        if seen & SLEEPING != 0 {
            sleepers.wake_all(); // Beside watchers.
        }
        (seen, after)
    }

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

    /// Returns `part` of the value, if there is one, and gives the place back. A slot that is `clean` has nothing to
    /// drop: the lock was not used.
    ///
    /// # Safety
    ///
    /// 1. `slot` came from a pair with this `S`, and the other side will not touch it again. 2. The caller's side owns
    ///    the value if `full`, and there is none otherwise.
    #[inline(always)]
    unsafe fn free<S, R>(slot: NonNull<Self>, full: bool, clean: bool, part: impl FnOnce(V) -> R) -> Option<R> {
        // SAFETY: by 1 it is alive.
        let this = unsafe { slot.as_ref() };
        // SAFETY: the caller's 2; dropping a slot does not drop the value.
        let taken = full.then(|| part(this.value.with(|value| unsafe { value.cast::<V>().read() })));
        let number = this.number.into();
        if !clean {
            // SAFETY: by 1 the slot is the caller's.
            unsafe { slot.drop_in_place() };
        }
        // SAFETY: 1. `number` is the slot's place; 2. the caller's 1.
        unsafe { slot_block::give_back::<Self, S>(slot, number) };
        taken
    }
}

impl<V, S> Writer<V, S> {
    fn slot(&self) -> &Slot<V> {
        // SAFETY: the slot lives until both sides have gone.
        unsafe { self.0.as_ref() }
    }

    /// Says that the writer has begun.
    pub(crate) fn start(&self) {
        self.slot().started.store(true, Ordering::Release);
    }

    /// Set when the reader asks the writer to end soon.
    pub(crate) fn asked(&self) -> &AtomicBool {
        &self.slot().asked
    }

    /// Whether there is a watcher already.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.slot().state.load(Ordering::Relaxed) & WATCHED != 0
    }

    /// The watchers so far that want the value before the reader gets it.
    pub(crate) fn take_before(&self) -> Vec<Before<V>> {
        self.lock().and_then(|mut watchers| Some(watchers.as_mut()?.take_before())).unwrap_or_default()
    }

    /// Writes the value. Passes each watcher that wants it first to `call`. `None` if nothing is left to do.
    #[inline]
    pub(crate) fn write(self, value: V, call: impl FnMut(Before<V>, &V)) -> Option<Written<V>> {
        let this = ManuallyDrop::new(self);
        let slot = this.slot();
        // SAFETY: the writer owns the value until the state says DONE.
        slot.value.with_mut(|place| unsafe { place.cast::<V>().write(value) });
        match slot.state.compare_exchange(0, DONE, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => None,
            // SAFETY: 1. the value was written above; 2. the writer is consumed.
            Err(_) => Some(unsafe { Self::write_watched(this.0, call) }),
        }
    }

    /// # Safety
    ///
    /// 1. The value was written, and the state does not say DONE. 2. The writer is consumed.
    #[cold]
    unsafe fn write_watched(pointer: NonNull<Slot<V>>, mut call: impl FnMut(Before<V>, &V)) -> Written<V> {
        // SAFETY: by 2 this stands for the writer: the slot lives until its last step below.
        let slot = unsafe { pointer.as_ref() };
        let sleepers = slot.state.sleepers();
        if slot.state.compare_exchange(SLEEPING, SLEEPING | DONE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            sleepers.wake_all(); // The reader may have freed the slot.
            return Written { unread: None, after: Vec::new() };
        }
        loop {
            // SAFETY: 1. as above.
            let Some(mut watchers) = (unsafe { Slot::lock::<S>(pointer) }) else {
                return Written { unread: None, after: Vec::new() }; // In a forked child, where nobody waits for it.
            };
            let before = watchers.as_mut().map(|watchers| watchers.take_before()).unwrap_or_default();
            if before.is_empty() {
                let (seen, after) = slot.finish(watchers, DONE);
                // SAFETY: 1. the reader has gone, and this is the writer's last access; 2. the caller's 1.
                let free = || unsafe { Slot::free::<S, V>(pointer, true, false, |value| value) };
                return Written { unread: if seen & DROPPED != 0 { free() } else { None }, after };
            }
            drop(watchers);
            // SAFETY: 1. the caller's 1; 2. the value is the writer's until the state says DONE.
            before.into_iter().for_each(|before| call(before, unsafe { slot.peek() }));
        }
    }
}

impl<V, S> Drop for Writer<V, S> {
    fn drop(&mut self) {
        let Some(watchers) = self.lock() else {
            return; // In a forked child, where nobody waits for it.
        };
        let (seen, after) = self.slot().finish(watchers, DONE | EMPTY | WATCHED);
        if seen & DROPPED != 0 {
            // SAFETY: 1. the reader has gone, and this is the writer's last access; 2. nothing was written.
            unsafe { Slot::free::<S, V>(self.0, false, false, |value| value) };
        }
        after.into_iter().for_each(After::tell);
    }
}

impl<V, S> Reader<V, S> {
    fn slot(&self) -> &Slot<V> {
        // SAFETY: the slot lives until both sides have gone.
        unsafe { self.0.as_ref() }
    }

    /// What this slot has in common with others of its block.
    #[inline]
    pub(crate) fn shared(&self) -> &S {
        let number = self.slot().number.into();
        // SAFETY: 1. `number` is the slot's place; 2. the reader has not gone.
        unsafe { slot_block::shared(self.0, number) }
    }

    /// The id of the item that will write the value, as set by the reader.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.slot().id.get()
    }

    #[inline]
    pub(crate) fn set_id(&mut self, id: u64) {
        self.slot().id.set(id);
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
    #[inline(always)]
    pub(crate) fn get(&self) -> Option<&V> {
        let state = self.slot().state.load(Ordering::Acquire);
        // SAFETY: 1. DONE without EMPTY: the value was written; 2. it is the reader's, which is borrowed.
        (state & (DONE | EMPTY) == DONE).then(|| unsafe { self.slot().peek() })
    }

    /// Returns `part` of the value, if there is one, and drops the reader. `part` must not panic.
    #[inline(always)]
    pub(crate) fn take<R>(self, part: impl FnOnce(V) -> R) -> Option<R> {
        ManuallyDrop::new(self).leave(part)
    }

    /// Called once, when the reader is dropped or consumed.
    #[inline(always)]
    fn leave<R>(&mut self, part: impl FnOnce(V) -> R) -> Option<R> {
        let mut state = self.slot().state.load(Ordering::Acquire);
        if state & DONE == 0 {
            state = self.slot().state.fetch_or(DROPPED, Ordering::AcqRel);
            if state & DONE == 0 {
                return None; // The writer will free.
            }
        }
        let clean = state & WATCHED == 0;
        if !clean {
            // Race with a writer that has added DONE and not yet released the lock. One that stayed in the parent of a
            // fork will not touch the slot again.
            drop(self.lock());
        }
        // SAFETY: 1. the writer has made its last access; 2. after DONE the value is the reader's.
        unsafe { Slot::free::<S, R>(self.0, state & EMPTY == 0, clean, part) }
    }

    /// Waits until there is a value or none will come; false if the deadline passed first.
    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        let state = &self.slot().state;
        let _wait = awake::wait(deadline, || self.is_done(), || 0);
        while !self.is_done() {
            if deadline.has_passed() {
                return false;
            }
            let seen = state.fetch_or(SLEEPING, Ordering::Acquire) | SLEEPING;
            if seen & DONE == 0 {
                state.wait(seen, deadline.remaining());
            }
        }
        true
    }

    /// The reader as a pointer, for [`from_raw`](Self::from_raw).
    #[cfg(feature = "capi")]
    pub(crate) fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).0.cast()
    }

    /// # Safety
    ///
    /// 1. `pointer` came from `into_raw` of a reader of the same types, and only one reader made from it is
    ///    ever dropped or consumed.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn from_raw(pointer: NonNull<()>) -> Self {
        Self(pointer.cast(), PhantomData)
    }
}

impl<V, S> Drop for Reader<V, S> {
    fn drop(&mut self) {
        let _dropped_without_the_lock = self.unwatch_all();
        drop(self.leave(|value| value));
    }
}
