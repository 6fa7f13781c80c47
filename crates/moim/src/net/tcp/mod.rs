//! The one port: what listens on it, and how it is told apart what arrives.

pub(crate) mod admission;
mod bind;
mod connection;
mod idle;
mod listener;
pub(crate) mod prefixed;
pub(crate) mod protocol;
mod tally;

pub(crate) use admission::Admission;
pub(crate) use bind::{Bound, bind, sentence};
pub(crate) use connection::Connection;
pub(crate) use idle::Idle;
pub(crate) use listener::accept;
pub(crate) use tally::Tally;
