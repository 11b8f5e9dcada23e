//! Stacks of very many small values.

use super::arena::OutOfMemory;
use std::mem;

/// Values in a chunk.
const CHUNK: usize = 1024;

/// A stack of no more values is an ordinary vector.
const SMALL: usize = 64;

/// Chunks that no stack needs now. The last one given back, which is taken first, is still in the processor's cache.
#[derive(Debug)]
pub(super) struct SpareChunks<T>(Vec<Vec<T>>);

/// A vector in chunks. Growing neither moves values nor leaves behind freed memory of sizes that are not used again,
/// which took 5 bytes a timer with a million timers.
#[derive(Debug)]
pub(super) struct ChunkedStack<T> {
    /// Of [`CHUNK`] values each.
    full: Vec<Vec<T>>,
    /// The values above them.
    top: Vec<T>,
}

impl<T> SpareChunks<T> {
    pub(super) const EMPTY: Self = Self(Vec::new());

    fn take(&mut self) -> Result<Vec<T>, OutOfMemory> {
        if let Some(chunk) = self.0.pop() {
            return Ok(chunk);
        }
        let mut chunk = Vec::new();
        chunk.try_reserve_exact(CHUNK).map_err(|_| OutOfMemory)?;
        Ok(chunk)
    }

    /// Takes a chunk back; drops a vector that is smaller.
    fn put(&mut self, mut chunk: Vec<T>) {
        if chunk.capacity() >= CHUNK {
            chunk.clear();
            self.0.push(chunk);
        }
    }
}

impl<T: Copy> ChunkedStack<T> {
    pub(super) const EMPTY: Self = Self { full: Vec::new(), top: Vec::new() };

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.full.len() * CHUNK + self.top.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes sure that there is room for one more.
    #[inline]
    pub(super) fn make_room(&mut self, spare: &mut SpareChunks<T>) -> Result<(), OutOfMemory> {
        if self.top.len() < self.top.capacity().min(CHUNK) { Ok(()) } else { self.grow(spare) }
    }

    #[cold]
    fn grow(&mut self, spare: &mut SpareChunks<T>) -> Result<(), OutOfMemory> {
        match self.top.len() {
            CHUNK => {
                self.full.try_reserve(1).map_err(|_| OutOfMemory)?;
                self.full.push(mem::replace(&mut self.top, spare.take()?));
            }
            SMALL.. => {
                let few = mem::replace(&mut self.top, spare.take()?);
                self.top.extend(few);
            }
            _ => self.top.try_reserve(1).map_err(|_| OutOfMemory)?,
        }
        Ok(())
    }

    /// Puts a value on top, for which there is [room](Self::make_room).
    #[inline]
    pub(super) fn push(&mut self, thing: T) {
        self.top.push(thing);
    }

    /// Counted from the bottom.
    #[inline]
    pub(super) fn get(&self, index: usize) -> &T {
        match self.full.get(index / CHUNK) {
            Some(chunk) => &chunk[index % CHUNK],
            None => &self.top[index - self.full.len() * CHUNK],
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
    pub(super) fn pop(&mut self, spare: &mut SpareChunks<T>) -> Option<T> {
        if self.top.is_empty() {
            spare.put(mem::replace(&mut self.top, self.full.pop()?));
        }
        self.top.pop()
    }

    /// Removes the value at `index`; the top one takes its place.
    pub(super) fn swap_remove(&mut self, index: usize, spare: &mut SpareChunks<T>) {
        let Some(last) = self.pop(spare) else { return };
        if let Some(chunk) = self.full.get_mut(index / CHUNK) {
            chunk[index % CHUNK] = last;
        } else if let Some(place) = self.top.get_mut(index - self.full.len() * CHUNK) {
            *place = last;
        }
    }

    /// Empties it, and gives its chunks back.
    pub(super) fn clear(&mut self, spare: &mut SpareChunks<T>) {
        mem::take(&mut self.full).into_iter().for_each(|chunk| spare.put(chunk));
        if self.top.capacity() > SMALL {
            spare.put(mem::take(&mut self.top));
        }
        self.top.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, ChunkedStack, SpareChunks};

    /// The borders of chunks have no effect that a user of the stack could observe.
    #[test]
    fn a_chunked_stack_is_a_vector() {
        let (mut stack, mut vector, mut random) = (ChunkedStack::EMPTY, Vec::new(), 1_u64);
        let mut spare = SpareChunks::EMPTY;
        let spare = &mut spare;
        let mut below = |bound: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % bound
        };
        for n in 0..200_000 {
            let growing = n / 20_000 % 2 == 0;
            match below(8) {
                0 if !vector.is_empty() => {
                    let index = below(vector.len());
                    assert_eq!(*stack.get(index), vector[index]);
                    stack.swap_remove(index, spare);
                    vector.swap_remove(index);
                }
                0..=2 => assert_eq!(stack.pop(spare), vector.pop()),
                3..=5 if !growing => assert_eq!(stack.pop(spare), vector.pop()),
                _ => {
                    stack.make_room(spare).expect("memory");
                    stack.push(n);
                    vector.push(n);
                }
            }
            assert_eq!((stack.len(), stack.last(), stack.is_empty()), (vector.len(), vector.last(), vector.is_empty()));
            if vector.len() % CHUNK < 2 && below(16) == 0 {
                assert!(stack.iter().eq(&vector));
            }
        }
        stack.clear(spare);
        assert_eq!((stack.len(), stack.pop(spare)), (0, None));
    }
}
