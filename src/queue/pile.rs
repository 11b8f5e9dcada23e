//! Stacks of very many small things.

use super::depot::OutOfMemory;
use std::mem;

/// Things in a piece.
const PIECE: usize = 1024;

/// A stack of no more is one vector that grows as others do.
const SMALL: usize = 64;

/// Pieces that no stack needs now. What one gives back is in the processor's cache when the next one takes it.
#[derive(Debug)]
pub(super) struct Stock<T>(Vec<Vec<T>>);

/// A vector in pieces. When it grows it neither moves what it holds nor leaves behind memory of sizes that nobody
/// wants: with a million timers that was 5 bytes for each.
#[derive(Debug)]
pub(super) struct Pile<T> {
    /// Of [`PIECE`] things each.
    full: Vec<Vec<T>>,
    /// What lies above them.
    top: Vec<T>,
}

impl<T> Stock<T> {
    pub(super) const EMPTY: Self = Self(Vec::new());

    fn take(&mut self) -> Result<Vec<T>, OutOfMemory> {
        if let Some(piece) = self.0.pop() {
            return Ok(piece);
        }
        let mut piece = Vec::new();
        piece.try_reserve_exact(PIECE).map_err(|_| OutOfMemory)?;
        Ok(piece)
    }

    /// Something smaller is dropped.
    fn put(&mut self, mut piece: Vec<T>) {
        if piece.capacity() >= PIECE {
            piece.clear();
            self.0.push(piece);
        }
    }
}

impl<T: Copy> Pile<T> {
    pub(super) const EMPTY: Self = Self { full: Vec::new(), top: Vec::new() };

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.full.len() * PIECE + self.top.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes sure that there is room for one more.
    #[inline]
    pub(super) fn make_room(&mut self, stock: &mut Stock<T>) -> Result<(), OutOfMemory> {
        if self.top.len() < self.top.capacity().min(PIECE) { Ok(()) } else { self.grow(stock) }
    }

    #[cold]
    fn grow(&mut self, stock: &mut Stock<T>) -> Result<(), OutOfMemory> {
        match self.top.len() {
            PIECE => {
                self.full.try_reserve(1).map_err(|_| OutOfMemory)?;
                self.full.push(mem::replace(&mut self.top, stock.take()?));
            }
            SMALL.. => {
                let few = mem::replace(&mut self.top, stock.take()?);
                self.top.extend(few);
            }
            _ => self.top.try_reserve(1).map_err(|_| OutOfMemory)?,
        }
        Ok(())
    }

    /// Puts something on top, for which there is [room](Self::make_room).
    #[inline]
    pub(super) fn push(&mut self, thing: T) {
        self.top.push(thing);
    }

    /// Counted from the bottom.
    #[inline]
    pub(super) fn get(&self, index: usize) -> &T {
        match self.full.get(index / PIECE) {
            Some(piece) => &piece[index % PIECE],
            None => &self.top[index - self.full.len() * PIECE],
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flatten().chain(&self.top)
    }

    #[inline]
    pub(super) fn last(&self) -> Option<&T> {
        self.top.last().or_else(|| self.full.last()?.last())
    }

    #[inline]
    pub(super) fn pop(&mut self, stock: &mut Stock<T>) -> Option<T> {
        if self.top.is_empty() {
            stock.put(mem::replace(&mut self.top, self.full.pop()?));
        }
        self.top.pop()
    }

    /// Takes what lies there away; what lies on top takes its place.
    pub(super) fn swap_remove(&mut self, index: usize, stock: &mut Stock<T>) {
        let Some(last) = self.pop(stock) else { return };
        if let Some(piece) = self.full.get_mut(index / PIECE) {
            piece[index % PIECE] = last;
        } else if let Some(place) = self.top.get_mut(index - self.full.len() * PIECE) {
            *place = last;
        }
    }

    /// Empties it. What is large goes back.
    pub(super) fn clear(&mut self, stock: &mut Stock<T>) {
        mem::take(&mut self.full).into_iter().for_each(|piece| stock.put(piece));
        if self.top.capacity() > SMALL {
            stock.put(mem::take(&mut self.top));
        }
        self.top.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE, Pile, Stock};

    /// Where a piece begins and ends is nothing that a user of the stack sees.
    #[test]
    fn a_pile_is_a_vector() {
        let (mut pile, mut vector, mut random) = (Pile::EMPTY, Vec::new(), 1_u64);
        let mut stock = Stock::EMPTY;
        let stock = &mut stock;
        let mut below = |bound: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % bound
        };
        for n in 0..200_000 {
            let growing = n / 20_000 % 2 == 0;
            match below(8) {
                0 if !vector.is_empty() => {
                    let index = below(vector.len());
                    assert_eq!(*pile.get(index), vector[index]);
                    pile.swap_remove(index, stock);
                    vector.swap_remove(index);
                }
                0..=2 => assert_eq!(pile.pop(stock), vector.pop()),
                3..=5 if !growing => assert_eq!(pile.pop(stock), vector.pop()),
                _ => {
                    pile.make_room(stock).expect("memory");
                    pile.push(n);
                    vector.push(n);
                }
            }
            assert_eq!((pile.len(), pile.last(), pile.is_empty()), (vector.len(), vector.last(), vector.is_empty()));
            if vector.len() % PIECE < 2 && below(16) == 0 {
                assert!(pile.iter().eq(&vector));
            }
        }
        pile.clear(stock);
        assert_eq!((pile.len(), pile.pop(stock)), (0, None));
    }
}
