//! Closing a pool, waiting for its end, and reopening it. Protocol and proof: `README.md`, "Close" and "Reopen".

use super::core::Core;
use super::current;
use super::hire::RETRY_AFTER;
use super::hooks::HookError;
use super::process_pools;
use super::submit::Refusal;
use crate::sync::Deadline;
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::sys::fence;
use crate::sys::join::join;
use crate::sys::lock::Lock;
use crate::sys::reserve;
use crate::sys::thread::JoinHandle;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long a thread that waits for a pool's end tries to start a worker for queued jobs.
const START_RETRIES: Duration = Duration::from_secs(1);

/// Why a wait for jobs, or for the end of a pool, failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The deadline passed first. The jobs, or the shutdown, go on; wait again.
    #[error("the deadline passed first; what was waited for goes on")]
    TimedOut,
    /// The wait would never end: the caller is a job that waits for its own pool, or for a job that waits for it. Or it
    /// is a callback or destructor of a job that is cancelled or expires, and waits for all jobs of the pool. Wait
    /// outside the pool's jobs.
    #[error("a job cannot wait for its own end: for its pool, or for a job that waits for it; wait from outside")]
    Deadlock,
    /// A hook of the pool has failed, so it cannot be opened again. [`Pool::check`](crate::Pool::check) tells which.
    #[error("a hook of the pool failed, so it cannot be opened again; make a new pool")]
    Broken,
    /// The pool cannot be shut down or reopened by the caller: it is the [global](crate::Pool::global) one, it was
    /// [abandoned](crate::Pool::abandon), or its last handle was dropped.
    #[error("this pool cannot be ended or reopened by the caller")]
    Refused,
    /// This process was forked, and the pool's threads exist only in its parent. Make a new pool.
    #[error("the pool's threads stayed in the parent process; make a new pool")]
    Forked,
    /// The process is exiting: jobs that have not started never will, and waits end.
    #[error("the process is exiting; jobs that have not started never will")]
    Exiting,
}

/// The state of closing and reopening, beyond the bits of the census.
#[derive(Debug, Default)]
pub(super) struct CloseState {
    /// Held while the pool is closed or reopened. To its holder the census is closed and sealed, or neither.
    transition: Lock<()>,
    /// How often the pool was reopened. Changed under `transition`.
    life: AtomicU64,
    /// No thread waits for the pool's end.
    abandoned: AtomicBool,
    /// The first failure of a hook. Set before the census is broken.
    broken: OnceLock<HookError>,
}

impl Core {
    /// Closes the pool: only its own jobs may submit, and workers leave when it is quiescent. Returns the life that
    /// ends.
    pub(crate) fn close(&self) -> u64 {
        self.close_by(|| self.crew.census.close(), &mut |_| ())
    }

    /// The same; sets the census by `close`, and reports each timer that is cancelled.
    fn close_by(&self, close: impl FnOnce(), cancelled: &mut dyn FnMut(u64)) -> u64 {
        let transition = self.close_state.transition.lock(); // L1
        close(); // C1
        fence::heavy(); // C2
        self.wake_submitters();
        self.lanes.wait_for_visits(); // C3
        self.crew.census.seal(); // C4
        self.quotas.lift();
        let life = self.close_state.life.load(Ordering::Relaxed);
        drop(transition);
        self.crew.wake_all();
        self.close_timers(cancelled);
        life
    }

    /// Whether the calling thread may wait for the pool's workers.
    pub(crate) fn may_wait(&self) -> Result<(), WaitError> {
        let now = self.crew.census.read();
        if now.is_forked() {
            Err(WaitError::Forked)
        } else if now.is_halted() {
            Err(WaitError::Exiting)
        } else if self.is_current() {
            Err(WaitError::Deadlock)
        } else {
            Ok(())
        }
    }

    /// Whether the calling thread may wait until all jobs of the pool have ended.
    pub(super) fn may_wait_for_all(&self) -> Result<(), WaitError> {
        self.may_wait()?;
        if self.is_ending_job() { Err(WaitError::Deadlock) } else { Ok(()) }
    }

    /// Closes the pool, and waits until every accepted job and every worker has ended.
    pub(crate) fn drain(self: &Arc<Self>, deadline: Deadline) -> Result<(), WaitError> {
        self.may_wait_for_all()?;
        let life = self.close();
        self.await_end(life, deadline)
    }

    /// Closes the pool also for its own jobs, and cancels what is queued; reports each job and timer that it cancels.
    pub(crate) fn close_and_cancel(&self, cancelled: &mut dyn FnMut(u64)) -> Result<(), WaitError> {
        self.may_wait_for_all()?;
        self.close_by(|| self.crew.census.close_cancelling(), cancelled);
        self.cancel_each(cancelled);
        Ok(())
    }

    /// Waits until every worker of a closed life has ended.
    fn await_end(self: &Arc<Self>, life: u64, deadline: Deadline) -> Result<(), WaitError> {
        self.rescue_stranded(deadline);
        let verdict = || match self.alive() {
            _ if self.crew.census.read().is_halted() => Some(Err(WaitError::Exiting)),
            _ if self.close_state.life.load(Ordering::Acquire) != life => Some(Ok(())), // L4
            // Between D3 and D5 no worker may be alive although there is a job. The sleeper must have ended: it would
            // find a reopened pool open, stay, and be joined only at the end of the next life.
            0 if self.is_quiescent() && (current::belongs_to(self) || !self.has_sleeper()) => Some(Ok(())),
            _ => None,
        };
        self.left.wait_until(deadline, verdict).unwrap_or(Err(WaitError::TimedOut))?;
        self.join_threads(life, deadline)
    }

    /// Delayed jobs may have been queued while the system refused a thread, and their sleeper, which would retry, ends
    /// when the pool is closed (on a manual clock there is none). This retries for a while, then cancels them, unless
    /// a worker's job blocks.
    fn rescue_stranded(self: &Arc<Self>, deadline: Deadline) {
        let retries_end = Deadline::after(START_RETRIES);
        while self.alive() == 0 && !self.is_quiescent() && self.recruit().is_err() {
            if retries_end.has_passed() {
                if self.crew.threads() == 0 {
                    self.cancel_all();
                }
                return;
            }
            if deadline.has_passed() {
                return;
            }
            self.left.wait_until(deadline.min(Deadline::after(RETRY_AFTER)), || self.is_quiescent().then_some(()));
        }
    }

    fn join_threads(&self, life: u64, deadline: Deadline) -> Result<(), WaitError> {
        if current::belongs_to(self) {
            return Ok(()); // A thread of the pool: its joiner waits for it.
        }
        let next = || self.next_to_join(life);
        while let Some(thread) = self.left.wait_until(deadline, next).ok_or(WaitError::TimedOut)? {
            let late = join(thread, || deadline.remaining());
            let verdict = if late.is_some() { Err(WaitError::TimedOut) } else { Ok(()) };
            self.threads.joined(late);
            self.left.notify();
            verdict?;
        }
        Ok(())
    }

    fn next_to_join(&self, life: u64) -> Option<Option<JoinHandle<()>>> {
        let _transition = self.close_state.transition.lock();
        // If the pool was reopened, its old threads were joined, and the current ones belong to the new life.
        let is_over = self.close_state.life.load(Ordering::Relaxed) != life;
        if is_over { Some(None) } else { self.threads.next() }
    }

    /// Waits for the end of a pool that was closed and opens it again. An open pool stays as it is.
    pub(crate) fn reopen(self: &Arc<Self>, deadline: Deadline) -> Result<(), WaitError> {
        if self.is_forked() {
            return Err(WaitError::Forked);
        }
        let life = {
            let _transition = self.close_state.transition.lock();
            if !self.crew.census.read().is_closed() {
                return Ok(());
            }
            self.close_state.life.load(Ordering::Relaxed)
        };
        self.may_reopen()?;
        self.await_end(life, deadline)?;
        self.close_timers(&mut |_| ()); // The closer may not have done so yet.
        let _transition = self.close_state.transition.lock();
        if self.close_state.life.load(Ordering::Relaxed) != life {
            return Ok(()); // Another thread has reopened it.
        }
        self.may_reopen()?; // A stop hook may have failed, or the last handle been dropped.
        self.quotas.impose();
        self.crew.census.open(); // L2
        self.close_state.life.store(life + 1, Ordering::Release); // L3
        Ok(())
    }

    fn may_reopen(&self) -> Result<(), WaitError> {
        self.may_wait_for_all()?;
        if self.crew.census.read().is_broken() {
            Err(WaitError::Broken)
        } else if self.is_abandoned() || self.is_without_handles() {
            Err(WaitError::Refused)
        } else {
            Ok(())
        }
    }

    /// Cancels what is queued, resets the count of failures, and reopens the pool if it was closed; returns how many
    /// jobs it cancelled.
    pub(crate) fn clear(self: &Arc<Self>, deadline: Deadline) -> Result<usize, WaitError> {
        if self.crew.census.read().is_closed() {
            self.may_reopen()?;
        }
        let cancelled = self.cancel_all();
        self.forget_failures();
        self.reopen(deadline)?;
        Ok(cancelled)
    }

    /// Called when the last handle is dropped: closes the pool and waits for its end. In a job of the pool, or in the
    /// drop of a cancelled one, it does not wait: the last worker to leave frees the pool.
    pub(crate) fn end_without_handles(self: &Arc<Self>) {
        if self.is_abandoned() {
            return;
        }
        match self.drain(Deadline::NEVER) {
            Ok(()) => {}
            // No thread will finish this pool: leak it.
            Err(WaitError::Forked | WaitError::Exiting) => std::mem::forget(Arc::clone(self)),
            Err(_) => {
                self.close();
            }
        }
    }

    /// Whether outsiders are refused.
    pub(crate) fn is_closed(&self) -> bool {
        self.crew.census.read().is_closed()
    }

    /// Closes the pool. No thread will wait for its end, not even when the last handle is dropped.
    pub(crate) fn abandon(&self) {
        self.close_state.abandoned.store(true, Ordering::Relaxed);
        if !self.is_forked() {
            self.close();
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.close_state.abandoned.load(Ordering::Relaxed)
    }

    /// A hook has failed: closes the pool also for its own jobs, and cancels what is queued.
    pub(super) fn break_pool(&self, cause: HookError) {
        if self.is_forked() {
            return; // The pool is the parent's.
        }
        self.log(&format!("the pool is broken: {cause}"));
        let _ = self.close_state.broken.set(cause); // Keeps the first cause.
        self.close_by(|| self.crew.census.close_broken(), &mut |_| ());
        self.cancel_all();
    }

    /// Submitters that wait for room check again, and find the pool closed.
    fn wake_submitters(&self) {
        if let Some(bound) = &self.bound {
            bound.notify_all();
        }
    }

    /// Why the pool accepts no jobs from the calling thread, if so.
    #[inline]
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        if self.crew.census.read().is_closed() { self.refusal_when_closed() } else { None }
    }

    /// Close, step V3: a closed pool admits only its own jobs, which may need others to finish, and also those only if
    /// it runs what is queued.
    #[cold]
    pub(super) fn refusal_when_closed(&self) -> Option<Refusal> {
        let now = self.crew.census.read();
        fence(Ordering::Acquire); // Pairs with the census: the cause was set before BROKEN.
        if now.is_forked() {
            return Some(Refusal::Forked);
        }
        if now.is_broken()
            && let Some(cause) = self.close_state.broken.get()
        {
            return Some(Refusal::Broken(cause.clone()));
        }
        let own_job = || current::with(|worker| worker.core().number == self.number && worker.runs_job_code());
        let refuses_all = now.is_halted() || now.is_cancelling();
        if refuses_all || own_job() != Some(true) { Some(Refusal::Closed) } else { None }
    }

    /// The process exits: no job begins any more, and no thread is waited for.
    pub(super) fn halt(&self) {
        self.crew.census.halt();
        self.front.halt();
        self.left.notify();
        self.notify_quiet();
    }

    /// This process is a forked child, without the pool's workers.
    pub(super) fn mark_forked(&self) {
        self.crew.census.mark_forked();
        self.front.halt();
    }

    /// Whether no job begins in this process any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_halted() || self.is_forked()
    }

    pub(super) fn is_halted(&self) -> bool {
        self.crew.census.read().is_halted()
    }

    /// Whether this process is a forked child: it has neither the pool's workers nor the holders of its locks.
    pub(crate) fn is_forked(&self) -> bool {
        self.crew.census.read().is_forked()
    }

    /// Whether the pool has ended, so that workers leave: it is sealed and quiescent.
    pub(super) fn is_over(&self) -> bool {
        if !self.crew.census.read().is_sealed() {
            return false;
        }
        fence(Ordering::Acquire); // Close, C4: jobs of the last visits are observed as submitted.
        self.is_quiescent()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        process_pools::unregister(self);
        // Workers leave a pool only when it has ended, so this cancels nothing unless no worker was ever started.
        self.cancel_all();
        self.orphans.reap();
        self.close_slot_blocks();
        super::unwind::dispose(std::mem::take(&mut self.settings.hooks));
        reserve::trim();
        super::unwind::dispose(self.bound.take()); // Drops the callback for water marks.
    }
}
