//! Layer 2: items on their way from one thread to another. Knows push, pop, steal and give back; never runs anything.
//!
//! The protocols are in `README.md` beside this file.

mod arrivals;
mod batch;
mod cell;
mod depot;
mod front;
mod inbox;
mod lane;
mod outcomes;
mod registry;
mod segment;
mod slot;
mod store;

pub(crate) use arrivals::Arrivals;
pub(crate) use batch::Batch;
pub(crate) use cell::{Body, Item};
pub(crate) use front::Front;
use inbox::Inbox;
pub(crate) use lane::{Lane, Producing};
pub(crate) use outcomes::{Nothing, Outcomes};
pub(crate) use segment::Place;
pub(crate) use slot::{After, Before, Reader, Writer, pair};
pub(crate) use store::{OutOfMemory, Store};

#[cfg(all(loom, test))]
mod models;
