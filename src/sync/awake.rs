//! What a thread does before it sleeps until jobs have ended. Reasons: `README.md`, "Awake".

pub(crate) use super::spin::note_wake_up;
use super::spin::{self, Awaited, Spin};
use super::{Deadline, WaitGroup};
use crate::sys::hint;
use crate::sys::thread::per_thread;
use crate::sys::wake_cpu::leave_this_cpu;
use std::cell::Cell;
use std::time::{Duration, Instant};

per_thread! {
    /// Until when this thread does not yield its core.
    KEEPS: Cell<Option<Instant>> = Cell::new(None)
}

per_thread! {
    /// How many consecutive times yielding was in vain, and for how many waits since then it was not tried.
    VAIN: Cell<(u32, u32)> = Cell::new((0, 0))
}

per_thread! {
    /// When this thread was woken from its last sleep, unless it has waited since then.
    WOKEN: Cell<Option<Instant>> = Cell::new(None)
}

per_thread! {
    /// How many turns this thread has taken with another one on its core, and after how many it leaves the core.
    LOCKSTEP: Cell<(u32, u32)> = Cell::new((0, TURNS))
}

/// If yielding took so long, unrelated threads had the core, or the awaited ones had much to do.
const LONG: Duration = Duration::from_micros(500);
/// The latter if no more time than this was spent per event.
const PER_EVENT: Duration = Duration::from_micros(2);
/// Otherwise yielding is not risked again for so many times as long, which limits what unrelated threads can cost.
const REST: u32 = 16;
/// Yielding takes no longer than this if no other thread wants the core.
const ALONE: Duration = Duration::from_nanos(1500);
/// After so many consecutive failures the awaited threads do not need this core.
const FAILURES: u32 = 8;
/// Then it is tried once in so many waits.
const TRY_ONCE_IN: u32 = 32;

/// A thread that waits again so soon after it was woken had better stay awake this time.
const SOON: Duration = Duration::from_micros(50);

/// After so many turns in a row, without work that came while it spun, a thread leaves its core.
const TURNS: u32 = 32;
/// After so many at most, where that does not help.
const MAX_TURNS: u32 = 1 << 8;

/// A wait, first awake and then asleep, which ends when this is dropped.
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

/// Returns when `ready` says so, or when it is time to sleep: spins for as long as that paid lately, then yields.
/// `events` is the number of awaited events that have ever happened.
pub(crate) fn wait(deadline: Deadline, ready: impl Fn() -> bool, events: impl Fn() -> u64) -> Wait {
    if !hint::MAY_WAIT_AWAKE || ready() || deadline.has_passed() {
        return Wait { sleeps: false };
    }
    let awake = patience().is_some_and(|patience| spin(patience, &ready) || yield_helps(&ready, events));
    Wait { sleeps: !awake }
}

/// Waits until everything in the group is done.
pub(crate) fn wait_for_all(group: &WaitGroup) {
    let left = || u64::from(group.count());
    let _wait = wait(Deadline::NEVER, || left() == 0, || u64::MAX - left());
    group.wait();
}

/// For a thread without work: spins until `ready` for as long as that paid lately, then yields to threads that may
/// bring some. Returns what `ready` said last. `events` is the number of jobs that were ever submitted.
pub(crate) fn look_on(ready: impl Fn() -> bool, events: impl Fn() -> u64) -> bool {
    if !hint::MAY_WAIT_AWAKE {
        return false;
    }
    stop_taking_turns();
    if spin(Spin::long(Awaited::Arrival), &ready) {
        let _ = LOCKSTEP.try_with(|lockstep| lockstep.set((0, TURNS)));
        return true;
    }
    let took = yield_core(events);
    let ready = ready();
    if ready && took.is_some_and(|took| (ALONE..SOON).contains(&took)) {
        took_turns();
    }
    ready
}

/// Whether `ready` came true.
fn spin(mut spin: Spin, ready: impl Fn() -> bool) -> bool {
    while spin.again() {
        if ready() {
            spin.succeeded();
            return true;
        }
    }
    false
}

/// Another thread had this core while this one did not need it, for a moment only, and brought work.
pub(crate) fn took_turns() {
    let _ = LOCKSTEP.try_with(|lockstep| lockstep.set((lockstep.get().0 + 1, lockstep.get().1)));
}

/// If that is the rule, this thread leaves the core (`README.md`, "Turns on one core").
fn stop_taking_turns() {
    let _ = LOCKSTEP.try_with(|lockstep| {
        let (turns, enough) = lockstep.get();
        if turns >= enough {
            spin::try_again();
            let left = leave_this_cpu();
            lockstep.set((0, if left { (2 * enough).min(MAX_TURNS) } else { enough }));
        }
    });
}

/// How long this thread spins for a completion. `None` in a lull: the thread it waits for sleeps, too, and may be woken
/// on this core.
fn patience() -> Option<Spin> {
    match WOKEN.try_with(Cell::take).unwrap_or_default() {
        Some(woken) if woken.elapsed() >= SOON => None,
        Some(_) => Some(Spin::long(Awaited::Completion)),
        None => Some(Spin::new(Awaited::Completion)),
    }
}

/// As [`give_way`], if that helped lately. Whether `ready` came true meanwhile.
fn yield_helps(ready: impl Fn() -> bool, events: impl Fn() -> u64) -> bool {
    let (vain, passed) = VAIN.try_with(Cell::get).unwrap_or_default();
    if vain == FAILURES && passed < TRY_ONCE_IN {
        remember(vain, passed + 1);
        return false;
    }
    give_way(events);
    let ready = ready();
    remember(if ready { 0 } else { FAILURES.min(vain + 1) }, 0);
    ready
}

fn remember(vain: u32, passed: u32) {
    let _ = VAIN.try_with(|place| place.set((vain, passed)));
}

/// Yields the core once, unless that was too long lately: the awaited threads may need it. Whether others seem to have
/// run meanwhile.
pub(crate) fn give_way(events: impl Fn() -> u64) -> bool {
    hint::MAY_WAIT_AWAKE && yield_core(events).is_some_and(|took| took > ALONE)
}

/// As [`give_way`]; how long that took.
fn yield_core(events: impl Fn() -> u64) -> Option<Duration> {
    let (before, began) = (events(), Instant::now());
    if KEEPS.try_with(Cell::get).map_or(true, |until| until.is_some_and(|until| began < until)) {
        return None;
    }
    hint::yield_now();
    let took = began.elapsed();
    if took >= LONG && took / u32::try_from(events().saturating_sub(before)).unwrap_or(u32::MAX).max(1) > PER_EVENT {
        let _ = KEEPS.try_with(|keeps| keeps.set(Some(began + (REST + 1) * took)));
    }
    Some(took)
}
