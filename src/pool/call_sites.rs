//! Whether loops and forks were quick when the calling thread ran them last.

use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ops::Range;

per_thread! {
    /// A direct-mapped cache, indexed by address: the site that ran last, with `QUICK` if it was quick; 0 for none.
    RECENT: [Cell<usize>; SITES] = [const { Cell::new(0) }; SITES]
}

const SITES: usize = 16;

/// The lowest bit of an address; functions whose addresses differ in that bit only are taken for one.
const QUICK: usize = 1;

fn slot(recent: &[Cell<usize>; SITES], site: usize) -> &Cell<usize> {
    &recent[(site >> 4) % SITES]
}

/// A place in the program that contains a loop or a fork, identified by the address of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site(usize);

impl Site {
    /// The site of a loop, by the type of the closure that runs its chunks.
    #[inline(always)]
    pub(crate) fn of<R, F: Fn(Range<usize>) -> R>(_chunk: &F) -> Self {
        Self::at(run::<R, F> as *const ())
    }

    /// The site of a function.
    pub(crate) fn at(function: *const ()) -> Self {
        Self(function.addr())
    }

    /// Whether it was quick the last time.
    pub(super) fn is_quick(self) -> bool {
        RECENT.with(|recent| slot(recent, self.0).get() == self.0 | QUICK)
    }

    pub(super) fn record(self, quick: bool) {
        RECENT.with(|recent| slot(recent, self.0).set(if quick { self.0 | QUICK } else { 0 }));
    }
}

/// Instantiated for each closure type. Its address identifies the closure, because the closure's code is inlined here.
fn run<R, F: Fn(Range<usize>) -> R>(chunk: &F, items: Range<usize>) -> R {
    chunk(items)
}
