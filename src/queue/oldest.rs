//! Finding the oldest of all queued items.

/// Blocks that may contain the oldest items. They are looked up once for many items: a search of all blocks for each
/// item would take time in proportion to the length of the queue. Blocks that are added later are younger.
#[derive(Debug, Default)]
pub(super) struct Oldest {
    /// Blocks in which items are queued, or may yet be; the lowest last.
    blocks: Vec<u64>,
}

impl Oldest {
    /// Takes the queued item with the lowest id. `look_up` returns all blocks, ascending; `take_first` takes the first
    /// queued item of a block, and says whether the block is used up.
    pub(super) fn take<T>(
        &mut self,
        look_up: impl FnOnce() -> Vec<u64>,
        take_first: impl Fn(u64) -> (Option<(u64, T)>, bool),
    ) -> Option<(u64, T)> {
        self.take_known(&take_first).or_else(|| {
            self.blocks = look_up();
            self.blocks.reverse();
            self.take_known(&take_first)
        })
    }

    fn take_known<T>(&mut self, take_first: impl Fn(u64) -> (Option<(u64, T)>, bool)) -> Option<(u64, T)> {
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
