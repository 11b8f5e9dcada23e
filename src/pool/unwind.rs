//! The only place where panics of users' code are caught.

use crate::sys::lock::Lock;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panicking job threw.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `code`; a panic becomes an error. Nothing of ours is broken by it: jobs own what they touch.
#[inline]
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(code))
}

/// Drops something of a user's; a panic on the way is swallowed, and what a panicking payload throws is leaked.
pub(crate) fn dispose<T>(value: T) {
    if let Err(payload) = catch(|| drop(value))
        && let Err(second) = catch(|| drop(payload))
    {
        std::mem::forget(second);
    }
}

/// Keeps what was thrown, if it is the first.
pub(super) fn keep_first(place: &Lock<Option<Payload>>, thrown: Payload) {
    let mut first = place.lock();
    if first.is_none() {
        *first = Some(thrown);
    } else {
        drop(first);
        dispose(thrown);
    }
}

/// What `panic!` was given, where that was text.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(a value that is not text)")
}

/// Runs code of ours. A panic in it is a bug that would lose jobs: the process ends.
pub(super) fn abort_on_panic(code: impl FnOnce()) {
    if let Err(payload) = catch(code) {
        std::mem::forget(payload); // It might panic in its turn.
        std::process::abort();
    }
}
