//! Commands from the main runtime to the SFU service, for ICE-TCP clients.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::shard::tcp_client::TcpClient;

/// The addresses of an ICE-TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TcpPath {
    /// Our address.
    pub(crate) local: SocketAddr,
    /// The client's address.
    pub(crate) remote: SocketAddr,
}

/// An event of an ICE-TCP client.
pub(crate) enum Command {
    /// A client has connected; its packets go into this queue.
    Opened(TcpPath, TcpClient<Infallible>),
    /// A packet of the client.
    Packet(TcpPath, Bytes),
    /// Asks whether a connectivity check has authenticated the connection.
    IsAuthenticated(TcpPath, oneshot::Sender<bool>),
    /// The connection has ended.
    Closed(TcpPath),
}
