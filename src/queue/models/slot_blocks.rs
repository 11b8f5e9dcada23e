//! Models of slots that lie in one allocation. A block has two places here.

use crate::queue::{Reader, SlotBlocks, Writer};
use crate::sys::cell::UnsafeCell;
use crate::sys::model::check;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the slots of a block share: read by all, and dropped once, after the last read.
struct Shared {
    looks: UnsafeCell<()>,
    drops: Arc<AtomicUsize>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.looks.with_mut(|_| self.drops.fetch_add(1, Ordering::Relaxed));
    }
}

struct Producer(SlotBlocks<Shared>, Arc<AtomicUsize>);

impl Producer {
    fn new() -> Self {
        Self(SlotBlocks::new(), Arc::default())
    }

    fn pair(&self) -> (Writer<u32, Shared>, Reader<u32, Shared>) {
        let shared = || Shared { looks: UnsafeCell::new(()), drops: Arc::clone(&self.1) };
        // SAFETY: 1. there is one producer.
        unsafe { self.0.pair(shared) }
    }
}

fn write(writer: Writer<u32, Shared>, value: u32) {
    let written = writer.write(value, |before, value| before(value));
    assert!(written.is_none_or(|written| written.unread == Some(value)));
}

fn look(reader: &Reader<u32, Shared>) {
    reader.shared().looks.with(|_| ());
}

/// Race: both slots are freed at the same time, one by its writer, the other by its reader. The next slot is in another
/// block.
#[test]
fn a_slot_block_goes_with_the_last_of_its_slots() {
    check(None, || {
        let producer = Producer::new();
        let drops = Arc::clone(&producer.1);
        let ((first, reader), (second, other)) = (producer.pair(), producer.pair());
        write(second, 2);
        let thread = thread::spawn(move || write(first, 1));
        let looker = thread::spawn(move || {
            look(&other);
            assert_eq!(other.take(|value| value), Some(2));
        });
        look(&reader);
        drop(reader);
        thread.join().unwrap();
        looker.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(producer.pair());
        drop(producer);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

/// Race: the producer ends with half a block while the slot that was taken is freed.
#[test]
fn a_slot_block_that_was_not_used_up_goes_when_its_producer_has_gone_too() {
    check(None, || {
        let producer = Producer::new();
        let drops = Arc::clone(&producer.1);
        let (writer, reader) = producer.pair();
        write(writer, 1);
        let thread = thread::spawn(move || {
            look(&reader);
            drop(reader);
        });
        drop(producer);
        thread.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}
