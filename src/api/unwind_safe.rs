//! Types that can be used after a caught panic: no user code runs while one of them is in an inconsistent state.

use super::{Group, JobHandle, ManualClock, Pool, Results, Timer};
use std::panic::{RefUnwindSafe, UnwindSafe};

impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}

impl UnwindSafe for Group {}
impl RefUnwindSafe for Group {}

impl<T: Send + 'static> UnwindSafe for Results<T> {}
impl<T: Send + 'static> RefUnwindSafe for Results<T> {}

impl<T> UnwindSafe for JobHandle<T> {}
impl<T> RefUnwindSafe for JobHandle<T> {}

impl UnwindSafe for Timer {}
impl RefUnwindSafe for Timer {}

impl UnwindSafe for ManualClock {}
impl RefUnwindSafe for ManualClock {}
