//! From an id to the segment that holds its cell.

use super::arena::OutOfMemory;
use super::segment::SegmentRef;
use crate::sys::CachePadded;
use crate::sys::lock::Lock;
use crate::sys::size::real_or_modelled;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Independent parts of a table that many threads access.
pub(super) const SHARDS: usize = real_or_modelled(16, 1);

/// The segments that are in a lap, by block number. A shard's lock pins the segments in it: while it is held,
/// none of them can be recycled, because recycling begins by taking the segment out of its shard.
#[derive(Debug)]
pub(super) struct Registry {
    shards: [CachePadded<Lock<Shard>>; SHARDS],
}

type Shard = HashMap<u64, SegmentRef, BuildHasherDefault<BlockHasher>>;

impl Registry {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| CachePadded::new(Lock::new(Shard::default()))) }
    }

    fn shard(&self, block: u64) -> &Lock<Shard> {
        &self.shards[block as usize % SHARDS]
    }

    pub(super) fn insert(&self, block: u64, segment: SegmentRef) -> Result<(), OutOfMemory> {
        let mut shard = self.shard(block).lock();
        shard.try_reserve(1).map_err(|_| OutOfMemory)?;
        shard.insert(block, segment);
        Ok(())
    }

    pub(super) fn remove(&self, block: u64) {
        self.shard(block).lock().remove(&block);
    }

    /// What `look` finds in the segment, which is pinned meanwhile; `None` if no segment is in lap `block`.
    pub(super) fn pinned<R>(&self, block: u64, look: impl FnOnce(SegmentRef) -> Option<R>) -> Option<R> {
        let shard = self.shard(block).lock();
        shard.get(&block).copied().and_then(look)
    }

    /// The laps that segments are in.
    pub(super) fn blocks(&self) -> Vec<u64> {
        let mut blocks = Vec::new();
        self.shards.iter().for_each(|shard| blocks.extend(shard.lock().keys()));
        blocks
    }
}

/// Block numbers are distinct already; one multiplication spreads them over the table's upper bits.
#[derive(Default)]
pub(super) struct BlockHasher(u64);

impl Hasher for BlockHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("block numbers are u64");
    }

    fn write_u64(&mut self, block: u64) {
        // Fibonacci hashing: 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
        self.0 = block.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
