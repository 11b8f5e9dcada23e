//! Sizes that the model checker needs small.

/// log2 of the slots in a segment: two slots in a model, 256 otherwise.
pub(crate) const SLOT_BITS: u32 = if cfg!(loom) { 1 } else { 8 };

/// Bytes asked from the system at a time: room for a few segments in a model, 1 MiB otherwise.
pub(crate) const SLAB_BYTES: usize = if cfg!(loom) { 1 << 14 } else { 1 << 20 };

/// Independent locks of a table that many threads look into.
pub(crate) const SHARDS: usize = if cfg!(loom) { 1 } else { 16 };

/// Looks at the work sources that a worker takes before it sleeps.
pub(crate) const SPINS: u32 = if cfg!(loom) { 0 } else { 100 };
