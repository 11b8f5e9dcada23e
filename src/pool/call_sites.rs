//! What the calling thread knows of pieces of code it has run before.

use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ops::Range;

per_thread! {
    /// The code that was run last under a number, and whether it was quick. 0 is no code.
    RECENT: [Cell<usize>; SITES] = [const { Cell::new(0) }; SITES]
}

const SITES: usize = 16;

/// Functions lie at multiples of this, or are not far from it: one bit says that it was quick.
const QUICK: usize = 1;

fn slot(recent: &[Cell<usize>; SITES], site: usize) -> &Cell<usize> {
    &recent[(site >> 4) % SITES]
}

/// A place in the program where there is a loop or a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site(usize);

impl Site {
    /// That of a loop whose chunks are run by code with a type of its own.
    #[inline(always)]
    pub(crate) fn of<R, F: Fn(Range<usize>) -> R>(_chunk: &F) -> Self {
        Self::at(run::<R, F> as *const ())
    }

    /// That of code behind a pointer.
    pub(crate) fn at(function: *const ()) -> Self {
        Self(function.addr())
    }

    /// Whether it was quick when it was run last.
    pub(super) fn is_quick(self) -> bool {
        RECENT.with(|recent| slot(recent, self.0).get() == self.0 | QUICK)
    }

    pub(super) fn note(self, quick: bool) {
        RECENT.with(|recent| slot(recent, self.0).set(if quick { self.0 | QUICK } else { 0 }));
    }
}

/// The address tells one code from another, because what is called becomes a part of this.
fn run<R, F: Fn(Range<usize>) -> R>(chunk: &F, items: Range<usize>) -> R {
    chunk(items)
}
