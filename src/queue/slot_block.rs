//! Adjacent places in one allocation, which is freed with the last of them. Protocol and proof: `README.md`, "Slot
//! blocks".

use crate::sys::atomic::{AtomicU32, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::process::Birthplace;
use crate::sys::reserve;
use crate::sys::size::real_or_modelled;
use std::alloc::Layout;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Places in a block.
const PLACES: u32 = real_or_modelled(32, 2);

/// Bytes of a place: a cache line or two. The model checker's types are larger.
const PLACE_SIZES: [usize; 2] = real_or_modelled([64, 128], [1 << 9, 1 << 10]);

/// How a block begins; its places follow.
///
/// # Memory ordering
///
/// `left` is decremented with acquire and release: the thread that reaches 0 frees the block after everything that was
/// done in the places.
struct Head<S> {
    /// Places that were not given back, including those that were never taken.
    left: AtomicU32,
    places: u16,
    birthplace: Birthplace,
    /// What all places have in common.
    shared: S,
}

/// How places for values of one size lie in a block.
#[derive(Clone, Copy)]
struct Shape {
    /// From the head to the first place.
    first: usize,
    /// From one place to the next.
    stride: usize,
    align: usize,
}

/// The shape for values of type `T`.
struct ShapeOf<T, S>(PhantomData<(T, S)>);

impl Shape {
    const fn of_size<S>(stride: usize) -> Self {
        Self { first: size_of::<Head<S>>(), stride, align: align_of::<Head<S>>() }
    }

    fn layout(self, places: u32) -> Layout {
        Layout::from_size_align(self.first + self.stride * places as usize, self.align).expect("a block is small")
    }
}

impl<T, S> ShapeOf<T, S> {
    /// Which of the sizes that blocks are made in; `None` for a `T` that has a block to itself.
    const SIZE: Option<usize> = {
        let mut size = 0;
        while size < PLACE_SIZES.len() && size_of::<T>() > PLACE_SIZES[size] {
            size += 1;
        }
        if size < PLACE_SIZES.len() && align_of::<T>() <= align_of::<Head<S>>() { Some(size) } else { None }
    };

    const SHAPE: Shape = match Self::SIZE {
        Some(size) => Shape::of_size::<S>(PLACE_SIZES[size]),
        None => {
            let (head, align) = (align_of::<Head<S>>(), align_of::<T>());
            Shape {
                first: size_of::<Head<S>>().next_multiple_of(align),
                stride: size_of::<T>(),
                align: if align > head { align } else { head },
            }
        }
    };

    /// # Safety
    ///
    /// 1. `head` is a block of this shape, with more than `number` places.
    #[inline(always)]
    unsafe fn place(head: NonNull<Head<S>>, number: u32) -> NonNull<T> {
        let offset = Self::SHAPE.first + Self::SHAPE.stride * number as usize;
        // SAFETY: by 1 the place lies in the allocation.
        unsafe { head.byte_add(offset) }.cast()
    }

    /// # Safety
    ///
    /// 1. `place` is place `number` of a block of this shape.
    #[inline(always)]
    unsafe fn head(place: NonNull<T>, number: u32) -> NonNull<Head<S>> {
        let offset = Self::SHAPE.first + Self::SHAPE.stride * number as usize;
        // SAFETY: by 1 the head lies so far before the place.
        unsafe { place.byte_sub(offset) }.cast()
    }
}

impl<S> Head<S> {
    fn new(shape: Shape, places: u32, shared: S) -> NonNull<Self> {
        let head = reserve::allocate(shape.layout(places)).cast();
        // SAFETY: the memory is writable, large enough and aligned for a head.
        unsafe {
            head.write(Self {
                left: AtomicU32::new(places),
                places: places as u16,
                birthplace: Birthplace::here(),
                shared,
            })
        };
        head
    }

    /// # Safety
    ///
    /// 1. `head` is a block of this shape. 2. So many of its places are the caller's, which does not access them again.
    #[inline(always)]
    unsafe fn give_back(head: NonNull<Self>, shape: Shape, places: u32) {
        // SAFETY: by 2 the block has places left, so it is not freed before this.
        let left = unsafe { &head.as_ref().left };
        if left.fetch_sub(places, Ordering::AcqRel) == places {
            // SAFETY: 1. the caller's; 2. all places were given back.
            unsafe { Self::free(head, shape) };
        }
    }

    /// # Safety
    ///
    /// 1. `head` is a block of this shape. 2. No thread accesses it again.
    #[cold]
    unsafe fn free(head: NonNull<Self>, shape: Shape) {
        // SAFETY: by 1 and 2 the head is alive, and not used by others.
        let places = unsafe { head.read() }.places;
        // SAFETY: 1. by 1 it was allocated with this layout; 2. by 2.
        unsafe { reserve::free(head.cast(), shape.layout(places.into())) };
    }
}

/// A block that a producer takes places from, one after another.
#[derive(Debug)]
struct Open<S> {
    /// Dangling as long as there was none.
    head: NonNull<Head<S>>,
    taken: u32,
}

/// The blocks that one producer has open, one for each size of places.
#[derive(Debug)]
pub(crate) struct SlotBlocks<S>([UnsafeCell<Open<S>>; PLACE_SIZES.len()]);

// SAFETY: open blocks are accessed by one producer at a time (`take`, `close`); what their places share is read on any
// thread, and dropped on any.
unsafe impl<S: Send + Sync> Send for SlotBlocks<S> {}
// SAFETY: as above.
unsafe impl<S: Send + Sync> Sync for SlotBlocks<S> {}

impl<S> SlotBlocks<S> {
    pub(crate) fn new() -> Self {
        Self(Self::none())
    }

    /// Memory for a `T`, and which place of its block it is. A new block's places have `shared` in common.
    ///
    /// # Safety
    ///
    /// 1. No other call that takes `self` is under way.
    #[inline(always)]
    pub(super) unsafe fn take<T>(&self, shared: impl FnOnce() -> S) -> (NonNull<T>, u32) {
        let Some(size) = ShapeOf::<T, S>::SIZE else { return (alone(shared()), 0) };
        self.0[size].with_mut(|open| {
            // SAFETY: by 1 there is no other reference to it.
            let open = unsafe { &mut *open };
            if open.taken == PLACES {
                *open = Open::new(Shape::of_size::<S>(PLACE_SIZES[size]), shared());
            }
            let number = open.taken;
            open.taken += 1;
            // SAFETY: 1. the block was opened for this size, and has more places than were taken.
            (unsafe { ShapeOf::<T, S>::place(open.head, number) }, number)
        })
    }

    /// Gives back the unused places of the open blocks.
    ///
    /// # Safety
    ///
    /// 1. No other call that takes `self` is under way.
    pub(crate) unsafe fn close(&self) {
        for (open, &size) in self.0.iter().zip(&PLACE_SIZES) {
            // SAFETY: by 1 there is no other reference.
            open.with_mut(|open| std::mem::replace(unsafe { &mut *open }, Open::NONE)).close(size);
        }
    }

    fn none() -> [UnsafeCell<Open<S>>; PLACE_SIZES.len()] {
        [const { Open::NONE }; PLACE_SIZES.len()].map(UnsafeCell::new)
    }
}

impl<S> Drop for SlotBlocks<S> {
    /// Not by [`close`](Self::close): the model checker would check that the access is exclusive, but does not see the
    /// `Arc` that makes it so.
    fn drop(&mut self) {
        let opened = std::mem::replace(&mut self.0, Self::none());
        opened.into_iter().zip(PLACE_SIZES).for_each(|(open, size)| open.into_inner().close(size));
    }
}

impl<S> Open<S> {
    /// Equivalent to a block that is used up.
    const NONE: Self = Self { head: NonNull::dangling(), taken: PLACES };

    #[cold]
    fn new(shape: Shape, shared: S) -> Self {
        Self { head: Head::new(shape, PLACES, shared), taken: 0 }
    }

    /// Gives back the unused places, of `size` bytes each.
    fn close(self, size: usize) {
        if self.taken < PLACES {
            // SAFETY: 1. it was opened for this size; 2. the rest was not taken, and will not be.
            unsafe { Head::give_back(self.head, Shape::of_size::<S>(size), PLACES - self.taken) };
        }
    }
}

/// Memory for a `T`: place 0 of a block with one place.
pub(super) fn alone<T, S>(shared: S) -> NonNull<T> {
    let head = Head::new(ShapeOf::<T, S>::SHAPE, 1, shared);
    // SAFETY: 1. the block has this shape, and one place.
    unsafe { ShapeOf::<T, S>::place(head, 0) }
}

/// What the places of a block have in common.
///
/// # Safety
///
/// 1. `place` is place `number` of a block with such a head. 2. It is not given back as long as the reference lives.
#[inline(always)]
pub(super) unsafe fn shared<'a, T, S>(place: NonNull<T>, number: u32) -> &'a S {
    // SAFETY: the caller's 1.
    let head = unsafe { ShapeOf::<T, S>::head(place, number) };
    // SAFETY: by 2 the block lives.
    &unsafe { head.as_ref() }.shared
}

/// Whether the block was made in an ancestor of this process.
///
/// # Safety
///
/// As for [`shared`].
pub(super) unsafe fn is_elsewhere<T, S>(place: NonNull<T>, number: u32) -> bool {
    // SAFETY: the caller's 1.
    let head = unsafe { ShapeOf::<T, S>::head(place, number) };
    // SAFETY: by the caller's 2 the block lives.
    unsafe { head.as_ref() }.birthplace.is_elsewhere()
}

/// Gives a place back, whose content was dropped.
///
/// # Safety
///
/// 1. `place` is place `number` of a block with such a head. 2. No thread accesses it again, and it is given back once.
#[inline(always)]
pub(super) unsafe fn give_back<T, S>(place: NonNull<T>, number: u32) {
    // SAFETY: the caller's 1.
    let head = unsafe { ShapeOf::<T, S>::head(place, number) };
    // SAFETY: 1. the shape is that of the type; 2. the caller's 2.
    unsafe { Head::give_back(head, ShapeOf::<T, S>::SHAPE, 1) };
}
