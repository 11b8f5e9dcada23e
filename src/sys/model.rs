//! How a model is run.

use loom::thread::{self, JoinHandle};
use std::sync::Arc;

/// Runs `model` in every interleaving with at most `preemptions` switches away from a thread that could go on; without
/// a bound, in every one there is. `LOOM_MAX_PREEMPTIONS` in the environment is another bound.
pub(crate) fn check(preemptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions.into());
    builder.max_branches = 20_000;
    builder.check(model);
}

/// Starts a thread that runs `body` on what it shares with others.
pub(crate) fn spawn<T: 'static, R: 'static>(shared: &Arc<T>, body: impl FnOnce(&T) -> R + 'static) -> JoinHandle<R> {
    let shared = Arc::clone(shared);
    thread::spawn(move || body(&shared))
}

/// Runs all bodies at the same time, the last on the calling thread, and returns the sum of their results.
pub(crate) fn sum_of_all<T: 'static, const N: usize>(shared: &Arc<T>, bodies: [fn(&T) -> i64; N]) -> i64 {
    let [others @ .., last] = &bodies[..] else { panic!("there are bodies") };
    let threads: Vec<_> = others.iter().map(|&body| spawn(shared, body)).collect();
    let own = last(shared);
    own + threads.into_iter().map(|thread| thread.join().unwrap()).sum::<i64>()
}
