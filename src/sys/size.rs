//! Sizes that the model checker needs small.

/// `real`, but `modelled` under the model checker, which explores all interleavings.
pub(crate) const fn real_or_modelled<T: Copy>(real: T, modelled: T) -> T {
    if cfg!(loom) { modelled } else { real }
}
