//! Models of the queues that outcomes wait in.

use super::assert_each_once;
use crate::queue::{Nothing, Outcomes};
use crate::sync::Deadline;
use crate::sys::model::check;
use loom::thread;
use std::sync::Arc;

type Queues = Arc<Outcomes<usize, usize>>;

fn writer(queues: &Queues, act: impl FnOnce(&Queues) + 'static) -> thread::JoinHandle<()> {
    let queues = Arc::clone(queues);
    thread::spawn(move || act(&queues))
}

/// Reads until there is nothing more to come.
fn read_all(queues: &Queues) -> Vec<usize> {
    let mut read = Vec::new();
    loop {
        match queues.next(Deadline::NEVER, |done| done, |failed| failed) {
            Ok(number) => read.push(number),
            Err(Nothing::Finished) => return read,
            Err(Nothing::TimedOut) => unreachable!("never has not come yet"),
        }
    }
}

/// Race: the reader finds nothing and then learns that everything has arrived; what has arrived in between is read.
#[test]
fn finished_means_that_all_was_read() {
    check(2, || {
        let queues = Queues::new(Outcomes::new(1));
        queues.expect(2);
        let done = writer(&queues, |queues| queues.deliver_done(0, 1));
        let failed = writer(&queues, |queues| queues.deliver_failed(queues.outsider(), 2));
        assert_each_once(2, [read_all(&queues)]);
        done.join().unwrap();
        failed.join().unwrap();
    });
}

/// Race: two readers wait for one entry; the one who does not get it must learn that nothing more will come.
#[test]
fn a_reader_without_an_entry_does_not_hang() {
    check(2, || {
        let queues = Queues::new(Outcomes::new(1));
        queues.expect(1);
        let reader = {
            let queues = Arc::clone(&queues);
            thread::spawn(move || read_all(&queues))
        };
        let writer = writer(&queues, |queues| queues.deliver_done(0, 1));
        let read = read_all(&queues);
        assert_each_once(1, [read, reader.join().unwrap()]);
        writer.join().unwrap();
    });
}

/// Race: a reader counts while an entry is delivered whose maker has announced another one before.
#[test]
fn what_was_announced_by_a_delivered_entry_is_waited_for() {
    check(3, || {
        let queues = Queues::new(Outcomes::new(2));
        queues.expect(1);
        let writer = writer(&queues, |queues| {
            queues.expect(1);
            queues.deliver_done(0, 1);
            queues.deliver_done(1, 2);
        });
        assert_each_once(2, [read_all(&queues)]);
        writer.join().unwrap();
    });
}

/// Race: the reader waits for an entry whose announcement is taken back.
#[test]
fn an_announcement_taken_back_is_not_waited_for() {
    check(None, || {
        let queues = Queues::new(Outcomes::new(1));
        queues.expect(1);
        let writer = writer(&queues, |queues| queues.give_up(1));
        assert_each_once(0, [read_all(&queues)]);
        writer.join().unwrap();
    });
}
