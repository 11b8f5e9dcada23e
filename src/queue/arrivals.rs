//! Numbers of things that have arrived, in the order of their arrival.

use crate::sync::{Deadline, EventCount};
use crate::sys::lock::Lock;
use std::collections::VecDeque;

/// Many tell, one listens. The event count brings the numbers' waiter back, the lock orders everything.
#[derive(Debug)]
pub(crate) struct Arrivals {
    numbers: Lock<VecDeque<usize>>,
    event: EventCount,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        Self { numbers: Lock::new(VecDeque::new()), event: EventCount::new() }
    }

    pub(crate) fn push(&self, number: usize) {
        self.numbers.lock().push_back(number);
        self.event.notify();
    }

    pub(crate) fn pop(&self) -> Option<usize> {
        self.numbers.lock().pop_front()
    }

    /// Waits until there is one.
    pub(crate) fn wait(&self) {
        self.event.wait_until(Deadline::NEVER, || (!self.numbers.lock().is_empty()).then_some(()));
    }

    /// Waits for the next number; `None` if the deadline comes first.
    pub(crate) fn next(&self, deadline: Deadline) -> Option<usize> {
        self.event.wait_until(deadline, || self.pop())
    }
}
