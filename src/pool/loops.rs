//! Loops that several threads run together.

use super::core::Core;
use super::ended::Ended;
use super::job::{Job, Task, Unrun};
use super::running::Failure;
use super::unwind::{self, Payload};
use super::worker::Worker;
use super::{current, frame, habits};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sys::lock::Lock;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is left of a loop when it has shown that it pays to share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    items: Range<usize>,
    /// Items that are claimed at a time.
    chunk: usize,
    /// Whether smaller chunks are as well.
    flexible: bool,
    /// Whether a failure that the body declares stops the loop.
    stoppable: bool,
}

impl Rest {
    /// `chunk` items are claimed at a time.
    pub(super) fn new(items: Range<usize>, chunk: usize, flexible: bool, stoppable: bool) -> Self {
        Self { items, chunk: chunk.max(1), flexible, stoppable }
    }
}

/// Chunks of a loop, at most: so many are as well balanced as could be.
const MANY: usize = 1 << 14;

/// A loop that would be over within this time is not shared: waking somebody takes about as long.
const PAYS: Duration = Duration::from_micros(10);

/// How long a chunk shall take: claiming it does not matter, and nobody waits long for the last one.
const CHUNK: Duration = Duration::from_micros(20);

/// With fewer chunks than this each may be long, and they are shared at once; with more, the first ones are tried.
const FEW: usize = 64;

/// So many others each thread wakes that begins its part: those who sleep come in the time of a few wake-ups, not one
/// after another.
const MUSTER: usize = 2;

/// So many chunks are tried first where they were quick the last time.
const FIRST: usize = 8;

/// Runs the first items here to see how long they take; then all of them if that is quick. `grain` is the least number
/// of items at a time, 0 if that is for the loop to find out. If `stoppable`, a failure that the [`frame`] hears of
/// ends the loop.
#[inline(always)]
pub(crate) fn try_out<F: FnMut(Range<usize>)>(
    items: Range<usize>,
    grain: usize,
    stoppable: bool,
    mut run: F,
) -> Option<Rest> {
    let unit = grain.max(1);
    if items.len() <= unit {
        run(items);
        return None;
    }
    if items.len().div_ceil(unit) < FEW {
        return Some(Rest::new(items, unit, grain == 0, stoppable));
    }
    let site = piece::<F> as *const () as usize;
    // One item may be long; what was quick the last time is seen to be quick again from some more at once.
    let first = if habits::is_quick(site) { FIRST * unit } else { unit };
    let began = Instant::now();
    let mut tried = items.start + first;
    run(items.start..tried);
    let mut took = began.elapsed();
    // Nanoseconds of a loop that pays to share fit into 64 bits 10^6 times over.
    let mut each = took.as_nanos() as f64 / first as f64;
    let is_short = |each: f64, tried: usize| each * (items.end - tried) as f64 <= PAYS.as_nanos() as f64;
    let mut lot = FEW * unit - first;
    // The first ones meet cold caches, and few take no longer than a look at the clock.
    while took < PAYS / 8 && !is_short(each, tried) && !(stoppable && frame::has_failed()) {
        let next = tried.saturating_add(lot).min(items.end);
        run(tried..next);
        let by_now = began.elapsed();
        each = (by_now - took).as_nanos() as f64 / (next - tried) as f64;
        (tried, took, lot) = (next, by_now, lot.saturating_mul(4));
    }
    if stoppable && frame::has_failed() {
        return None;
    }
    let rest = tried..items.end;
    let quick = is_short(each, tried);
    habits::note(site, quick);
    if quick {
        run(rest);
        return None;
    }
    let fair = (CHUNK.as_nanos() as f64 / each.max(0.01)) as usize;
    // The trial may have met a page fault: chunks that are too small by that measure cost as much as a loop of claims.
    let chunk = if grain == 0 { fair.max(rest.len() / MANY) } else { grain };
    Some(Rest::new(rest, chunk, grain == 0, stoppable))
}

/// Has an address of its own for each place in the program where there is a loop.
fn piece<F: FnMut(Range<usize>)>(run: &mut F, items: Range<usize>) {
    run(items);
}

/// A loop that several threads take part in: each has a span of chunks, claims from its front, and when that is empty
/// takes half of the largest other one. Protocol: `README.md`, "Loops".
struct Loop<'a> {
    items: Range<usize>,
    chunk: usize,
    body: &'a (dyn Fn(Range<usize>) + Sync),
    spans: Box<[CachePadded<Span>]>,
    /// Spans that have an owner.
    taken: AtomicUsize,
    stop: AtomicBool,
    /// What the body has thrown.
    payload: Lock<Option<Payload>>,
    /// What the body has declared on workers other than the caller, where that does not stop the loop.
    failure: Lock<Option<Box<Failure>>>,
    stoppable: bool,
    /// Such a failure was declared.
    failed: AtomicBool,
}

/// Chunks first..end, in one word. Numbers of chunks that were claimed do not come back, so a word does not either.
///
/// # Memory ordering
///
/// Relaxed: what the body touches was there before the helpers were submitted, and the caller acquires their end.
struct Span(AtomicU64);

impl Span {
    fn pack(first: u64, end: u64) -> u64 {
        first << 32 | end
    }

    fn unpack(word: u64) -> (u64, u64) {
        (word >> 32, word & 0xFFFF_FFFF)
    }

    /// The owner's next chunk.
    fn claim(&self) -> Option<u64> {
        let step = |word| {
            let (first, end) = Self::unpack(word);
            (first < end).then(|| Self::pack(first + 1, end))
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).ok().map(|word| Self::unpack(word).0)
    }

    fn len(&self) -> u64 {
        let (first, end) = Self::unpack(self.0.load(Ordering::Relaxed));
        end.saturating_sub(first)
    }

    /// The back half, rounded up.
    fn split(&self) -> Option<(u64, u64)> {
        let step = |word| {
            let (first, end) = Self::unpack(word);
            (first < end).then(|| Self::pack(first, end - (end - first).div_ceil(2)))
        };
        let word = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).ok()?;
        let (first, end) = Self::unpack(word);
        Some((end - (end - first).div_ceil(2), end))
    }
}

/// Runs the rest together with the pool's workers; returns when every item was run, or all have stopped. An error is
/// what the body has thrown. A failure that the body declares is the [`frame`]'s if the loop is stoppable, else the
/// caller's job's.
pub(crate) fn run(core: &Arc<Core>, rest: Rest, body: &(dyn Fn(Range<usize>) + Sync)) -> Result<(), Payload> {
    let most = core.limit() + usize::from(!core.is_current());
    let whole = Loop::new(rest, body, most);
    let ended = Arc::new(Ended::new());
    let parent = current::with(Worker::job).unwrap_or(0);
    let mut helpers = Vec::new();
    for _ in 1..whole.spans.len() {
        let helper = Helper { whole: (&raw const whole).cast(), ended: Arc::clone(&ended), parent };
        // A pool that takes no more jobs: the caller runs what is left.
        let Ok(id) = core.submit(Job::new(helper)) else { break };
        helpers.push(id);
    }
    core.crew.muster(MUSTER.min(helpers.len()));
    whole.take_part(0);
    let running = helpers.into_iter().filter(|&id| !core.retract(id)).count();
    ended.wait_for(running);
    if whole.failed.load(Ordering::Relaxed) {
        frame::set_failed();
    }
    if let Some(failure) = whole.failure.lock().take() {
        current::with(|worker| worker.fail(failure));
    }
    whole.payload.lock().take().map_or(Ok(()), Err)
}

impl<'a> Loop<'a> {
    fn new(rest: Rest, body: &'a (dyn Fn(Range<usize>) + Sync), most: usize) -> Self {
        let Rest { items, chunk, flexible, stoppable } = rest;
        // At least some chunks for everybody, and never more than a word can count.
        let fair = if flexible { (items.len() / (most * 8)).max(1) } else { chunk };
        let chunk = chunk.min(fair).max(items.len() / (u32::MAX as usize / 2));
        let chunks = items.len().div_ceil(chunk);
        let spans = (0..most.min(chunks)).map(|_| CachePadded::new(Span(AtomicU64::new(0)))).collect::<Box<[_]>>();
        spans[0].0.store(Span::pack(0, chunks as u64), Ordering::Relaxed);
        Self {
            items,
            chunk,
            body,
            spans,
            taken: AtomicUsize::new(1),
            stop: AtomicBool::new(false),
            payload: Lock::new(None),
            failure: Lock::new(None),
            failed: AtomicBool::new(false),
            stoppable,
        }
    }

    /// Runs chunks until there are none left, or somebody stops the loop.
    fn take_part(&self, own: usize) {
        while !self.stop.load(Ordering::Relaxed)
            && let Some(chunk) = self.spans[own].claim().or_else(|| self.steal(own))
        {
            let start = self.items.start + chunk as usize * self.chunk;
            let range = start..self.items.end.min(start + self.chunk);
            if let Err(payload) = unwind::catch(|| (self.body)(range)) {
                self.stop.store(true, Ordering::Relaxed);
                let earlier = self.payload.lock().replace(payload);
                unwind::dispose(earlier);
            }
            if self.stoppable && frame::has_failed() {
                self.failed.store(true, Ordering::Relaxed);
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Half of the largest span, of which the first chunk is the thief's at once.
    fn steal(&self, own: usize) -> Option<u64> {
        loop {
            let victim = self.spans.iter().max_by_key(|span| span.len()).filter(|span| span.len() > 0)?;
            if let Some((first, end)) = victim.split() {
                self.spans[own].0.store(Span::pack(first + 1, end), Ordering::Relaxed);
                return Some(first);
            }
        }
    }
}

/// A worker's part in a loop.
struct Helper {
    whole: *const Loop<'static>,
    ended: Arc<Ended>,
    parent: u64,
}

// SAFETY: the loop can be shared, and its caller waits for every helper that has begun.
unsafe impl Send for Helper {}

impl Task for Helper {
    fn run(self, worker: &Worker) {
        worker.stand_in_for(self.parent);
        // SAFETY: the caller waits until this helper says that it has ended.
        let whole = unsafe { &*self.whole };
        let own = whole.taken.fetch_add(1, Ordering::Relaxed);
        if own < whole.spans.len() {
            worker.core.crew.muster(MUSTER.min(whole.spans.len() - own - 1));
            if whole.stoppable {
                frame::enter(|| whole.take_part(own));
            } else {
                whole.take_part(own);
            }
        }
        if let Some(failure) = worker.take_failure() {
            whole.failure.lock().replace(failure);
        }
        worker.ended();
        self.ended.now();
    }

    fn cancel(self, _id: u64, _why: Unrun) {
        self.ended.now();
    }
}
