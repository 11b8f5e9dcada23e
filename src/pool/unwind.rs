//! The only place where panics of user code are caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `code`; a panic becomes an error. Unwind safe, because no state of ours is shared with user code.
#[inline]
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(code))
}

/// Drops a user's value and swallows a panic. If dropping the payload panics, too, the second payload is leaked.
pub(crate) fn dispose<T>(value: T) {
    if let Err(payload) = catch(|| drop(value))
        && let Err(second) = catch(|| drop(payload))
    {
        std::mem::forget(second);
    }
}

/// The message of a panic, if the payload is text.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(a value that is not text)")
}

/// Runs our own code. A panic in it is a bug that would lose jobs, so it aborts the process.
pub(super) fn abort_on_panic(code: impl FnOnce()) {
    if let Err(payload) = catch(code) {
        std::mem::forget(payload); // Its destructor might panic.
        std::process::abort();
    }
}
