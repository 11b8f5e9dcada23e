//! The threads that submit. They live as long as the race: a thread that is new to a pool has other costs.

use crate::rival::Rival;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

/// The calling thread and its helpers.
pub struct Producers {
    helpers: Vec<Sender<Order>>,
    began: Receiver<Instant>,
}

struct Order {
    rival: Arc<dyn Rival>,
    indices: Range<usize>,
    gate: Arc<Barrier>,
}

impl Order {
    /// The time of the first submit, when all is submitted.
    fn execute(self) -> Instant {
        self.gate.wait();
        let began = Instant::now();
        self.rival.submit(self.indices);
        began
    }
}

impl Producers {
    /// Starts the helpers; a race with one producer has none.
    pub fn new(most: usize) -> Self {
        let (done, began) = channel();
        let helpers = (1..most).map(|_| start_helper(done.clone())).collect();
        Self { helpers, began }
    }

    /// `producers` threads submit `jobs` jobs in equal parts. Returns the time of the first submit.
    pub fn submit(&self, rival: &Arc<dyn Rival>, producers: usize, jobs: usize) -> Instant {
        let gate = Arc::new(Barrier::new(producers));
        let order = |part: usize| Order {
            rival: Arc::clone(rival),
            indices: jobs * part / producers..jobs * (part + 1) / producers,
            gate: Arc::clone(&gate),
        };
        for part in 1..producers {
            self.helpers[part - 1].send(order(part)).expect("helpers live as long as this");
        }
        let own = order(0).execute();
        let others = (1..producers).map(|_| self.began.recv().expect("helpers live as long as this"));
        others.fold(own, Instant::min)
    }
}

fn start_helper(done: Sender<Instant>) -> Sender<Order> {
    let (sender, orders) = channel::<Order>();
    thread::spawn(move || {
        for order in orders {
            if done.send(order.execute()).is_err() {
                break;
            }
        }
    });
    sender
}
