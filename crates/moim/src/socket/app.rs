//! What the Socket.IO driver and whoever answers its events say to each other.
//!
//! One task runs each socket: it awaits [`Events::event`] before it reads on, so a slow answerer
//! slows that one socket and order is kept. The way back is a bounded queue per socket that never
//! waits: who can't keep up is dropped, and nobody else notices.
#![allow(dead_code, reason = "the conformance suite and dialects to come use the rest")]

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use serde_json::value::RawValue;

pub(crate) use super::encode::{encode_event, encode_raw_event};
pub(crate) use super::held::{HeldBytes, Holder};
use super::outbox;
#[cfg(test)]
pub(crate) use super::outbox::{Outbox, OutboxLimits};

/// What is known of a client when it connects.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// Where it comes from.
    pub(crate) address: IpAddr,
    /// The port of ours it reached.
    pub(crate) local_port: u16,
    /// The host by which the page was reached (`Host` header or `:authority`, port removed,
    /// brackets kept), if it is one.
    pub(crate) host: Option<String>,
    /// It came over TLS.
    pub(crate) secure: bool,
    /// The path where it connected, one of the mounts'.
    pub(crate) path: &'static str,
    /// The namespace that it connected to; packets for any but `/` name it.
    pub(crate) namespace: Arc<str>,
    /// What the client sent along with its CONNECT: a JSON object, unparsed.
    pub(crate) auth: Option<Box<RawValue>>,
}

/// An event as it came in.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The event's name.
    pub(crate) name: String,
    /// Its arguments, unparsed; a parser decides what they must be.
    pub(crate) args: Vec<Box<RawValue>>,
    /// The binary data its arguments refer to as `{"_placeholder":true,"num":N}`.
    pub(crate) attachments: Vec<Bytes>,
    /// Where to answer, if an acknowledgement was asked for.
    pub(crate) ack: Option<Ack>,
}

/// An acknowledgement that is owed to one socket.
#[derive(Debug)]
pub(crate) struct Ack {
    /// The packet's acknowledgement id.
    pub(crate) id: u64,
    /// Who asked.
    pub(crate) socket: Socket,
}

/// Names a connected socket: the `sid` its client knows, unguessable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SocketId(pub(crate) Arc<str>);

/// What the socket's task is told to send.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    /// A whole Socket.IO packet without attachments, encoded once for all its receivers.
    Packet(Arc<str>),
    /// A whole Socket.IO packet and the attachments it announces.
    Binary(Arc<str>, Arc<[Bytes]>),
    /// Close the socket, after what was queued before.
    Disconnect,
}

impl Outgoing {
    /// Bytes it holds.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Packet(packet) => packet.len(),
            Self::Binary(packet, data) => packet.len() + data.iter().map(Bytes::len).sum::<usize>(),
            Self::Disconnect => 0,
        }
    }
}

/// The way to a connected socket: `emit`, `send`, `disconnect`, which never wait. Cheap to clone;
/// useless, but harmless, after it is gone.
#[derive(Debug, Clone)]
pub(crate) struct Socket {
    /// Its name.
    pub(crate) id: SocketId,
    /// The bounded queue of its task. When it is full the socket is too slow and is dropped.
    pub(super) outbox: Arc<outbox::Shared>,
}

/// Why a socket is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The client said so (Socket.IO DISCONNECT): it won't be back.
    ByClient,
    /// The client closed the WebSocket in order (RFC 6455 status 1000 or 1001): Firefox does so
    /// before it tells a page that it is left.
    GoingAway,
    /// We closed it.
    ByServer,
    /// The transport ended or timed out, or the client was too slow or spoke nonsense: it may be back.
    Lost,
}

/// Accepts sockets.
pub(crate) trait Application: Send + Sync + 'static {
    /// What answers one socket.
    type Events: Events;

    /// A client connected to a namespace, `/` unless others are configured; an error refuses it with that message.
    fn connect(&self, socket: Socket, handshake: Handshake) -> Result<Self::Events, String>;

    /// Counts bytes that sessions hold outside of their queues. Asked once, before the first session.
    fn held_bytes(&self) -> Arc<HeldBytes> {
        Arc::default()
    }
}

/// Answers one socket's events, one at a time, in order.
pub(crate) trait Events: Send + 'static {
    /// The client has been told that it is connected; its events follow.
    fn connected(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// An event came in.
    fn event(&mut self, event: Incoming) -> impl Future<Output = ()> + Send;

    /// The socket is gone; nothing follows.
    fn gone(&mut self, why: Gone) -> impl Future<Output = ()> + Send;
}
