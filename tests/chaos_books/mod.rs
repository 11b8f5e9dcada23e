//! What `chaos.rs` knows of its jobs.

use fastthreadpool::JobId;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// What is known of one job.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) id: OnceLock<JobId>,
    pub(crate) ran: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) finals: AtomicUsize,
    pub(crate) cancelled: AtomicBool,
    pub(crate) has_finally: bool,
    pub(crate) fails: bool,
    pub(crate) is_delayed: bool,
    pub(crate) has_deadline: bool,
    /// The most runs of a schedule; 0 for a job.
    pub(crate) most_runs: usize,
    /// How many values it emits if it runs, if its outcomes are read.
    pub(crate) emits: Option<usize>,
}

impl Record {
    /// Whether the job had one end, if all of its outcomes were `read`, and if it ran unless it `may_lapse`.
    pub(crate) fn check(&self, may_lapse: bool, read: &[JobId]) {
        let [ran, dropped, finals] = [&self.ran, &self.dropped, &self.finals].map(|count| count.load(SeqCst));
        let (accepted, cancelled) = (self.id.get().is_some(), self.cancelled.load(SeqCst));
        assert_eq!((dropped, finals), (1, usize::from(accepted && self.has_finally)));
        if self.most_runs > 0 {
            return assert!(ran <= self.most_runs);
        }
        let may_lapse = may_lapse || self.is_delayed || self.has_deadline;
        assert!(match ran {
            0 => !accepted || cancelled || may_lapse,
            _ => accepted && !cancelled && ran == 1,
        });
        if let Some(emits) = self.emits {
            let outcomes = read.iter().filter(|&id| Some(id) == self.id.get()).count();
            let expected = if ran == 0 { 1 } else { emits + usize::from(self.fails) };
            assert_eq!(outcomes, if accepted { expected } else { 0 });
        }
    }
}
