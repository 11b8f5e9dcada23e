//! The least that a pool can be: threads that read (function, index) messages from a queue of somebody else's.

use crate::rival::Rival;
use crate::tally::record;
use std::ops::Range;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

type Message = (fn(usize), usize);

fn start(workers: usize, work: impl Fn() + Clone + Send + 'static) -> Vec<JoinHandle<()>> {
    (0..workers).map(|_| thread::spawn(work.clone())).collect()
}

fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        thread.join().expect("a bare worker panicked");
    }
}

/// crossbeam-channel, unbounded unless said otherwise: the baseline.
pub struct Crossbeam {
    sender: Option<crossbeam_channel::Sender<Message>>,
    threads: Vec<JoinHandle<()>>,
}

impl Crossbeam {
    pub fn new(workers: usize) -> Self {
        Self::with(workers, crossbeam_channel::unbounded())
    }

    /// The same with a bound: sending waits for room.
    pub fn bounded(workers: usize, most: usize) -> Self {
        Self::with(workers, crossbeam_channel::bounded(most))
    }

    fn with(
        workers: usize,
        (sender, receiver): (crossbeam_channel::Sender<Message>, crossbeam_channel::Receiver<Message>),
    ) -> Self {
        let work = move || receiver.iter().for_each(|(job, index)| job(index));
        Self { sender: Some(sender), threads: start(workers, work) }
    }
}

impl Rival for Crossbeam {
    fn submit(&self, indices: Range<usize>) {
        let sender = self.sender.clone().expect("there until the drop");
        for index in indices {
            sender.send((record, index)).expect("the workers live");
        }
    }
}

impl Drop for Crossbeam {
    fn drop(&mut self) {
        self.sender = None;
        join(&mut self.threads);
    }
}

/// std's channel, whose only receiver is behind a lock.
pub struct Mpsc {
    sender: Option<mpsc::Sender<Message>>,
    threads: Vec<JoinHandle<()>>,
}

impl Mpsc {
    pub fn new(workers: usize) -> Self {
        let (sender, receiver) = mpsc::channel::<Message>();
        let receiver = Arc::new(Mutex::new(receiver));
        let next = move || receiver.lock().expect("no worker panicked").recv();
        let work = move || {
            while let Ok((job, index)) = next() {
                job(index);
            }
        };
        Self { sender: Some(sender), threads: start(workers, work) }
    }
}

impl Rival for Mpsc {
    fn submit(&self, indices: Range<usize>) {
        let sender = self.sender.clone().expect("there until the drop");
        for index in indices {
            sender.send((record, index)).expect("the workers live");
        }
    }
}

impl Drop for Mpsc {
    fn drop(&mut self) {
        self.sender = None;
        join(&mut self.threads);
    }
}
