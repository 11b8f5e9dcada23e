//! Loops that several threads share. Protocol: `README.md`, "Loops".

use super::core::Core;
use super::frame;
use super::job::{Job, Task, Unrun};
use super::joint_outcome::JointOutcome;
use super::nested::Parent;
use super::trial::{Rest, WORTH_SHARING};
use super::unwind::Payload;
use super::worker::Worker;
use crate::sync::{WaitGroup, awake};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sys::thread::{self, per_thread};
use std::cell::Cell;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

/// How many sleepers each participant wakes: so all arrive after a few wake-ups in a row, not one after another. A
/// wake-up occupies the waker for a tenth of its time.
const WAKE_FANOUT: usize = 4;

per_thread! {
    /// The innermost loop that the calling thread takes part in, or null.
    INNERMOST: Cell<*const Loop<'static>> = Cell::new(ptr::null())
}

/// Whether the calling thread takes part in a loop.
pub(super) fn is_under_way() -> bool {
    !INNERMOST.with(Cell::get).is_null()
}

/// A shared loop. Each participant has a span of chunks and claims from its front; when it is empty, it steals half of
/// the largest one.
struct Loop<'a> {
    core: &'a Arc<Core>,
    /// What waits for the helpers.
    parent: Parent,
    items: Range<usize>,
    chunk: usize,
    body: &'a (dyn Fn(Range<usize>) + Sync),
    spans: Box<[CachePadded<Span>]>,
    /// How many spans have an owner.
    taken: AtomicUsize,
    stop: AtomicBool,
    outcome: JointOutcome,
    /// Whether a failure stops the loop.
    stoppable: bool,
    /// Helpers that take part, or may begin to.
    helpers: WaitGroup,
}

/// Chunks first..end, in one word. A word never recurs, because a chunk is claimed once.
///
/// # Memory ordering
///
/// Relaxed: submitting the helpers orders what the body accesses, and the caller acquires their end.
struct Span(AtomicU64);

impl Span {
    fn pack(first: u64, end: u64) -> u64 {
        first << 32 | end
    }

    fn unpack(word: u64) -> (u64, u64) {
        (word >> 32, word & 0xFFFF_FFFF)
    }

    /// The owner claims its next chunk.
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

    /// A thief takes the back half, rounded up.
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

/// Runs the rest together with the pool's workers; returns when all items were run, or all participants have stopped.
/// An error is the first panic of the body. A failure that the body declares is the caller's: that of its [`frame`],
/// which a stoppable loop has, or of its job.
pub(crate) fn run(core: &Arc<Core>, rest: Rest, body: &(dyn Fn(Range<usize>) + Sync)) -> Result<(), Payload> {
    let most = core.limit() + usize::from(!core.is_current());
    let site = rest.site;
    let shared = Loop::new(core, rest, body, most);
    let (outer, mut helpers) = (INNERMOST.with(Cell::get), None);
    let began = Instant::now();
    let chunks = shared.take_part(0, || {
        // SAFETY: the pointer is null, or to an enclosing loop, in which this thread takes part.
        if helpers.is_none() && !unsafe { outer.as_ref() }.is_some_and(|outer| outer.has_chunks_of(core)) {
            helpers = Some(shared.submit_helpers());
        }
    });
    // Recorded only if nobody helped: items that wait for each other must not be run by one thread.
    if chunks == shared.chunks() {
        site.record(began.elapsed() < WORTH_SHARING);
    }
    helpers.into_iter().flatten().filter(|&id| core.retract(id)).for_each(|_| shared.helpers.done());
    awake::wait_for_all(&shared.helpers);
    shared.outcome.settle()
}

impl<'a> Loop<'a> {
    fn new(core: &'a Arc<Core>, rest: Rest, body: &'a (dyn Fn(Range<usize>) + Sync), most: usize) -> Self {
        let Rest { items, chunk, flexible, stoppable, .. } = rest;
        // At least eight chunks for each participant, and no more than a word can count.
        let fair = if flexible { (items.len() / (most * 8)).max(1) } else { chunk };
        let chunk = chunk.min(fair).max(items.len() / (u32::MAX as usize / 2));
        let chunks = items.len().div_ceil(chunk);
        let spans = (0..most.min(chunks)).map(|_| CachePadded::new(Span(AtomicU64::new(0)))).collect::<Box<[_]>>();
        spans[0].0.store(Span::pack(0, chunks as u64), Ordering::Relaxed);
        Self {
            core,
            parent: Parent::current(),
            items,
            chunk,
            body,
            spans,
            taken: AtomicUsize::new(1),
            stop: AtomicBool::new(false),
            outcome: JointOutcome::default(),
            helpers: WaitGroup::new(),
            stoppable,
        }
    }

    fn chunks(&self) -> usize {
        self.items.len().div_ceil(self.chunk)
    }

    /// Whether this loop of the pool still has chunks for free workers.
    fn has_chunks_of(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(self.core, core) && self.spans.iter().any(|span| span.len() > 0)
    }

    /// Submits the helpers; returns their ids.
    fn submit_helpers(&self) -> Vec<u64> {
        let mut helpers = Vec::new();
        for _ in 1..self.spans.len() {
            self.helpers.add(1);
            match self.core.submit_if_room(Job::new(Helper { shared: ptr::from_ref(self).cast() })) {
                Ok(id) => helpers.push(id),
                // The pool is full or closed: the others run the rest.
                Err(_) => {
                    self.helpers.done();
                    break;
                }
            }
        }
        self.core.crew.wake_up_to(WAKE_FANOUT.min(helpers.len()));
        helpers
    }

    /// Runs chunks until none is left or the loop is stopped; calls `next` before each. Returns how many.
    fn take_part(&self, own: usize, mut next: impl FnMut()) -> usize {
        let _entered = thread::enter(&INNERMOST, ptr::from_ref(self).cast());
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
            if !self.outcome.run(|| (self.body)(range)) {
                self.stop.store(true, Ordering::Relaxed);
            }
            if self.stoppable && frame::has_failed() {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        chunks
    }

    /// Takes half of the largest span, and claims its first chunk.
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

/// A worker's part in a loop, as a job.
struct Helper {
    shared: *const Loop<'static>,
}

// SAFETY: 1. `Loop` is `Sync`; 2. its caller waits for every helper, or revokes it.
unsafe impl Send for Helper {}

impl Task for Helper {
    fn run(self, worker: &Worker) {
        // SAFETY: 1. the caller waits until this helper calls `helpers.done`.
        let shared = unsafe { &*self.shared };
        let own = shared.taken.fetch_add(1, Ordering::Relaxed);
        if own < shared.spans.len() {
            worker.core.crew.wake_up_to(WAKE_FANOUT.min(shared.spans.len() - own - 1));
            worker.run_part(shared.parent, || {
                let take_part = || shared.take_part(own, || ());
                if !shared.stoppable {
                    take_part();
                } else if let Err(failure) = frame::enter(take_part) {
                    shared.outcome.fail(failure);
                }
            });
        }
        shared.outcome.take_failure(worker);
        worker.ended();
        shared.helpers.done();
    }

    fn cancel(self, _core: &Core, _id: u64, _why: Unrun) {
        // SAFETY: as above.
        unsafe { &*self.shared }.helpers.done();
    }
}
