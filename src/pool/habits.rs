//! What the calling thread knows of pieces of code it has run before.

use crate::sys::thread::per_thread;
use std::cell::Cell;

per_thread! {
    /// The code that was run last under a number, and whether it was quick. 0 is no code.
    HABITS: [Cell<usize>; SITES] = [const { Cell::new(0) }; SITES]
}

const SITES: usize = 16;

/// Functions lie at multiples of this, or are not far from it: one bit says that it was quick.
const QUICK: usize = 1;

fn slot(habits: &[Cell<usize>; SITES], site: usize) -> &Cell<usize> {
    &habits[(site >> 4) % SITES]
}

/// Whether `site`, the address of a function, was quick when it was run last.
pub(super) fn is_quick(site: usize) -> bool {
    HABITS.with(|habits| slot(habits, site).get() == site | QUICK)
}

pub(super) fn note(site: usize, quick: bool) {
    HABITS.with(|habits| slot(habits, site).set(if quick { site | QUICK } else { 0 }));
}
