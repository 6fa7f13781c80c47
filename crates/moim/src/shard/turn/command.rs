//! What the main runtime tells a shard's relay.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};
use turn::{ConnectionId, FiveTuple, RelayId};

use super::{Interfaces, client::Client};

/// News of a client or a peer over a stream, of rooms and of this machine.
pub(crate) enum Command {
    /// A client has come; what is for it goes there.
    Opened(FiveTuple, Client),
    /// It sent a message.
    Message(FiveTuple, Bytes),
    /// Whether it has an allocation, or its stream is a peer's: the answer goes there.
    IsInUse(FiveTuple, oneshot::Sender<bool>),
    /// It has left. What waits for it may still be read by it.
    Gone(FiveTuple),
    /// Connecting to a peer came to this.
    Connected(ConnectionId, io::Result<TcpStream>),
    /// Participants have left their rooms.
    MembersLeft,
    /// This machine has these addresses and links now.
    Interfaces(Arc<Interfaces>),
    /// A peer has connected to a relayed address.
    Accepted(RelayId, TcpStream, SocketAddr),
}
