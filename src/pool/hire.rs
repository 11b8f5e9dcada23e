//! How a worker comes to be.

use super::core::Core;
use super::worker::Worker;
use super::{current, unwind};
use crate::sys::atomic::Ordering;
use crate::sys::thread;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// When to try again what the system has refused.
pub(super) const AGAIN: Duration = Duration::from_millis(10);

impl Core {
    /// Wakes a worker, or starts one, unless somebody searches by now.
    #[cold]
    pub(super) fn recruit(self: &Arc<Self>) -> io::Result<()> {
        self.recruit_if(&|| self.has_visible_work())
    }

    /// Wakes a worker; or starts one, but only if `visible` still says that there is work for it.
    #[cold]
    pub(super) fn recruit_if(self: &Arc<Self>, visible: &dyn Fn() -> bool) -> io::Result<()> {
        self.crew.recruit(visible, |number| self.start(number))
    }

    /// Starts workers, at most `count` and no more than there can be; returns how many.
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
        // Numbers come back when workers leave, names do not.
        let name = self.thread_name(self.started.load(Ordering::Relaxed));
        let thread = thread::start(name, self.settings.stack_size, body)?;
        self.started.fetch_add(1, Ordering::Relaxed);
        self.threads.add(thread);
        Ok(())
    }

    /// Linux keeps 15 bytes of a name: the prefix is cut so that the number stays.
    fn thread_name(&self, number: usize) -> String {
        self.thread_name_of(&number.to_string())
    }

    /// The name of a thread that is not a worker, or whose number is this.
    pub(super) fn thread_name_of(&self, role: &str) -> String {
        const KEPT: usize = 15;
        let suffix = format!("-{role}");
        let prefix = &self.settings.prefix;
        let cut = prefix.floor_char_boundary(KEPT - suffix.len());
        format!("{}{suffix}", &prefix[..cut])
    }
}

/// A worker thread's life.
fn work(core: Arc<Core>, number: usize) {
    current::belong_to(&core);
    let worker = Worker::new(core, number);
    let _current = current::enter(&worker);
    worker.run();
}
