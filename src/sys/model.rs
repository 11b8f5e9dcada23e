//! How a model is run.

/// Runs `model` in every interleaving with at most `preemptions` switches away from a thread that could go on; without
/// a bound, in every one there is. `LOOM_MAX_PREEMPTIONS` in the environment is another bound.
pub(crate) fn check(preemptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions.into());
    builder.max_branches = 20_000;
    builder.check(model);
}
