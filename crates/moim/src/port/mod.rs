//! The one port: what listens on it, and how it is told apart what arrives.

mod admission;
mod bind;
mod connection;
mod idle;
mod listener;
mod prefixed;
mod serve;
mod tally;
mod tcp;
pub(crate) mod udp;

pub(crate) use admission::Admission;
pub(crate) use bind::{Bound, bind, sentence};
pub(crate) use connection::Connection;
pub(crate) use idle::Idle;
pub(crate) use listener::accept;
pub(crate) use serve::{Services, Stream};
pub(crate) use tally::Tally;
