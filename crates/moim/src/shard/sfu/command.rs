//! What the main runtime tells a shard of clients over ICE-TCP.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::shard::turn::Client;

/// A connection: our address and the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// News of a client over ICE-TCP.
pub(crate) enum Command {
    /// A client has come; what is for it goes there.
    Opened(Way, Client),
    /// It sent a packet.
    Packet(Way, Bytes),
    /// Whether a check has proven it to be a peer's: the answer goes there.
    IsProven(Way, oneshot::Sender<bool>),
    /// It has left.
    Gone(Way),
}
