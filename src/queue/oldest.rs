//! Which of all queued items is the oldest.

use super::cell::Item;

/// Where old items may be. It is looked up once for many that are taken: to look through all blocks for each takes as
/// long as the queue is. A block that is made later is younger.
#[derive(Debug, Default)]
pub(super) struct Oldest {
    /// Blocks in which items are queued, or may yet come to be; the lowest last.
    blocks: Vec<u64>,
}

impl Oldest {
    /// Takes the queued item with the lowest id. `look_up` finds the blocks there are, ascending; `take_first` takes
    /// the first item that is queued in a block, and says whether there is no other one, nor will be.
    pub(super) fn take(
        &mut self,
        look_up: impl FnOnce() -> Vec<u64>,
        take_first: impl Fn(u64) -> (Option<(u64, Item)>, bool),
    ) -> Option<(u64, Item)> {
        self.take_known(&take_first).or_else(|| {
            self.blocks = look_up();
            self.blocks.reverse();
            self.take_known(&take_first)
        })
    }

    fn take_known(&mut self, take_first: impl Fn(u64) -> (Option<(u64, Item)>, bool)) -> Option<(u64, Item)> {
        for index in (0..self.blocks.len()).rev() {
            let (found, used_up) = take_first(self.blocks[index]);
            if used_up {
                self.blocks.remove(index);
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }
}
