//! Loops that several threads run together.

use super::core::Core;
use super::job::{Job, Task, Unrun};
use super::running::Failure;
use super::trial::{PAYS, Rest};
use super::unwind::{self, Payload};
use super::worker::Worker;
use super::{current, frame};
use crate::sync::{WaitGroup, awake};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sys::lock::Lock;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

/// So many others each thread wakes that begins its part: those who sleep come in the time of a few wake-ups, not one
/// after another. A wake-up takes the waker a tenth of the time that it takes.
const MUSTER: usize = 4;

per_thread! {
    /// The innermost loop that the calling thread takes part in.
    INNERMOST: Cell<*const Loop<'static>> = Cell::new(ptr::null())
}

/// Whether the calling thread takes part in one.
pub(super) fn is_under_way() -> bool {
    !INNERMOST.with(Cell::get).is_null()
}

/// A loop that several threads take part in: each has a span of chunks, claims from its front, and when that is empty
/// takes half of the largest other one. Protocol: `README.md`, "Loops".
struct Loop<'a> {
    core: &'a Arc<Core>,
    items: Range<usize>,
    chunk: usize,
    body: &'a (dyn Fn(Range<usize>) + Sync),
    spans: Box<[CachePadded<Span>]>,
    /// Spans that have an owner.
    taken: AtomicUsize,
    stop: AtomicBool,
    /// What the body has thrown first.
    payload: Lock<Option<Payload>>,
    /// What the body has declared on workers other than the caller, where that does not stop the loop.
    failure: Lock<Option<Box<Failure>>>,
    stoppable: bool,
    /// Such a failure was declared.
    failed: AtomicBool,
    /// Others who take part, or may.
    helpers: WaitGroup,
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
/// what the body has thrown first. A failure that the body declares is the [`frame`]'s if the loop is stoppable, else
/// the caller's job's.
pub(crate) fn run(core: &Arc<Core>, rest: Rest, body: &(dyn Fn(Range<usize>) + Sync)) -> Result<(), Payload> {
    let most = core.limit() + usize::from(!core.is_current());
    let site = rest.site;
    let whole = Loop::new(core, rest, body, most);
    let (outer, mut helpers) = (INNERMOST.with(Cell::get), None);
    let began = Instant::now();
    let chunks = whole.take_part(0, || {
        // SAFETY: the pointer is null, or the loop goes on: this thread takes part in it, around this one.
        if helpers.is_none() && !unsafe { outer.as_ref() }.is_some_and(|outer| outer.occupies(core)) {
            helpers = Some(whole.call_helpers());
        }
    });
    // Nothing is learnt where others have helped: items that wait for each other are not for one thread alone.
    if chunks == whole.chunks() {
        site.note(began.elapsed() < PAYS);
    }
    helpers.into_iter().flatten().filter(|&id| core.retract(id)).for_each(|_| whole.helpers.done());
    awake::wait_for_all(&whole.helpers);
    if whole.failed.load(Ordering::Relaxed) {
        frame::set_failed();
    }
    if let Some(failure) = whole.failure.lock().take() {
        current::with(|worker| worker.fail(failure));
    }
    whole.payload.lock().take().map_or(Ok(()), Err)
}

impl<'a> Loop<'a> {
    fn new(core: &'a Arc<Core>, rest: Rest, body: &'a (dyn Fn(Range<usize>) + Sync), most: usize) -> Self {
        let Rest { items, chunk, flexible, stoppable, .. } = rest;
        // At least some chunks for everybody, and never more than a word can count.
        let fair = if flexible { (items.len() / (most * 8)).max(1) } else { chunk };
        let chunk = chunk.min(fair).max(items.len() / (u32::MAX as usize / 2));
        let chunks = items.len().div_ceil(chunk);
        let spans = (0..most.min(chunks)).map(|_| CachePadded::new(Span(AtomicU64::new(0)))).collect::<Box<[_]>>();
        spans[0].0.store(Span::pack(0, chunks as u64), Ordering::Relaxed);
        Self {
            core,
            items,
            chunk,
            body,
            spans,
            taken: AtomicUsize::new(1),
            stop: AtomicBool::new(false),
            payload: Lock::new(None),
            failure: Lock::new(None),
            failed: AtomicBool::new(false),
            helpers: WaitGroup::new(),
            stoppable,
        }
    }

    fn chunks(&self) -> usize {
        self.items.len().div_ceil(self.chunk)
    }

    /// Whether all hands of a pool are needed here.
    fn occupies(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(self.core, core) && self.spans.iter().any(|span| span.len() > 0)
    }

    /// Asks workers to take part; the ids of these jobs.
    fn call_helpers(&self) -> Vec<u64> {
        let parent = current::with(Worker::job).unwrap_or(0);
        let mut helpers = Vec::new();
        for _ in 1..self.spans.len() {
            self.helpers.add(1);
            match self.core.submit_if_room(Job::new(Helper { whole: ptr::from_ref(self).cast(), parent })) {
                Ok(id) => helpers.push(id),
                // A pool that is full, or takes no more jobs: the caller runs what is left.
                Err(_) => {
                    self.helpers.done();
                    break;
                }
            }
        }
        self.core.crew.muster(MUSTER.min(helpers.len()));
        helpers
    }

    /// Runs chunks until there are none left, or somebody stops the loop, and calls `next` before each. How many it
    /// were.
    fn take_part(&self, own: usize, mut next: impl FnMut()) -> usize {
        let _outer = Outer(INNERMOST.with(|innermost| innermost.replace(ptr::from_ref(self).cast())));
        let mut chunks = 0;
        while !self.stop.load(Ordering::Relaxed)
            && let Some(chunk) = {
                next();
                self.spans[own].claim().or_else(|| self.steal(own))
            }
        {
            chunks += 1;
            let start = self.items.start + chunk as usize * self.chunk;
            let range = start..self.items.end.min(start.saturating_add(self.chunk));
            if let Err(payload) = unwind::catch(|| (self.body)(range)) {
                self.stop.store(true, Ordering::Relaxed);
                unwind::keep_first(&self.payload, payload);
            }
            if self.stoppable && frame::has_failed() {
                self.failed.store(true, Ordering::Relaxed);
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        chunks
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

/// The loop that the calling thread goes on with when this is dropped.
struct Outer(*const Loop<'static>);

impl Drop for Outer {
    fn drop(&mut self) {
        INNERMOST.with(|innermost| innermost.set(self.0));
    }
}

/// A worker's part in a loop.
struct Helper {
    whole: *const Loop<'static>,
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
                frame::enter(|| whole.take_part(own, || ()));
            } else {
                whole.take_part(own, || ());
            }
        }
        if let Some(failure) = worker.take_failure() {
            whole.failure.lock().replace(failure);
        }
        worker.ended();
        whole.helpers.done();
    }

    fn cancel(self, _id: u64, _why: Unrun) {
        // SAFETY: as above.
        unsafe { &*self.whole }.helpers.done();
    }
}
