//! The least that a pool can be: threads that read (function, index) messages from a queue of somebody else's.

use crate::rival::Rival;
use crate::tally::record;
use std::ops::Range;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

type Message = (fn(usize), usize);

/// Threads behind a channel. They end when its last sender is gone.
pub struct Bare<S> {
    send: Option<S>,
    threads: Vec<JoinHandle<()>>,
}

impl<S: Fn(Message) + Clone + Send + Sync + 'static> Bare<S> {
    fn start(workers: usize, send: S, work: impl Fn() + Clone + Send + 'static) -> Self {
        Self { send: Some(send), threads: (0..workers).map(|_| thread::spawn(work.clone())).collect() }
    }
}

impl<S: Fn(Message) + Clone + Send + Sync> Rival for Bare<S> {
    fn submit(&self, indices: Range<usize>) {
        let send = self.send.clone().expect("there until the drop");
        for index in indices {
            send((record, index));
        }
    }
}

impl<S> Drop for Bare<S> {
    fn drop(&mut self) {
        self.send = None;
        for thread in self.threads.drain(..) {
            thread.join().expect("a bare worker panicked");
        }
    }
}

/// crossbeam-channel, unbounded: the baseline.
pub fn crossbeam(workers: usize) -> Bare<impl Fn(Message) + Clone + Send + Sync + 'static> {
    with_crossbeam(workers, crossbeam_channel::unbounded())
}

/// The same with a bound: sending waits for room.
pub fn crossbeam_bounded(workers: usize, most: usize) -> Bare<impl Fn(Message) + Clone + Send + Sync + 'static> {
    with_crossbeam(workers, crossbeam_channel::bounded(most))
}

fn with_crossbeam(
    workers: usize,
    (sender, receiver): (crossbeam_channel::Sender<Message>, crossbeam_channel::Receiver<Message>),
) -> Bare<impl Fn(Message) + Clone + Send + Sync + 'static> {
    let send = move |message| sender.send(message).expect("the workers live");
    Bare::start(workers, send, move || receiver.iter().for_each(|(job, index)| job(index)))
}

/// std's channel, whose only receiver is behind a lock.
pub fn std_mpsc(workers: usize) -> Bare<impl Fn(Message) + Clone + Send + Sync + 'static> {
    let (sender, receiver) = mpsc::channel::<Message>();
    let receiver = Arc::new(Mutex::new(receiver));
    let send = move |message| sender.send(message).expect("the workers live");
    let next = move || receiver.lock().expect("no worker panicked").recv();
    let work = move || {
        while let Ok((job, index)) = next() {
            job(index);
        }
    };
    Bare::start(workers, send, work)
}
