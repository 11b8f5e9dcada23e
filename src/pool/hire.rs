//! How a worker comes to be.

use super::core::Core;
use super::worker::Worker;
use super::{current, unwind};
use crate::sys::thread;
use std::io;
use std::sync::Arc;

impl Core {
    /// Wakes a worker, or starts one, unless somebody searches by now.
    #[cold]
    pub(super) fn recruit(self: &Arc<Self>) -> io::Result<()> {
        self.recruit_if(&|| self.has_visible_work())
    }

    /// Wakes a worker; or starts one, but only if `visible` still says that there is work for it.
    #[cold]
    pub(super) fn recruit_if(self: &Arc<Self>, visible: &dyn Fn() -> bool) -> io::Result<()> {
        self.crew.recruit(visible, |number| {
            let core = Arc::clone(self);
            let body = move || unwind::abort_on_panic(|| work(core, number));
            let thread = thread::start(self.thread_name(number), self.settings.stack_size, body)?;
            self.threads.lock().push(thread);
            Ok(())
        })
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
    let worker = Worker::new(core, number);
    let _current = current::enter(&worker);
    worker.run();
}
