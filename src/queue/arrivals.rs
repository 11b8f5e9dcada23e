//! Numbers of things that have arrived, in the order of their arrival.

use crate::sync::{Deadline, EventCount, awake};
use crate::sys::atomic::{AtomicU64, Ordering};
use crate::sys::lock::ForkedLock;
use std::collections::VecDeque;

/// Many threads push, one waits. The event count wakes it, and the lock orders everything.
#[derive(Debug)]
pub(crate) struct Arrivals {
    numbers: ForkedLock<VecDeque<usize>>,
    /// How many have ever arrived. A hint for a thread that waits awake.
    arrived: AtomicU64,
    event: EventCount,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        Self { numbers: ForkedLock::new(VecDeque::new()), arrived: AtomicU64::new(0), event: EventCount::new() }
    }

    pub(crate) fn push(&self, number: usize) {
        let Some(mut numbers) = self.numbers.lock() else {
            return; // In the child of a fork, where nobody waits for it.
        };
        numbers.push_back(number);
        drop(numbers);
        self.arrived.fetch_add(1, Ordering::Relaxed);
        self.event.notify();
    }

    pub(crate) fn pop(&self) -> Option<usize> {
        self.numbers.lock()?.pop_front()
    }

    /// Waits until there is one.
    pub(crate) fn wait(&self) {
        self.wait_until(Deadline::NEVER, || self.numbers.lock().filter(|numbers| !numbers.is_empty()).map(drop));
    }

    /// Waits for the next number; `None` if the deadline comes first.
    pub(crate) fn next(&self, deadline: Deadline) -> Option<usize> {
        self.wait_until(deadline, || self.pop())
    }

    fn wait_until<R>(&self, deadline: Deadline, condition: impl Fn() -> Option<R>) -> Option<R> {
        let arrived = || self.arrived.load(Ordering::Relaxed);
        let before = arrived();
        condition().or_else(|| {
            let _wait = awake::wait(deadline, || arrived() != before, arrived);
            self.event.wait_until(deadline, condition)
        })
    }
}
