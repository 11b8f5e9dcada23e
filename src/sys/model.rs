//! How a model is run.

/// Runs `model` in every interleaving with at most `preemptions` switches away from a thread that could go on; without
/// a bound, in every one there is.
pub(crate) fn check(preemptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions.into();
    builder.max_branches = 20_000;
    let n = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let m = n.clone();
    let t = std::time::Instant::now();
    builder.check(move || {
        m.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model()
    });
    eprintln!(
        "@@ {} bound {:?}: {} executions {:?}",
        std::thread::current().name().unwrap_or(""),
        builder.preemption_bound,
        n.load(std::sync::atomic::Ordering::Relaxed),
        t.elapsed()
    );
}
