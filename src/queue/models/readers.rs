//! Models of the queues that outcomes wait in.

use super::assert_each_once;
use crate::queue::{Nothing, Outcomes, Owner, Quota, Ticket, WriterId};
use crate::sync::Deadline;
use crate::sys::model::{check, spawn};
use loom::thread;
use std::sync::Arc;

type Queues = Arc<Owner<usize, usize>>;

fn queues(writers: usize) -> Queues {
    Arc::new(Owner::new(Outcomes::new(writers, None, None)))
}

/// The models give each number to one thread.
fn writer_id(number: usize) -> WriterId {
    // SAFETY: see above.
    unsafe { WriterId::new(number) }
}

fn writer(ticket: Ticket<usize, usize>, act: impl FnOnce(Ticket<usize, usize>) + 'static) -> thread::JoinHandle<()> {
    thread::spawn(move || act(ticket))
}

/// Reads until there is nothing more to come.
fn read_all(queues: &Owner<usize, usize>) -> Vec<usize> {
    let mut read = Vec::new();
    loop {
        match queues.next(Deadline::NEVER) {
            Ok(Ok(number) | Err(number)) => read.push(number),
            Err(Nothing::Finished) => return read,
            Err(Nothing::TimedOut) => unreachable!("it has no deadline"),
        }
    }
}

/// Race: the reader finds nothing and then learns that everything has ended; what has arrived in between is read.
#[test]
fn finished_means_that_all_was_read() {
    check(2, || {
        let queues = queues(1);
        let done = writer(queues.ticket(), |ticket| ticket.deliver(&writer_id(0), Some(Ok(1))));
        let failed = writer(queues.ticket(), |ticket| ticket.deliver_from_outside(Some(Err(2))));
        assert_each_once(2, [read_all(&queues)]);
        done.join().unwrap();
        failed.join().unwrap();
    });
}

/// Race: two readers wait for one entry; the one that does not get it must learn that nothing more will come.
#[test]
fn a_reader_without_an_entry_does_not_hang() {
    check(2, || {
        let queues = queues(1);
        let writer = writer(queues.ticket(), |ticket| ticket.deliver(&writer_id(0), Some(Ok(1))));
        let reader = spawn(&queues, read_all);
        let read = read_all(&queues);
        assert_each_once(1, [read, reader.join().unwrap()]);
        writer.join().unwrap();
    });
}

/// Race: a reader sums the counts while a delivery ends whose maker got another ticket before.
#[test]
fn what_was_announced_before_a_delivery_is_waited_for() {
    check(3, || {
        let queues = queues(2);
        let ticket = queues.ticket();
        let submitter = Arc::clone(&queues);
        let writer = writer(ticket, move |ticket| {
            let second = submitter.ticket();
            drop(submitter);
            ticket.deliver(&writer_id(0), Some(Ok(1)));
            second.deliver(&writer_id(1), Some(Ok(2)));
        });
        assert_each_once(2, [read_all(&queues)]);
        writer.join().unwrap();
    });
}

/// Race: the reader waits for a delivery whose maker gives up.
#[test]
fn a_ticket_dropped_is_not_waited_for() {
    check(None, || {
        let queues = queues(1);
        let writer = writer(queues.ticket(), drop);
        assert_each_once(0, [read_all(&queues)]);
        writer.join().unwrap();
    });
}

/// Race: a writer proceeds from chunk to chunk while the reader empties them and returns them.
#[test]
fn chunks_go_round() {
    check(2, || {
        let queues = queues(1);
        let writer = writer(queues.ticket(), |ticket| {
            let writer_id = writer_id(0);
            (1..=4).for_each(|number| ticket.emit(&writer_id, number));
            ticket.deliver(&writer_id, Some(Ok(5)));
        });
        assert_eq!(read_all(&queues), [1, 2, 3, 4, 5]);
        writer.join().unwrap();
    });
}

/// Race: a reader takes runs of entries while the writer continues, and returns an emptied chunk.
#[test]
fn runs_are_taken_while_their_writer_goes_on() {
    check(2, || {
        let queues = queues(1);
        let writer = writer(queues.ticket(), |ticket| {
            let writer_id = writer_id(0);
            (1..=3).for_each(|number| ticket.emit(&writer_id, number));
            ticket.deliver(&writer_id, Some(Err(4)));
        });
        let mut read = Vec::new();
        while queues.take(3, |entry| read.push(entry.unwrap_or_else(|failed| failed))) > 0 {}
        assert_each_once(4, [read, read_all(&queues)]);
        writer.join().unwrap();
    });
}

/// Race: the owner checks whether it may free the queues while the last delivery is made; an access by the writer
/// afterwards would be noticed by the model checker.
#[test]
fn queues_are_freed_after_the_last_touch() {
    check(3, || {
        let queues = Owner::new(Outcomes::new(1, None, None));
        let outsider = writer(queues.ticket(), |ticket| ticket.deliver_from_outside(Some(Err(2))));
        let writer = writer(queues.ticket(), |ticket| ticket.deliver(&writer_id(0), Some(Ok(1))));
        while !queues.is_settled() {
            thread::yield_now();
        }
        drop(queues);
        writer.join().unwrap();
        outsider.join().unwrap();
    });
}

/// Race: a writer finds no room and goes to sleep while the reader makes room.
#[test]
fn a_writer_without_room_is_woken() {
    check(2, || {
        let quota = Arc::new(Quota::new(1));
        let queues: Queues = Arc::new(Owner::new(Outcomes::new(1, Some(quota), None)));
        let writer = writer(queues.ticket(), |ticket| {
            let writer_id = writer_id(0);
            ticket.reserve(&writer_id);
            ticket.emit(&writer_id, 1);
            ticket.reserve(&writer_id);
            ticket.deliver(&writer_id, Some(Ok(2)));
        });
        assert_each_once(2, [read_all(&queues)]);
        writer.join().unwrap();
    });
}

/// Race: a writer finds no room and goes to sleep while the bound is lifted.
#[test]
fn a_writer_without_room_is_let_go() {
    check(3, || {
        let quota = Arc::new(Quota::new(0));
        let writer = spawn(&quota, Quota::take);
        quota.lift();
        writer.join().unwrap();
    });
}
