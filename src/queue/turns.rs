//! A reader of many streams.

use super::stream::Position;

/// The reader's positions in one kind of streams, and the one whose turn it is.
#[derive(Debug)]
pub(super) struct Turns<T> {
    turn: usize,
    pub(super) at: Box<[Position<T>]>,
}

impl<T> Turns<T> {
    pub(super) fn new(count: usize) -> Self {
        Self { turn: 0, at: (0..count).map(|_| Position::START).collect() }
    }

    /// What `read` finds at the position whose turn it is, or else at the next one that has something. A turn is a chunk.
    #[inline(always)]
    pub(super) fn next(&mut self, read: impl Fn(usize, &mut Position<T>) -> Option<T>) -> Option<T> {
        for _ in 0..self.at.len() {
            let turn = self.turn;
            let entry = read(turn, &mut self.at[turn]);
            if entry.is_some() && !self.at[turn].is_at_an_end() {
                return entry;
            }
            self.turn = if turn + 1 == self.at.len() { 0 } else { turn + 1 };
            if entry.is_some() {
                return entry;
            }
        }
        None
    }
}
