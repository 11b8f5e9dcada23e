//! Calls that need no pool: semaphores, locks, events, wait groups, texts.

use crate::c_common::{c, text};
use crate::inputs::{Inputs, answer};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ptr::{from_mut, null_mut};

/// One of each, in memory of the program. Zeroes are valid.
pub(crate) struct Loose {
    semaphore: ftpool_semaphore,
    lock: ftpool_lock,
    event: ftpool_event,
    group: ftpool_wait_group,
}

impl Loose {
    pub(crate) fn new() -> Self {
        Self {
            semaphore: ftpool_semaphore { opaque: [0; 4] },
            lock: ftpool_lock { opaque: [0; 2] },
            event: ftpool_event { opaque: 0 },
            group: ftpool_wait_group { opaque: 0 },
        }
    }

    pub(crate) fn call(&mut self, inputs: &mut Inputs) {
        match inputs.below(6) {
            0 | 1 => self.semaphore(inputs),
            2 | 3 => self.lock(inputs),
            4 => self.event_or_group(inputs),
            _ => {
                let status = inputs.0.number() as i32 % 20;
                text(ftpool_status_name(status));
                text(ftpool_status_message(status));
                text(ftpool_version_string());
            }
        }
    }

    fn semaphore(&mut self, inputs: &mut Inputs) {
        let it = inputs.place(&mut self.semaphore);
        let null = it.is_null();
        let most = FTPOOL_SEMAPHORE_MAX;
        let permits = inputs.any(&[0, 1, 1, 2, 7, most, most + 1, u32::MAX]);
        let (before, timeout) = (c!(ftpool_semaphore_value(it)), inputs.timeout());
        match inputs.below(8) {
            0 => _ = answer(c!(ftpool_semaphore_init(it, permits)), null || permits > most, &[FTPOOL_OK]),
            1 => _ = answer(c!(ftpool_semaphore_init_fair(it, permits)), null || permits > most, &[FTPOOL_OK]),
            2 if before > 0 => _ = answer(c!(ftpool_semaphore_acquire(it)), null, &[FTPOOL_OK, FTPOOL_E_SHUTDOWN]),
            3 => _ = answer(c!(ftpool_semaphore_close(it)), null, &[FTPOOL_OK]),
            4 | 5 => {
                let allowed = [FTPOOL_OK, FTPOOL_TIMEOUT, FTPOOL_E_SHUTDOWN];
                let status = answer(c!(ftpool_semaphore_acquire_for(it, permits, timeout)), null, &allowed);
                let taken = if status == FTPOOL_OK { permits } else { 0 };
                assert_eq!(c!(ftpool_semaphore_value(it)), before - taken, "{status:?}");
            }
            6 => {
                let allowed = [FTPOOL_OK, FTPOOL_TIMEOUT, FTPOOL_E_SHUTDOWN];
                answer(c!(ftpool_semaphore_try_acquire(it)), null, &allowed);
            }
            _ => {
                let status = answer(c!(ftpool_semaphore_release(it, permits)), null, &[FTPOOL_OK, FTPOOL_E_OVERFLOW]);
                let fits = u64::from(before) + u64::from(permits) <= u64::from(most);
                assert_eq!(status == FTPOOL_OK, !null && fits, "{before} + {permits}");
            }
        }
    }

    fn lock(&mut self, inputs: &mut Inputs) {
        let timeout = inputs.timeout();
        let held = c!(ftpool_lock_locked(&self.lock));
        let known = from_mut(&mut self.lock);
        let it = if inputs.one_in(8) { null_mut() } else { known };
        match inputs.below(6) {
            0 if !held => c!(ftpool_lock_acquire(known)),
            1 => assert_eq!(c!(ftpool_lock_try_acquire(known)), !held),
            2 => {
                let status =
                    answer(c!(ftpool_lock_acquire_for(it, timeout)), it.is_null(), &[FTPOOL_OK, FTPOOL_TIMEOUT]);
                assert!(status != FTPOOL_OK || !held, "two have the lock");
            }
            3 => c!(ftpool_lock_release(known)),
            4 => _ = answer(c!(ftpool_lock_release_checked(it)), it.is_null() || !held, &[FTPOOL_OK]),
            _ => assert!(!c!(ftpool_lock_locked(null_mut()))),
        }
    }

    fn event_or_group(&mut self, inputs: &mut Inputs) {
        let (event, group, timeout) = (inputs.place(&mut self.event), inputs.place(&mut self.group), inputs.timeout());
        let things = inputs.any(&[0, 1, 3, 1 << 30, 1 << 31, u32::MAX]);
        let waited = [FTPOOL_OK, FTPOOL_TIMEOUT];
        match inputs.below(5) {
            0 => _ = answer(c!(ftpool_event_set(event)), event.is_null(), &[FTPOOL_OK]),
            1 => {
                let happened = c!(ftpool_event_is_set(event));
                let status = answer(c!(ftpool_event_wait(event, timeout)), event.is_null(), &waited);
                assert!(!happened || status != FTPOOL_TIMEOUT);
            }
            2 => _ = answer(c!(ftpool_wait_group_add(group, things)), group.is_null(), &[FTPOOL_OK, FTPOOL_E_OVERFLOW]),
            3 => _ = answer(c!(ftpool_wait_group_done(group)), group.is_null(), &[FTPOOL_OK]),
            _ => _ = answer(c!(ftpool_wait_group_wait(group, timeout)), group.is_null(), &waited),
        }
    }
}
