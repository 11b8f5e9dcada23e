//! The end of a pool, and its new beginnings. Protocol and proof: `README.md`, "Close" and "Reopen".

use super::core::Core;
use super::current;
use super::hire::AGAIN;
use super::hooks::HookError;
use super::process_pools;
use super::submit::Refusal;
use crate::sync::Deadline;
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::sys::fence;
use crate::sys::join::join;
use crate::sys::lock::Lock;
use crate::sys::thread::JoinHandle;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// For so long somebody who waits for a pool's end tries to start a worker for what is queued.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a wait for the end did not reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    TimedOut,
    /// The caller is a job of the pool, or is just ending one, and would wait for that.
    Deadlock,
    /// A hook has failed: the pool does not come back.
    Broken,
    /// The pool is everybody's, or nobody's any more.
    Refused,
    /// The workers are in the process that this one was forked from.
    Forked,
    /// The process exits: no further job begins.
    Exiting,
}

/// How far a pool is on its way to the end, beyond what the census says.
#[derive(Debug)]
pub(super) struct Ending {
    /// Held while the pool is closed or reopened, so that the census is closed and sealed, or neither, for whoever
    /// holds it.
    turn: Lock<()>,
    /// How often the pool was reopened. Changed under `turn`.
    life: AtomicU64,
    abandoned: AtomicBool,
    /// The first hook's failure. Set before the census says "broken".
    broken: OnceLock<HookError>,
}

impl Ending {
    pub(super) fn new() -> Self {
        Self {
            turn: Lock::new(()),
            life: AtomicU64::new(0),
            abandoned: AtomicBool::new(false),
            broken: OnceLock::new(),
        }
    }
}

impl Core {
    /// From now on only the pool's own jobs may submit; workers leave once nothing is queued or running. Returns the
    /// life that ends.
    pub(crate) fn close(&self) -> u64 {
        self.close_by(|| self.crew.census.close(), &mut |_| ())
    }

    /// Tells of each timer that is cancelled.
    fn close_by(&self, close: impl FnOnce(), cancelled: &mut dyn FnMut(u64)) -> u64 {
        let turn = self.ending.turn.lock(); // L1
        close(); // C1
        fence::heavy(); // C2
        self.wake_submitters();
        self.lanes.wait_for_visits(); // C3
        self.crew.census.seal(); // C4
        self.quotas.lift();
        let life = self.ending.life.load(Ordering::Relaxed);
        drop(turn);
        self.crew.wake_all();
        self.close_timers(cancelled);
        life
    }

    /// Whether the calling thread may wait for the pool's workers.
    pub(crate) fn may_wait(&self) -> Result<(), Unfinished> {
        let now = self.crew.census.read();
        if now.is_forked() {
            Err(Unfinished::Forked)
        } else if now.is_halted() {
            Err(Unfinished::Exiting)
        } else if self.is_current() {
            Err(Unfinished::Deadlock)
        } else {
            Ok(())
        }
    }

    /// Whether it may wait until all of the pool's jobs have ended.
    pub(super) fn may_wait_for_all(&self) -> Result<(), Unfinished> {
        self.may_wait()?;
        if self.is_ending_one() { Err(Unfinished::Deadlock) } else { Ok(()) }
    }

    /// Closes the pool, waits until everything accepted has run and every worker has ended.
    pub(crate) fn drain(self: &Arc<Self>, deadline: Deadline) -> Result<(), Unfinished> {
        self.may_wait_for_all()?;
        let life = self.close();
        self.await_end(life, deadline)
    }

    /// Closes the pool and cancels what is queued, and tells of each job and timer that this cancels.
    pub(crate) fn close_and_cancel(&self, cancelled: &mut dyn FnMut(u64)) -> Result<(), Unfinished> {
        self.may_wait_for_all()?;
        self.close_by(|| self.crew.census.close(), cancelled);
        self.cancel_each(cancelled);
        Ok(())
    }

    /// Waits until every worker of a life that was closed has ended.
    fn await_end(self: &Arc<Self>, life: u64, deadline: Deadline) -> Result<(), Unfinished> {
        self.rescue_stranded(deadline);
        let verdict = || match self.alive() {
            _ if self.crew.census.read().is_halted() => Some(Err(Unfinished::Exiting)),
            _ if self.ending.life.load(Ordering::Acquire) != life => Some(Ok(())), // L4
            // A worker that leaves early may be gone for a moment before it has called the next one.
            // A sleeper that finds the pool open again stays, and whoever joins it waits for the end of that life.
            0 if self.is_quiescent() && (current::belongs_to(self) || !self.has_sleeper()) => Some(Ok(())),
            _ => None,
        };
        self.left.wait_until(deadline, verdict).unwrap_or(Err(Unfinished::TimedOut))?;
        self.join_threads(life, deadline)
    }

    /// Delayed jobs that were due may have found no thread, and nobody tries again for them: their sleeper ends when
    /// the pool is closed, and a manual clock has none. This tries, for a while; then they are cancelled, unless there
    /// is a worker whose job blocks.
    fn rescue_stranded(self: &Arc<Self>, deadline: Deadline) {
        let enough = Deadline::after(PATIENCE);
        while self.alive() == 0 && !self.is_quiescent() && self.recruit().is_err() {
            if enough.has_passed() {
                if self.crew.heads() == 0 {
                    self.cancel_all();
                }
                return;
            }
            if deadline.has_passed() {
                return;
            }
            self.left.wait_until(deadline.min(Deadline::after(AGAIN)), || self.is_quiescent().then_some(()));
        }
    }

    fn join_threads(&self, life: u64, deadline: Deadline) -> Result<(), Unfinished> {
        if current::belongs_to(self) {
            return Ok(()); // Whoever joins it waits for this.
        }
        let next = || self.next_to_join(life);
        while let Some(thread) = self.left.wait_until(deadline, next).ok_or(Unfinished::TimedOut)? {
            let late = join(thread, || deadline.remaining());
            let verdict = if late.is_some() { Err(Unfinished::TimedOut) } else { Ok(()) };
            self.threads.joined(late);
            self.left.notify();
            verdict?;
        }
        Ok(())
    }

    fn next_to_join(&self, life: u64) -> Option<Option<JoinHandle<()>>> {
        let _turn = self.ending.turn.lock();
        // Whoever reopened the pool has seen its end; the threads there are now are new ones.
        let is_over = self.ending.life.load(Ordering::Relaxed) != life;
        if is_over { Some(None) } else { self.threads.next() }
    }

    /// Waits for the end of a pool that was closed and opens it again. An open pool stays as it is.
    pub(crate) fn reopen(self: &Arc<Self>, deadline: Deadline) -> Result<(), Unfinished> {
        if self.is_forked() {
            return Err(Unfinished::Forked);
        }
        let life = {
            let _turn = self.ending.turn.lock();
            if !self.crew.census.read().is_closed() {
                return Ok(());
            }
            self.ending.life.load(Ordering::Relaxed)
        };
        self.may_reopen()?;
        self.await_end(life, deadline)?;
        self.close_timers(&mut |_| ()); // Whoever closed the pool may not have come to it yet.
        let _turn = self.ending.turn.lock();
        if self.ending.life.load(Ordering::Relaxed) != life {
            return Ok(()); // Somebody else has reopened it.
        }
        self.may_reopen()?; // A stop hook may have failed, the last handle may have gone.
        self.quotas.impose();
        self.crew.census.open(); // L2
        self.ending.life.store(life + 1, Ordering::Release); // L3
        Ok(())
    }

    fn may_reopen(&self) -> Result<(), Unfinished> {
        self.may_wait_for_all()?;
        if self.crew.census.read().is_broken() {
            Err(Unfinished::Broken)
        } else if self.is_abandoned() || self.is_without_handles() {
            Err(Unfinished::Refused)
        } else {
            Ok(())
        }
    }

    /// Cancels what is queued, forgets the failures counted so far, and opens the pool again if it was closed; returns
    /// how many jobs it cancelled.
    pub(crate) fn clear(self: &Arc<Self>, deadline: Deadline) -> Result<usize, Unfinished> {
        if self.crew.census.read().is_closed() {
            self.may_reopen()?;
        }
        let cancelled = self.cancel_all();
        self.forget_failures();
        self.reopen(deadline)?;
        Ok(cancelled)
    }

    /// A user's last handle is gone. A worker of the pool itself cannot wait for its own end, nor can whoever drops the
    /// handle with a job that is cancelled: they leave that to the last worker.
    pub(crate) fn wind_up(self: &Arc<Self>) {
        if self.is_abandoned() {
            return;
        }
        match self.drain(Deadline::NEVER) {
            Ok(()) => {}
            // Nobody puts this pool in order any more: it stays in memory.
            Err(Unfinished::Forked | Unfinished::Exiting) => std::mem::forget(Arc::clone(self)),
            Err(_) => {
                self.close();
            }
        }
    }

    /// Whether outsiders are refused.
    pub(crate) fn is_closed(&self) -> bool {
        self.crew.census.read().is_closed()
    }

    /// Nobody waits for this pool's end any more, not even whoever drops its last handle.
    pub(crate) fn abandon(&self) {
        self.ending.abandoned.store(true, Ordering::Relaxed);
        if self.may_wait() != Err(Unfinished::Forked) {
            self.close();
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.ending.abandoned.load(Ordering::Relaxed)
    }

    /// A hook has failed. What is queued is cancelled, and nobody submits any more, the pool's own jobs included.
    pub(super) fn break_down(&self, cause: HookError) {
        if self.is_forked() {
            return; // The pool is the parent's.
        }
        self.log(&format!("the pool is broken: {cause}"));
        let _ = self.ending.broken.set(cause); // The first cause is kept.
        self.close_by(|| self.crew.census.close_broken(), &mut |_| ());
        self.cancel_all();
    }

    /// Those who wait for room look again, and see that the pool is closed.
    fn wake_submitters(&self) {
        if let Some(bound) = &self.bound {
            bound.notify_all();
        }
    }

    /// Why the pool accepts no job from the calling thread, if it does not.
    #[inline]
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        if self.crew.census.read().is_closed() { self.refusal_when_closed() } else { None }
    }

    /// Close, step V3: a closed pool admits its own jobs only, which may still need others to come to their end.
    #[cold]
    pub(super) fn refusal_when_closed(&self) -> Option<Refusal> {
        let now = self.crew.census.read();
        fence(Ordering::Acquire); // The cause was set before the census said "broken".
        if now.is_forked() {
            return Some(Refusal::Forked);
        }
        if now.is_broken()
            && let Some(cause) = self.ending.broken.get()
        {
            return Some(Refusal::Broken(cause.clone()));
        }
        let own_job = || current::with(|worker| worker.core().number == self.number && worker.is_at_work());
        if now.is_halted() || own_job() != Some(true) { Some(Refusal::Closed) } else { None }
    }

    /// The process exits: no further job begins, no thread is waited for.
    pub(super) fn halt(&self) {
        self.crew.census.halt();
        self.front.halt();
        self.left.notify();
        self.maybe_quiet();
    }

    /// This process is the child of a fork, and the pool's workers are not in it.
    pub(super) fn orphan(&self) {
        self.crew.census.orphan();
        self.front.halt();
    }

    /// Whether no further job begins in this process.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_halted() || self.is_forked()
    }

    pub(super) fn is_halted(&self) -> bool {
        self.crew.census.read().is_halted()
    }

    /// Whether this process has none of the pool's workers, nor whoever holds one of its locks.
    pub(super) fn is_forked(&self) -> bool {
        self.crew.census.read().is_forked()
    }

    /// Whether a worker may leave: no outsider can bring work any more, and nothing is queued or running.
    pub(super) fn is_over(&self) -> bool {
        if !self.crew.census.read().is_sealed() {
            return false;
        }
        fence(Ordering::Acquire); // Close, C4: what the last visits brought is seen as submitted.
        self.is_quiescent()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        process_pools::leave(self);
        // Workers leave a pool only when all is done, so this finds nothing unless no worker ever came to live.
        self.cancel_all();
        self.orphans.reap();
        self.close_slot_blocks();
        super::unwind::dispose(std::mem::take(&mut self.settings.hooks));
        super::unwind::dispose(self.bound.take()); // With the callback for water marks.
    }
}
