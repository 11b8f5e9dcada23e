//! Models of a value on its way to one reader.

use crate::queue::{After, Arrivals, Reader, Writer, pair};
use crate::sync::Deadline;
use crate::sys::model::{check, spawn};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts its drop, and must be dropped once.
struct Value(Arc<AtomicUsize>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Sides = (Writer<Value, Value>, Reader<Value, Value>);

fn sides() -> (Sides, Arc<AtomicUsize>) {
    let drops = Arc::new(AtomicUsize::new(0));
    (pair(Value(Arc::clone(&drops))), drops)
}

/// What a pool does with a writer: writes, and notifies the watchers.
fn write(writer: Writer<Value, Value>, value: Value) {
    let Some(written) = writer.write(value, |before, value| before(value)) else { return };
    written.after.into_iter().for_each(After::tell);
    drop(written.unread);
}

/// Race: the reader begins to sleep while the value comes.
#[test]
fn a_slots_reader_is_woken_and_sees_the_value() {
    check(None, || {
        let ((writer, reader), drops) = sides();
        let value = Value(Arc::clone(&drops));
        let thread = thread::spawn(move || write(writer, value));
        assert!(reader.wait(Deadline::NEVER));
        drop(reader.take(|value| value).expect("it was written"));
        thread.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

/// Race: two threads do so, by the same reader.
#[test]
fn a_slots_reader_is_woken_on_every_thread() {
    check(2, || {
        let ((writer, reader), drops) = sides();
        let value = Value(Arc::clone(&drops));
        let reader = Arc::new(reader);
        let wait = |reader: &Reader<Value, Value>| assert!(reader.wait(Deadline::NEVER));
        let other = spawn(&reader, wait);
        let thread = thread::spawn(move || write(writer, value));
        wait(&reader);
        other.join().unwrap();
        thread.join().unwrap();
        let reader = Arc::into_inner(reader).expect("the others have ended");
        drop(reader.take(|value| value).expect("it was written"));
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

/// Race: the same, with a watcher to notify, too.
#[test]
fn a_slots_sleeping_reader_is_woken_beside_a_watcher() {
    check(None, || {
        let ((writer, reader), drops) = sides();
        let value = Value(Arc::clone(&drops));
        let thread = thread::spawn(move || write(writer, value));
        let arrivals = Arc::new(Arrivals::new());
        let told = reader.watch(After::Arrive(Arc::clone(&arrivals), 7)).is_ok();
        assert!(reader.wait(Deadline::NEVER));
        drop(reader.take(|value| value).expect("it was written"));
        thread.join().unwrap();
        assert_eq!((arrivals.pop().is_some(), drops.load(Ordering::Relaxed)), (told, 2));
    });
}

/// Race: both sides are dropped, and one of them frees the slot.
#[test]
fn a_slot_is_freed_once() {
    check(None, || {
        for watched in [false, true] {
            let ((writer, reader), drops) = sides();
            if watched {
                let arrivals = Arc::new(Arrivals::new());
                assert!(reader.watch(After::Arrive(arrivals, 1)).is_ok());
            }
            let value = Value(Arc::clone(&drops));
            let thread = thread::spawn(move || write(writer, value));
            drop(reader);
            thread.join().unwrap();
            assert_eq!(drops.load(Ordering::Relaxed), 2);
        }
    });
}

/// Race: the writer is dropped while the reader begins to sleep.
#[test]
fn a_slots_reader_is_not_left_waiting_by_a_writer_that_goes() {
    check(None, || {
        let ((writer, reader), drops) = sides();
        let thread = thread::spawn(move || drop(writer));
        assert!(reader.wait(Deadline::NEVER));
        assert!(reader.take(|value| value).is_none());
        thread.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

/// Race: a watcher is added while the value is written. It is notified once, by the writer or by the return value.
#[test]
fn a_slots_watchers_are_told_once() {
    check(None, || {
        let ((writer, reader), drops) = sides();
        let value = Value(Arc::clone(&drops));
        let thread = thread::spawn(move || write(writer, value));
        let arrivals = Arc::new(Arrivals::new());
        if reader.watch(After::Arrive(Arc::clone(&arrivals), 7)).is_err() {
            arrivals.push(7);
        }
        let called = Arc::new(AtomicUsize::new(0));
        let calls = Arc::clone(&called);
        let before = Box::new(move |_: &Value| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        if let Err(before) = reader.watch_before(before) {
            before(reader.get().expect("told that it is there"));
        }
        assert_eq!(arrivals.next(Deadline::NEVER), Some(7));
        assert_eq!(called.load(Ordering::Relaxed), 1);
        drop(reader.take(|value| value).expect("it has arrived"));
        thread.join().unwrap();
        assert_eq!((arrivals.pop(), drops.load(Ordering::Relaxed)), (None, 2));
    });
}

/// Race: a watcher is removed while the value is written: either it is notified, or it was removed.
#[test]
fn a_slots_watcher_is_told_or_taken_back() {
    check(None, || {
        let ((writer, reader), drops) = sides();
        let arrivals = Arc::new(Arrivals::new());
        let Ok(key) = reader.watch(After::Arrive(Arc::clone(&arrivals), 7)) else { panic!("nothing was written") };
        let value = Value(drops);
        let thread = thread::spawn(move || write(writer, value));
        let taken_back = reader.unwatch(key);
        thread.join().unwrap();
        assert_eq!(arrivals.pop().is_none(), taken_back);
    });
}
