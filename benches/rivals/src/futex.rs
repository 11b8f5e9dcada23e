//! The least that waking somebody costs: two threads and two futexes, as one would write it in C.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use std::{ptr, thread};

/// A word that one thread raises and another one waits for.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Word(AtomicU32);

impl Word {
    /// Waits until it is another one.
    fn wait_while(&self, old: u32) -> u32 {
        loop {
            let now = self.0.load(Acquire);
            if now != old {
                return now;
            }
            futex(&self.0, libc::FUTEX_WAIT, old);
        }
    }

    fn raise(&self) {
        self.0.store(self.0.load(Relaxed).wrapping_add(1), Release);
        futex(&self.0, libc::FUTEX_WAKE, 1);
    }
}

fn futex(word: &AtomicU32, operation: i32, value: u32) {
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word outlives the call; without a timeout.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, ptr::null::<libc::timespec>()) };
}

#[derive(Debug, Default)]
struct Words {
    asked: Word,
    answered: Word,
    began: Mutex<Option<Instant>>,
}

/// A thread that sleeps until it is asked, and then says when it woke.
#[derive(Debug)]
pub struct Echo(Arc<Words>);

impl Echo {
    /// It lives to the end of the process.
    pub fn start() -> Self {
        let words = Arc::new(Words::default());
        let own = Arc::clone(&words);
        thread::spawn(move || {
            let mut seen = 0;
            loop {
                seen = own.asked.wait_while(seen);
                *own.began.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                own.answered.raise();
            }
        });
        Self(words)
    }

    /// Asks, waits for the answer, and returns when the other thread woke.
    pub fn trip(&self) -> Instant {
        let before = self.0.answered.0.load(Relaxed);
        self.0.asked.raise();
        self.0.answered.wait_while(before);
        let began = *self.0.began.lock().unwrap_or_else(PoisonError::into_inner);
        began.expect("it has answered")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    #[test]
    fn the_answer_lies_between_the_question_and_the_end() {
        let echo = super::Echo::start();
        for _ in 0..100 {
            let before = Instant::now();
            let woke = echo.trip();
            assert!(before <= woke && woke <= Instant::now());
        }
    }
}
