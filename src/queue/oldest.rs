//! Which of all queued items is the oldest.

use super::cell::Item;
use super::store::Store;

/// Where old items may be. It is looked up once for many that are taken: to look through all blocks for each takes as
/// long as the queue is. A block that is made later is younger.
#[derive(Debug, Default)]
pub(super) struct Oldest {
    /// Blocks in which items are queued, or may yet come to be; the lowest last.
    blocks: Vec<u64>,
}

impl Oldest {
    /// Takes the queued item with the lowest id.
    pub(super) fn revoke(&mut self, store: &Store) -> Option<(u64, Item)> {
        self.revoke_known(store).or_else(|| {
            self.blocks = store.blocks();
            self.blocks.reverse();
            self.revoke_known(store)
        })
    }

    fn revoke_known(&mut self, store: &Store) -> Option<(u64, Item)> {
        for index in (0..self.blocks.len()).rev() {
            let (found, used_up) = store.revoke_first(self.blocks[index]);
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
