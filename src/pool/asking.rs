//! Which side pays for ordering a push against the end of a search: the worker that stops searching (heavy fence), or
//! the submitters (full fences).

use super::census::Census;
use crate::sys::atomic::{Ordering, fence};
use crate::sys::fence;
use crate::sys::lock::Lock;

/// Workers' request that submitters fence for themselves. Protocol and proof: `README.md`, "Asked".
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// How often the request was withdrawn.
    turn: Lock<u64>,
}

/// The turn in which a worker has set ASKED; `None` if it had no need to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request(Option<u64>);

impl Asking {
    /// Called by a worker before it stops searching. Sets ASKED if it `asks`.
    pub(super) fn ask(&self, census: &Census, asks: bool) -> Request {
        Request((asks && !census.read().is_heard()).then(|| self.ask_slow(census)))
    }

    #[cold]
    fn ask_slow(&self, census: &Census) -> u64 {
        let turn = self.turn.lock();
        census.ask(); // H1
        *turn
    }

    /// Called by a worker that has stopped searching: orders its next check after the pushes of all submitters that
    /// rely on it. A full fence is enough if all submitters have `heard`, because then they fence, too.
    pub(super) fn fence_after_search(&self, census: &Census, heard: bool, request: Request) {
        if heard {
            fence(Ordering::SeqCst); // H2a
            return;
        }
        fence::heavy(); // H2b
        if let Request(Some(asked)) = request {
            let turn = self.turn.lock();
            // Race with `stop`: before this → the turn has changed and HEARD stays clear, after → `stop` clears HEARD.
            if *turn == asked {
                census.set_heard(); // H3
            }
        }
    }

    /// Withdraws the request: submitters need not fence until a worker asks again. Called by a worker with much to do.
    #[inline]
    pub(super) fn stop(&self, census: &Census) {
        if census.read().is_asked() {
            self.stop_slow(census);
        }
    }

    #[cold]
    fn stop_slow(&self, census: &Census) {
        let mut turn = self.turn.lock();
        *turn += 1;
        census.stop_asking(); // H4
    }
}
