//! Starting workers.

use super::core::Core;
use super::worker::Worker;
use super::{current, unwind};
use crate::sys::atomic::Ordering;
use crate::sys::thread;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait before retrying what the system has refused.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(10);

impl Core {
    /// Wakes a worker or starts one, unless one searches by now or no work is visible.
    #[cold]
    pub(super) fn recruit(self: &Arc<Self>) -> io::Result<()> {
        self.recruit_if(&|| self.has_visible_work())
    }

    /// The same, where `visible` decides whether there is work.
    #[cold]
    pub(super) fn recruit_if(self: &Arc<Self>, visible: &dyn Fn() -> bool) -> io::Result<()> {
        self.crew.recruit(visible, |number| self.start(number))
    }

    /// Starts up to `count` workers within the limit; returns how many.
    pub(crate) fn spawn_workers(self: &Arc<Self>, count: usize) -> io::Result<usize> {
        let mut hired = 0;
        while hired < count && !self.is_closed() && self.crew.hire(|number| self.start(number))? {
            hired += 1;
        }
        Ok(hired)
    }

    pub(super) fn start(self: &Arc<Self>, number: usize) -> io::Result<()> {
        let core = Arc::clone(self);
        let body = move || unwind::abort_on_panic(|| work(core, number));
        // Numbers are reused when workers leave, names are not.
        let name = self.thread_name(&self.started.load(Ordering::Relaxed).to_string());
        let thread = thread::start(name, self.settings.stack_size, body)?;
        self.started.fetch_add(1, Ordering::Relaxed);
        self.threads.add(thread);
        Ok(())
    }

    /// The pool's prefix and a suffix. Linux keeps 15 bytes of a name, so the prefix is cut, and the suffix kept.
    pub(super) fn thread_name(&self, suffix: &str) -> String {
        const KEPT: usize = 15;
        let suffix = format!("-{suffix}");
        let prefix = &self.settings.prefix;
        let cut = prefix.floor_char_boundary(KEPT - suffix.len());
        format!("{}{suffix}", &prefix[..cut])
    }
}

/// The body of a worker thread.
fn work(core: Arc<Core>, number: usize) {
    current::belong_to(&core);
    let worker = Worker::new(core, number);
    let _current = current::enter(&worker);
    worker.run();
}
