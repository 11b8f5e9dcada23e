//! Layer 2: items on their way from one thread to another. Knows push, pop, steal and give back; never runs anything.
//!
//! The protocols are in `README.md` beside this file.

mod arrivals;
mod batch;
mod biased;
mod cell;
mod depot;
mod front;
mod lane;
mod outcomes;
mod pace;
mod pile;
mod quarry;
mod quota;
mod rack;
mod reading;
mod registry;
mod relay;
mod seat;
mod segment;
mod slab;
mod slot;
mod store;
mod stream;
mod ticket;
mod turns;
mod watchers;
mod wheel;

pub(crate) use arrivals::Arrivals;
pub(crate) use batch::Batch;
pub(crate) use cell::{Body, Item, Taken};
pub(crate) use depot::OutOfMemory;
pub(crate) use front::Front;
pub(crate) use lane::{Lane, Look, Producing};
pub(crate) use outcomes::{Discard, Nothing, Outcomes};
pub(crate) use quota::Quota;
pub(crate) use rack::Racks;
pub(crate) use relay::Relay;
pub(crate) use seat::Seat;
pub(crate) use segment::{Place, Range, first_id};
pub(crate) use slab::{Lent, Node, Slab};
pub(crate) use slot::{Reader, Writer, pair};
pub(crate) use store::Store;
pub(crate) use ticket::{Owner, Ticket};
pub(crate) use watchers::{After, Before, Written};
pub(crate) use wheel::{Popped, Wheel};

#[cfg(all(loom, test))]
mod models;
