//! What a thread does before it sleeps until others have done something for it.

pub(crate) use super::spin::note_wake_up;
use super::spin::{Awaited, Spin};
use super::{Deadline, WaitGroup};
use crate::sys::hint;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::time::{Duration, Instant};

per_thread! {
    /// Waits that are left until this thread lets others have its core again.
    KEEPS: Cell<u32> = Cell::new(0)
}

per_thread! {
    /// How often in turn nothing had come when others had had the core; and then, how many waits have passed without.
    VAIN: Cell<(u32, u32)> = Cell::new((0, 0))
}

per_thread! {
    /// When this thread was woken from its last sleep, unless it has waited since.
    WOKEN: Cell<Option<Instant>> = Cell::new(None)
}

/// Others who have had the core for so long were strangers, or those whom this thread waits for had much to do.
const LONG: Duration = Duration::from_micros(500);
/// Which of the two, the number of things tells that have come: no more than so much time for each is well spent.
const EACH: Duration = Duration::from_micros(2);
/// A stranger's time slice takes as long as some hundred sleeps. It is risked once in so many waits.
const ONCE_IN_DANGER: u32 = 1024;
/// So often in turn nothing has come: those who are waited for do not need this core.
const FAILURES: u32 = 8;
/// Then it is tried once in so many waits.
const ONCE_IN_VAIN: u32 = 32;

/// Who comes for the next thing so soon after it was woken for the last one had better stay awake this time.
const SOON: Duration = Duration::from_micros(50);

/// A wait, first awake and then asleep. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Wait {
    sleeps: bool,
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.sleeps {
            let _ = WOKEN.try_with(|woken| woken.set(Some(Instant::now())));
        }
    }
}

/// Returns when `ready` says so, or when it is time to sleep: it waits awake for as long as that was worth it lately,
/// and then gives way. `come` says how many of the things that the thread waits for have ever come. Reasons:
/// `README.md`, "Awake".
pub(crate) fn wait(deadline: Deadline, ready: impl Fn() -> bool, come: impl Fn() -> u64) -> Wait {
    if !hint::MAY_WAIT_AWAKE || ready() || deadline.has_passed() {
        return Wait { sleeps: false };
    }
    let awake = patience().is_some_and(|patience| spin(patience, &ready) || gives_way(&ready, come));
    Wait { sleeps: !awake }
}

/// Returns when all of the group is done.
pub(crate) fn wait_for_all(group: &WaitGroup) {
    let left = || u64::from(group.count());
    let _wait = wait(Deadline::NEVER, || left() == 0, || u64::MAX - left());
    group.wait();
}

/// Looks for something to do, for as long as that was worth it lately, and once more when others have had the core, who
/// may bring something; what `ready` said at last. `come` says how many have ever come.
pub(crate) fn look_on(ready: impl Fn() -> bool, come: impl Fn() -> u64) -> bool {
    hint::MAY_WAIT_AWAKE
        && (spin(Spin::long(Awaited::Arrival), &ready) || {
            give_way(come);
            ready()
        })
}

/// Whether what is waited for has come meanwhile.
fn spin(mut spin: Spin, ready: impl Fn() -> bool) -> bool {
    while spin.again() {
        if ready() {
            spin.succeeded();
            return true;
        }
    }
    false
}

/// How long this thread spins for a completion. `None` in a lull: whoever it waits for sleeps, too, and may be woken on
/// this core.
fn patience() -> Option<Spin> {
    match WOKEN.try_with(Cell::take).unwrap_or_default() {
        Some(woken) if woken.elapsed() >= SOON => None,
        Some(_) => Some(Spin::long(Awaited::Completion)),
        None => Some(Spin::new(Awaited::Completion)),
    }
}

/// As [`give_way`], if that was worth it lately. Whether what is waited for has come meanwhile.
fn gives_way(ready: impl Fn() -> bool, come: impl Fn() -> u64) -> bool {
    let (vain, passed) = VAIN.try_with(Cell::get).unwrap_or_default();
    if vain == FAILURES && passed < ONCE_IN_VAIN {
        remember(vain, passed + 1);
        return false;
    }
    give_way(come);
    let ready = ready();
    remember(if ready { 0 } else { FAILURES.min(vain + 1) }, 0);
    ready
}

fn remember(vain: u32, passed: u32) {
    let _ = VAIN.try_with(|place| place.set((vain, passed)));
}

/// Lets others have the core once: those who are waited for may be among them.
pub(crate) fn give_way(come: impl Fn() -> u64) {
    if !hint::MAY_WAIT_AWAKE {
        return;
    }
    let keeps = KEEPS.try_with(|keeps| keeps.replace(keeps.get().saturating_sub(1))).unwrap_or(1);
    if keeps > 0 {
        return;
    }
    let (before, began) = (come(), Instant::now());
    hint::yield_now();
    let took = began.elapsed();
    if took >= LONG && took / u32::try_from(come().saturating_sub(before)).unwrap_or(u32::MAX).max(1) > EACH {
        let _ = KEEPS.try_with(|keeps| keeps.set(ONCE_IN_DANGER));
    }
}
