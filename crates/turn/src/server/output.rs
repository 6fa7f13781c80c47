//! Actions on relayed sockets that the server asks its driver for, and how they fail.

use std::net::SocketAddr;

use super::{connections::ConnectionId, relay_id::RelayId};
use crate::FiveTuple;

/// An action on a relayed UDP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a UDP socket bound to `local` and report it by
    /// [`Server::handle_relay_opened`](super::Server::handle_relay_opened).
    OpenRelay {
        /// Identifies the socket from now on.
        relay: RelayId,
        /// The address to bind.
        local: SocketAddr,
    },
    /// Close the socket. The server ignores packets that still arrive from it.
    CloseRelay {
        /// The socket to close.
        relay: RelayId,
    },
}

/// An action on a socket of a TCP allocation (RFC 6062).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpOutput {
    /// Listen on `local` and report it by
    /// [`Server::handle_relay_opened`](super::Server::handle_relay_opened). Pass accepted
    /// connections to [`Server::handle_accepted`](super::Server::handle_accepted).
    Listen {
        /// Identifies the listener from now on.
        relay: RelayId,
        /// The address to bind. Outgoing connections leave from it too.
        local: SocketAddr,
    },
    /// Close the listener.
    Unlisten {
        /// The listener to close.
        relay: RelayId,
    },
    /// Connect to a peer, for 30 seconds at most, and report the result by
    /// [`Server::handle_connected`](super::Server::handle_connected).
    Connect {
        /// Identifies the connection from now on.
        connection: ConnectionId,
        /// The source address.
        local: SocketAddr,
        /// The destination address.
        peer: SocketAddr,
    },
    /// Join the client's stream with the peer's, after the response that the client is about to
    /// receive.
    Splice {
        /// The peer's connection.
        connection: ConnectionId,
        /// The client's stream.
        client: FiveTuple,
    },
    /// Close the peer's connection and the client's stream that is joined with it.
    Close {
        /// The connection to close.
        connection: ConnectionId,
    },
}

/// A relayed socket could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenRelayError {
    /// The port is in use; another port may be free.
    PortTaken,
    /// No other port would help.
    NoSocket,
}

/// A connection to a peer could not be established.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectPeerError;
