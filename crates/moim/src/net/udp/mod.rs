//! UDP sockets: receiving and sending in batches, and demultiplexing datagrams by their first bytes.

mod classify;
mod gso;
mod icmp_errors;
mod options;
mod port;
mod receive_buffer;
mod socket;

pub(crate) use classify::{Datagram, classify};
pub(crate) use gso::{Egress, Way};
pub(crate) use icmp_errors::Undelivered;
pub(crate) use port::bind;
pub(crate) use receive_buffer::{Ask, Inbox};
pub(crate) use socket::{Outlets, Via};
