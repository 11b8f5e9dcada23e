//! Layer 2: items on their way from one thread to another. Knows push, pop, steal and revoke; never runs anything.
//!
//! The protocols are in `README.md` beside this file.

mod arena;
mod arrivals;
mod batch;
mod biased;
mod cell;
mod chunked_stack;
mod consumers;
mod front;
mod lane;
mod oldest;
mod outcomes;
mod pace;
mod places;
mod quota;
mod reading;
mod registry;
mod round_robin;
mod segment;
mod slab;
mod slot;
mod slot_block;
mod stable_vec;
mod store;
mod stream;
mod ticket;
mod two_lock_queue;
mod watchers;
mod wheel;
mod writer_id;

pub(crate) use arena::OutOfMemory;
pub(crate) use arrivals::Arrivals;
pub(crate) use batch::Batch;
pub(crate) use cell::{Body, Item, Taken, Word};
pub(crate) use consumers::Look;
pub(crate) use front::Front;
pub(crate) use lane::{Lane, Producing};
pub(crate) use outcomes::{Discard, Nothing, Outcomes};
pub(crate) use pace::LAG;
pub(crate) use quota::Quota;
pub(crate) use segment::{Place, Range, first_id};
pub(crate) use slab::{Lent, Node, Side, Slab};
pub(crate) use slot::{Reader, Writer, pair};
pub(crate) use slot_block::SlotBlocks;
pub(crate) use store::Store;
pub(crate) use ticket::{Owner, Ticket};
pub(crate) use two_lock_queue::TwoLockQueue;
pub(crate) use watchers::{After, Before, Written};
pub(crate) use wheel::{Popped, Wheel};
pub(crate) use writer_id::WriterId;

#[cfg(all(loom, test))]
mod models;
