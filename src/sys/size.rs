//! Sizes that the model checker needs small.

use std::time::Duration;

/// log2 of the slots in a segment: two slots in a model, 256 otherwise.
pub(crate) const SLOT_BITS: u32 = if cfg!(loom) { 1 } else { 8 };

/// Bytes asked from the system at a time: room for a few segments in a model, 2 MiB, a huge page, otherwise.
pub(crate) const SLAB_BYTES: usize = if cfg!(loom) { 1 << 14 } else { 2 << 20 };

/// log2 of the nodes that are asked for at a time where very many may come.
pub(crate) const PIECE_BITS: u32 = if cfg!(loom) { 8 } else { 17 };

/// Independent locks of a table that many threads look into.
pub(crate) const SHARDS: usize = if cfg!(loom) { 1 } else { 16 };

/// Who has slept for less would have done better to stay awake: the next job may come as soon. In models every sleep is
/// long.
pub(crate) const LONG_SLEEP: Duration = Duration::from_micros(if cfg!(loom) { 0 } else { 50 });

/// How long a worker waits after a small batch: long enough for a producer in full flight to fill a large one, and far
/// shorter than waking anybody takes.
pub(crate) const LAG: Duration = Duration::from_nanos(if cfg!(loom) { 0 } else { 1300 });

/// After fewer jobs since the last one, a search is worth a request to submitters (src/pool, "Asked"). Models ask by
/// themselves.
pub(crate) const FEW: u64 = if cfg!(loom) { 0 } else { 16 };

/// Timers that are touched before others get a turn: very many that are due at once must not hold up those who submit.
pub(crate) const TIMERS_AT_ONCE: usize = if cfg!(loom) { 1 } else { 64 };

/// Nanoseconds that the thread which sleeps for the timers lets a worker have to come to one that is due. A model's
/// clock stands still.
pub(crate) const GRACE: u64 = if cfg!(loom) { 0 } else { 50_000 };

/// Entries in a chunk of a queue with one writer and one reader.
pub(crate) const CHUNK: usize = if cfg!(loom) { 2 } else { 128 };

/// Whoever takes jobs out of a queue with a low mark is allowed to take at least so many without a look at the mark, or
/// none: to share out allowances anew costs as much as some ten looks.
pub(crate) const LEAST_ALLOWANCE: u64 = if cfg!(loom) { 1 } else { 64 };

/// log2 of the entries of a table from threads to what is theirs.
pub(crate) const THREAD_TABLE_BITS: u32 = if cfg!(loom) { 0 } else { 7 };

/// Places in a slot block.
pub(crate) const PLACES: u32 = if cfg!(loom) { 2 } else { 32 };

/// Bytes of a slot block's places: a cache line or two. What the model checker watches is larger.
pub(crate) const PLACE_SIZES: [usize; 2] = if cfg!(loom) { [1 << 9, 1 << 10] } else { [64, 128] };
