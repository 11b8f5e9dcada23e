//! Whether sharing a loop pays: its caller runs some items first. Protocol: `README.md`, "Loops".

use super::call_sites::Site;
use super::frame;
use std::ops::Range;
use std::time::{Duration, Instant};

/// The rest of a loop that is worth sharing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(super) items: Range<usize>,
    /// How many items are claimed at a time; at least 1.
    pub(super) chunk: usize,
    /// Whether chunks may be smaller.
    pub(super) flexible: bool,
    /// Whether a failure that the body declares stops the loop.
    pub(super) stoppable: bool,
    pub(super) site: Site,
}

/// A shorter loop is not shared, because a wake-up takes about as long.
pub(super) const WORTH_SHARING: Duration = Duration::from_micros(10);

/// The aim for the time of a chunk: long compared with claiming it, and short enough to wait for the last one.
const CHUNK_TIME: Duration = Duration::from_micros(20);

/// The most chunks of a loop: more would not balance it better.
const MAX_CHUNKS: usize = 1 << 14;

/// A loop of fewer chunks is shared at once, because each may be long, unless all were quick the last time.
const FEW_CHUNKS: usize = 64;

/// How many chunks are tried first if all were quick the last time.
const TRIAL_CHUNKS: usize = 8;

/// Runs the first items on the calling thread and measures their time; runs all of them if they are quick, else returns
/// the rest. `grain` is the least number of items in a chunk, or 0 to let the loop choose. If `stoppable`, a failure in
/// the innermost [`frame`] ends the loop.
#[inline(always)]
pub(crate) fn try_out(
    site: Site,
    items: Range<usize>,
    grain: usize,
    stoppable: bool,
    mut run: impl FnMut(Range<usize>),
) -> Option<Rest> {
    let unit = grain.max(1);
    if items.len() <= unit {
        run(items);
        return None;
    }
    let was_quick = site.is_quick();
    let few = items.len().div_ceil(unit) < FEW_CHUNKS;
    if few && !was_quick {
        return Some(Rest { items, chunk: unit, flexible: grain == 0, stoppable, site });
    }
    // Begin with one unit, which may be long; or with some more, if all were quick the last time.
    let mut lot = if was_quick && !few { TRIAL_CHUNKS * unit } else { unit };
    let (mut tried, mut took) = (items.start, Duration::ZERO);
    let began = Instant::now();
    let each = loop {
        let next = items.end.min(tried.saturating_add(lot));
        // The only call, so that the body is inlined.
        run(tried..next);
        if stoppable && frame::has_failed() {
            return None;
        }
        let by_now = began.elapsed();
        let each = (by_now - took).as_nanos() as f64 / (next - tried) as f64;
        (tried, took) = (next, by_now);
        if tried == items.end {
            site.record(took < WORTH_SHARING);
            return None;
        }
        let is_quick = each * (items.end - tried) as f64 <= WORTH_SHARING.as_nanos() as f64;
        lot = if is_quick && was_quick {
            usize::MAX
        } else if is_quick || !few && took < WORTH_SHARING / 8 {
            // The first items meet cold caches, and a few take no longer than reading the clock.
            lot.saturating_mul(4).max(FEW_CHUNKS.saturating_mul(unit))
        } else {
            break each;
        };
    };
    site.record(false);
    let rest = tried..items.end;
    let fair = (CHUNK_TIME.as_nanos() as f64 / each.max(0.01)) as usize;
    // A page fault may have distorted the measurement, so limit the number of chunks.
    let chunk = if grain == 0 { fair.max(rest.len() / MAX_CHUNKS) } else { grain };
    Some(Rest { items: rest, chunk: chunk.max(1), flexible: grain == 0, stoppable, site })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many of `length` items the caller has run itself, and the rest.
    fn alone(length: usize, item: impl Fn(usize)) -> (usize, Option<Rest>) {
        let mut ran = 0;
        let chunk = |items: Range<usize>| items.for_each(&item);
        let rest = try_out(Site::of(&chunk), 0..length, 0, false, |items| {
            ran += items.len();
            chunk(items);
        });
        (ran, rest)
    }

    fn slow() {
        std::thread::sleep(WORTH_SHARING * 5);
    }

    /// Conformance 86: how long a few items take is unknown until they were run.
    #[test]
    fn few_items_are_shared_until_they_were_quick() {
        let quick = || alone(10, |_| ());
        let (ran, rest) = quick();
        let site = rest.expect("it is shared").site;
        assert_eq!(ran, 0);
        site.record(false);
        assert_eq!(quick().0, 0);
        // They seem slow only if the thread is preempted.
        let learns = || {
            site.record(true);
            quick() == (10, None)
        };
        assert!((0..1000).any(|_| learns()));
    }

    /// Conformance 86: items that were quick the last time may be slow now, and then the caller does not run them all
    /// itself.
    #[test]
    fn a_few_items_that_became_slow_are_shared_after_the_first() {
        let run = || alone(10, |_| slow());
        run().1.expect("it is shared").site.record(true);
        let (ran, rest) = run();
        assert_eq!((ran, rest.expect("it is shared").items), (1, 1..10));
        assert_eq!(run().0, 0);
    }

    /// Conformance 86: as the rows of a triangle grow.
    #[test]
    fn a_loop_that_begins_with_quick_items_is_shared_where_they_grow() {
        let run = || {
            alone(300, |i| {
                if i > 40 {
                    slow();
                }
            })
        };
        let site = run().1.expect("it is shared").site;
        site.record(true);
        // Misled by the record, the caller runs all of them once.
        run();
        assert!(run().1.is_some());
    }

    /// Conformance 80: no item is tried twice, or not at all, whatever the length and the grain.
    #[test]
    fn what_was_tried_and_the_rest_are_all_items() {
        for length in [0, 1, 2, 63, 64, 65, 100, 1000, 100_000] {
            for grain in [0, 1, 7, 1000, usize::MAX / 2, usize::MAX] {
                for _ in 0..3 {
                    let mut tried = 0;
                    let rest = try_out(Site::of(&|_| ()), 5..5 + length, grain, false, |items| {
                        assert_eq!(items.start, 5 + tried);
                        tried += items.len();
                    });
                    let left = rest.as_ref().map_or(0, |rest| rest.items.len());
                    assert_eq!(tried + left, length, "{length} items by {grain}");
                    assert!(rest.is_none_or(|rest| rest.items.end == 5 + length && rest.chunk > 0));
                }
            }
        }
    }
}
