//! A reader of many streams.

use super::stream::{Position, Run};
use crate::sys::atomic::AtomicU64;
use crate::sys::lock::ForkedLock;

/// The readers' positions, and how much they have taken. One reads at a time.
#[derive(Debug)]
pub(super) struct Reader<D, F> {
    pub(super) taken_done: AtomicU64,
    pub(super) taken_failed: AtomicU64,
    pub(super) positions: ForkedLock<Positions<D, F>>,
}

#[derive(Debug)]
pub(super) struct Positions<D, F> {
    pub(super) done: RoundRobin<D>,
    pub(super) failed: RoundRobin<F>,
}

impl<D, F> Reader<D, F> {
    /// For streams 0 to `count` − 1 of each kind.
    pub(super) fn new(count: usize) -> Self {
        Self {
            taken_done: AtomicU64::new(0),
            taken_failed: AtomicU64::new(0),
            positions: ForkedLock::new(Positions { done: RoundRobin::new(count), failed: RoundRobin::new(count) }),
        }
    }
}

/// The readers' positions in one kind of streams, and whose turn it is.
#[derive(Debug)]
pub(super) struct RoundRobin<T> {
    /// What is left of the run that was found last.
    run: Run<T>,
    turn: usize,
    pub(super) at: Box<[Position<T>]>,
}

impl<T> RoundRobin<T> {
    fn new(count: usize) -> Self {
        Self { run: Run::EMPTY, turn: 0, at: (0..count).map(|_| Position::START).collect() }
    }

    /// What is left of the last run, or else the run that `find` finds at the position whose turn it is, or at the next
    /// one that has entries. A turn is one chunk.
    #[inline(always)]
    pub(super) fn run(&mut self, find: impl Fn(usize, &mut Position<T>) -> Run<T>) -> &mut Run<T> {
        if self.run.len() == 0 {
            self.find(find);
        }
        &mut self.run
    }

    #[inline(never)]
    fn find(&mut self, find: impl Fn(usize, &mut Position<T>) -> Run<T>) {
        for _ in 0..self.at.len() {
            let position = &mut self.at[self.turn];
            self.run = find(self.turn, position);
            let found = self.run.len() > 0;
            if !found || position.is_at_an_end() {
                self.turn = if self.turn + 1 == self.at.len() { 0 } else { self.turn + 1 };
            }
            if found {
                return;
            }
        }
    }
}
