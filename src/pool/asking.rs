//! Who pays for the order of pushes and searches: a worker that stops searching, or those who push.

use super::census::Census;
use crate::sys::atomic::{Ordering, fence};
use crate::sys::fence;
use crate::sys::lock::Lock;

/// Workers' request that submitters fence for themselves. Protocol and proof: `README.md`, "Asked".
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// How often the request was taken back.
    turn: Lock<u64>,
}

/// A request, by its turn; none if there was no need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked(Option<u64>);

impl Asking {
    /// Called by a worker before it stops searching, if it `asks`.
    pub(super) fn ask(&self, census: &Census, asks: bool) -> Asked {
        Asked((asks && !census.read().is_heard()).then(|| self.ask_after_all(census)))
    }

    #[cold]
    fn ask_after_all(&self, census: &Census) -> u64 {
        let turn = self.turn.lock();
        census.ask(); // H1
        *turn
    }

    /// Called by a worker that has stopped searching: what it looks at from now on comes after what submitters have
    /// pushed who rely on it. They fence for themselves if they have `heard`.
    pub(super) fn order(&self, census: &Census, heard: bool, asked: Asked) {
        if heard {
            fence(Ordering::SeqCst); // H2a
            return;
        }
        fence::heavy(); // H2b
        if let Asked(Some(asked)) = asked {
            let turn = self.turn.lock();
            // Race with `stop`: the turn is another one, and nobody relies on this fence.
            if *turn == asked {
                census.set_heard(); // H3
            }
        }
    }

    /// Submitters need not fence any more, until a worker asks again. Called by those who have much to do.
    #[inline]
    pub(super) fn stop(&self, census: &Census) {
        if census.read().is_asked() {
            self.stop_after_all(census);
        }
    }

    #[cold]
    fn stop_after_all(&self, census: &Census) {
        let mut turn = self.turn.lock();
        *turn += 1;
        census.stop_asking(); // H4
    }
}
