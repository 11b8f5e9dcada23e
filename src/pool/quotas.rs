//! The quotas on unread results, at which workers may wait, but not while the pool ends.

use crate::queue::Quota;
use crate::sys::lock::Lock;
use std::sync::{Arc, Weak};

/// All quotas of a pool.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    all: Lock<All>,
}

#[derive(Debug, Default)]
struct All {
    lifted: bool,
    quotas: Vec<Weak<Quota>>,
}

impl Quotas {
    pub(super) fn add(&self, places: u64) -> Arc<Quota> {
        let quota = Arc::new(Quota::new(places));
        let mut all = self.all.lock();
        if all.lifted {
            quota.lift();
        }
        all.quotas.retain(|quota| quota.strong_count() > 0);
        all.quotas.push(Arc::downgrade(&quota));
        quota
    }

    /// Workers wait again.
    pub(super) fn impose(&self) {
        let mut all = self.all.lock();
        all.lifted = false;
        all.quotas.iter().filter_map(Weak::upgrade).for_each(|quota| quota.impose());
    }

    /// No worker waits any more.
    pub(super) fn lift(&self) {
        let mut all = self.all.lock();
        all.lifted = true;
        all.quotas.iter().filter_map(Weak::upgrade).for_each(|quota| quota.lift());
    }
}
