//! Commands from the main runtime to the TURN service.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};
use turn::{ConnectionId, FiveTuple, RelayId};

use super::{config::Settings, handoff::Handoff};
use crate::shard::tcp_client::TcpClient;

/// A message of a client over TCP or TLS.
pub(crate) struct ClientMessage {
    pub(crate) from: FiveTuple,
    pub(crate) bytes: Bytes,
}

/// An event of a client or a peer over TCP, of rooms, or of the operator.
pub(crate) enum Command {
    /// A client has connected; its messages go into this queue.
    Opened(FiveTuple, TcpClient<Handoff>),
    /// Asks whether a client has an allocation, or its stream is bound to a peer's.
    IsInUse(FiveTuple, oneshot::Sender<bool>),
    /// A client has stopped sending. It may still read what is queued.
    Closed(FiveTuple),
    /// The result of a connection attempt to a peer.
    Connected(ConnectionId, io::Result<TcpStream>),
    /// A peer has connected to a relayed address.
    Accepted(RelayId, TcpStream, SocketAddr),
    /// Participants have left their rooms.
    MembersLeft,
    /// The rooms of the process before are open again, so their participants' requests can be
    /// answered.
    AnswerRequests,
    /// A reload has replaced settings.
    Settings(Arc<Settings>),
}
