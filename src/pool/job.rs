//! A job: somebody's code and data in four words.

use super::Worker;
use crate::queue::{Body, Item};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// What the layers above want done. Exactly one of three things happens to a task: it is run, it is cancelled after
/// it was accepted, or it is dropped because it was not accepted.
pub(crate) trait Task: Send + 'static {
    /// Does the work. Catches what users' code throws. Calls [`Worker::ended`] before it makes the outcome known.
    fn run(self, worker: &Worker);

    /// Takes note that it was accepted and will never run.
    fn cancel(self, id: u64);
}

/// An erased [`Task`]: three words are kept inline, a larger one is boxed. Dropping it drops the task.
#[derive(Debug)]
pub(crate) struct Job(Item);

/// What can be done with a body of a certain type. Aligned, because a cell keeps its state in the address.
#[repr(align(8))]
struct Label {
    /// Safety of all three: the body holds a live task of the label's type, which is moved out.
    run: unsafe fn(Body, &Worker),
    cancel: unsafe fn(Body, u64),
    drop: unsafe fn(Body),
}

/// The label of tasks of type `T`.
struct LabelOf<T>(T);

impl<T: Task> LabelOf<T> {
    const INLINE: bool = size_of::<T>() <= size_of::<Body>() && align_of::<T>() <= align_of::<Body>();

    const LABEL: &'static Label = &Label { run: run::<T>, cancel: cancel::<T>, drop: discard::<T> };

    #[inline]
    fn pack(task: T) -> Body {
        let mut body = Body::uninit();
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
    /// 1. `body` came from `pack` of the same type. 2. Its task was not taken out before.
    #[inline]
    unsafe fn unpack(body: Body) -> T {
        if Self::INLINE {
            // SAFETY: by 1 there is a `T`, by 2 it is nobody else's.
            unsafe { body.as_ptr().cast::<T>().read() }
        } else {
            // SAFETY: by 1 there is a pointer to a box.
            let boxed = unsafe { body.as_ptr().cast::<*mut T>().read() };
            // SAFETY: by 1 it came from Box::into_raw, by 2 nobody has taken it back.
            *unsafe { Box::from_raw(boxed) }
        }
    }
}

unsafe fn run<T: Task>(body: Body, worker: &Worker) {
    // SAFETY: the label's obligation.
    unsafe { LabelOf::<T>::unpack(body) }.run(worker);
}

unsafe fn cancel<T: Task>(body: Body, id: u64) {
    // SAFETY: the label's obligation.
    unsafe { LabelOf::<T>::unpack(body) }.cancel(id);
}

unsafe fn discard<T: Task>(body: Body) {
    // SAFETY: the label's obligation.
    drop(unsafe { LabelOf::<T>::unpack(body) });
}

impl Job {
    #[inline]
    pub(crate) fn new<T: Task>(task: T) -> Self {
        Self(Item::new(NonNull::from(LabelOf::<T>::LABEL).cast(), LabelOf::pack(task)))
    }

    /// A job that does nothing, in the place of one that went elsewhere.
    pub(super) fn empty() -> Self {
        struct Nothing;
        impl Task for Nothing {
            fn run(self, _worker: &Worker) {}
            fn cancel(self, _id: u64) {}
        }
        Self::new(Nothing)
    }

    /// The job as the queue carries it. Whoever takes the item out of the queue makes it a job again.
    #[inline]
    pub(super) fn into_item(self) -> Item {
        ManuallyDrop::new(self).0
    }

    /// # Safety
    ///
    /// 1. `item` came from `into_item`. 2. No job was made of it since.
    #[inline]
    pub(super) unsafe fn from_item(item: Item) -> Self {
        Self(item)
    }

    /// The task, when the job was not accepted.
    ///
    /// # Safety
    ///
    /// 1. The job was made of a `T`.
    pub(super) unsafe fn into_task<T: Task>(self) -> T {
        let (_, body) = self.open();
        // SAFETY: 1. by 1 the body was packed by the same type; 2. the job is consumed.
        unsafe { LabelOf::<T>::unpack(body) }
    }

    #[inline]
    fn open(self) -> (&'static Label, Body) {
        let (label, body) = self.into_item().into_parts();
        // SAFETY: every job's tag is the address of a static label.
        (unsafe { label.cast().as_ref() }, body)
    }

    #[inline]
    pub(super) fn run(self, worker: &Worker) {
        let (label, body) = self.open();
        // SAFETY: the body came with the label, and the job is consumed.
        unsafe { (label.run)(body, worker) }
    }

    pub(super) fn cancel(self, id: u64) {
        let (label, body) = self.open();
        // SAFETY: the body came with the label, and the job is consumed.
        unsafe { (label.cancel)(body, id) }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let (label, body) = Self(self.0).open();
        // SAFETY: the body came with the label, and the job is going away.
        unsafe { (label.drop)(body) }
    }
}
