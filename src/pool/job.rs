//! A job: type-erased code and data in four words.

use super::{Core, Worker};
use crate::queue::{Body, Item, Taken, Word};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// Why an accepted job will never run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrun {
    Cancelled,
    /// It was not begun in time.
    Expired,
}

/// Work of the layers above. Exactly one of three things happens to a task: it is run, it is cancelled after it was
/// accepted, or it is dropped because it was not accepted.
pub(crate) trait Task: Send {
    /// Does the work. Catches panics of user code. Calls [`Worker::ended`] before it publishes the outcome.
    fn run(self, worker: &Worker);

    /// Called instead of [`run`](Self::run) if an accepted task will never run.
    fn cancel(self, core: &Core, id: u64, why: Unrun);

    /// The same, for a task that refers to another one in the pool, as a timer's hint does. Returns the id that users
    /// know.
    fn cancel_in(self, core: &Core, id: u64, why: Unrun) -> u64
    where
        Self: Sized,
    {
        self.cancel(core, id, why);
        id
    }
}

/// A type-erased [`Task`]: up to three words are stored inline, a larger task is boxed. Dropping the job drops the
/// task.
#[derive(Debug)]
pub(crate) struct Job(Item);

/// The operations on a body of some type. Aligned, because a cell keeps its state in the low bits of this address.
#[repr(align(8))]
struct VTable {
    /// Safety of all three: 1. the body holds a live task of this type, which the call moves out.
    run: unsafe fn(*const Body, &Worker),
    cancel: unsafe fn(Body, &Core, u64, Unrun) -> u64,
    drop: unsafe fn(Body),
}

/// Holds the vtable of tasks of type `T`.
struct VTableOf<T>(T);

impl<T: Task> VTableOf<T> {
    const INLINE: bool = size_of::<T>() <= size_of::<Body>() && align_of::<T>() <= align_of::<Body>();

    const VTABLE: &'static VTable = &VTable { run: run::<T>, cancel: cancel::<T>, drop: discard::<T> };

    #[inline]
    fn pack(task: T) -> Body {
        let mut body = [Word::uninit(); 3];
        if Self::INLINE {
            // SAFETY: the body is writable, large enough and aligned for a `T`.
            unsafe { body.as_mut_ptr().cast::<T>().write(task) };
        } else {
            let boxed = Box::into_raw(Box::new(task));
            // SAFETY: the body is writable, large enough and aligned for a pointer.
            unsafe { body.as_mut_ptr().cast::<*mut T>().write(boxed) };
        }
        body
    }

    /// # Safety
    ///
    /// 1. `body` points to a body from `pack` of the same type. 2. Its task was not moved out before.
    #[inline(always)]
    unsafe fn unpack(body: *const Body) -> T {
        if Self::INLINE {
            // SAFETY: by the caller's 1 there is a `T`, which by 2 is moved out once.
            unsafe { body.cast::<T>().read() }
        } else {
            // SAFETY: by the caller's 1 there is a pointer to a box.
            let boxed = unsafe { body.cast::<*mut T>().read() };
            // SAFETY: by the caller's 1 it came from `Box::into_raw`, and by 2 it is turned back once.
            *unsafe { Box::from_raw(boxed) }
        }
    }
}

unsafe fn run<T: Task>(body: *const Body, worker: &Worker) {
    // SAFETY: the vtable's obligation.
    unsafe { VTableOf::<T>::unpack(body) }.run(worker);
}

unsafe fn cancel<T: Task>(body: Body, core: &Core, id: u64, why: Unrun) -> u64 {
    // SAFETY: the vtable's obligation.
    unsafe { VTableOf::<T>::unpack(&raw const body) }.cancel_in(core, id, why)
}

unsafe fn discard<T: Task>(body: Body) {
    // SAFETY: the vtable's obligation.
    drop(unsafe { VTableOf::<T>::unpack(&raw const body) });
}

impl Job {
    #[inline]
    pub(crate) fn new<T: Task + 'static>(task: T) -> Self {
        // SAFETY: 1. the task borrows nothing.
        unsafe { Self::borrowing(task) }
    }

    /// A job that may borrow.
    ///
    /// # Safety
    ///
    /// 1. What the task borrows outlives its run, cancellation or drop.
    #[inline]
    pub(super) unsafe fn borrowing<T: Task>(task: T) -> Self {
        Self(Item::new(NonNull::from(VTableOf::<T>::VTABLE).cast(), VTableOf::pack(task)))
    }

    /// A job that does nothing, to be left where one was moved out.
    pub(super) fn empty() -> Self {
        struct Nothing;
        impl Task for Nothing {
            fn run(self, _worker: &Worker) {}
            fn cancel(self, _core: &Core, _id: u64, _why: Unrun) {}
        }
        Self::new(Nothing)
    }

    /// The job as an item of a queue. A thread that takes the item out of the queue must turn it back into a job.
    #[inline]
    pub(super) fn into_item(self) -> Item {
        ManuallyDrop::new(self).0
    }

    /// # Safety
    ///
    /// 1. `item` came from `into_item`. 2. It was not turned back into a job since.
    #[inline]
    pub(super) unsafe fn from_item(item: Item) -> Self {
        Self(item)
    }

    /// The task of a job that was not accepted.
    ///
    /// # Safety
    ///
    /// 1. The job was made from a `T`.
    pub(super) unsafe fn into_task<T: Task>(self) -> T {
        let (_, body) = self.open();
        // SAFETY: 1. by the caller's 1 the body was packed as a `T`; 2. the job is consumed.
        unsafe { VTableOf::<T>::unpack(&raw const body) }
    }

    #[inline]
    fn open(self) -> (&'static VTable, Body) {
        let (vtable, body) = self.into_item().into_parts();
        // SAFETY: every job's tag is the address of a static vtable.
        (unsafe { vtable.cast().as_ref() }, body)
    }

    /// Runs the job of a claimed item in place.
    ///
    /// # Safety
    ///
    /// 1. The item came from `into_item`, and lies where `taken` says. 2. It was not turned back into a job since.
    #[inline(always)]
    pub(super) unsafe fn run_at(taken: Taken, worker: &Worker) {
        // SAFETY: by the caller's 1; every job's tag is the address of a static vtable.
        let vtable: &'static VTable = unsafe { taken.tag.cast().as_ref() };
        // SAFETY: 1. by the caller's 1 the body came with the vtable, and by 2 its task is still there.
        unsafe { (vtable.run)(taken.body, worker) }
    }

    pub(super) fn run(self, worker: &Worker) {
        let item = self.into_item();
        // SAFETY: 1. the item lies in this frame; 2. the job is consumed.
        unsafe { Self::run_at(Taken::elsewhere(&item), worker) }
    }

    /// Returns the id that users know.
    pub(super) fn cancel(self, core: &Core, id: u64, why: Unrun) -> u64 {
        let (vtable, body) = self.open();
        // SAFETY: 1. the body came with the vtable, and the job is consumed.
        unsafe { (vtable.cancel)(body, core, id, why) }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let (vtable, body) = Self(self.0).open();
        // SAFETY: 1. the body came with the vtable, and the job is being dropped.
        unsafe { (vtable.drop)(body) }
    }
}
