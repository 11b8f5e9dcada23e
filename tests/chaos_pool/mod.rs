//! The pools of `chaos.rs`.

use super::common::{Count, Random};
use super::{Place, Round, moment};
use fastthreadpool::{Builder, ManualClock, Policy, Pool};
use std::sync::Weak;
use std::sync::atomic::Ordering::SeqCst;

/// A hook that sometimes does something, and returns a random number.
pub(crate) fn hook(random: &mut Random, round: &Weak<Round>) -> impl Fn() -> u64 + Send + Sync + use<> {
    let (round, seed, called) = (round.clone(), random.number(), Count::new());
    move || {
        let mut random = Random::new(seed + called.add() as u64);
        round.upgrade().inspect(|round| round.maybe_act(&mut random, Place::Callback, 1));
        random.number()
    }
}

/// A pool with random settings; and whether its policy is one that may cancel accepted jobs.
pub(crate) fn build(random: &mut Random, round: &Weak<Round>, clock: Option<&ManualClock>) -> (Pool, bool) {
    let [start, failed, high, overrun] = [(); 4].map(|()| hook(random, round));
    let (broken, failures, breaks) = (round.clone(), round.clone(), random.below(8) == 0);
    let mut builder = Pool::builder().workers(1 + random.below(4) as i32).extra_workers(random.below(3) as usize);
    builder =
        builder.ordered(random.below(4) == 0).timing(random.below(4) == 0).water_marks(1, 5, move |_, _| _ = high());
    builder = builder.try_on_start(move |_| {
        let fails = start().is_multiple_of(16) && breaks;
        broken.upgrade().inspect(|round| _ = round.has_broken.fetch_or(fails, SeqCst));
        if fails { Err("on purpose") } else { Ok(()) }
    });
    builder = builder.on_failure(move |_, _| _ = (failures.upgrade().map(|round| round.failures.add()), failed()));
    builder = builder.on_overrun(move |job| _ = (job.request_cancel(), overrun()));
    if random.below(4) == 0 {
        builder = builder.idle_timeout(moment(random)).jobs_per_worker(1 + random.below(9));
    }
    builder = clock.into_iter().fold(builder, Builder::clock);
    let policy = match random.below(10) {
        0 => Policy::Block,
        1 => Policy::Timed(moment(random)),
        2 => Policy::Reject,
        3 => Policy::CallerRuns,
        4 => Policy::DiscardOldest,
        5 => Policy::HandOff, // If a shutdown ends it, workers may have begun a part of a batch.
        _ => return (builder.build().unwrap(), false),
    };
    let pool = builder.max_queued(1 + random.below(10) as usize, policy).build().unwrap();
    (pool, matches!(policy, Policy::DiscardOldest | Policy::HandOff))
}
