//! The interface between the Socket.IO driver and the application.
//!
//! One task runs each socket. It awaits [`Events::event`] before it reads on, so events stay in
//! order and a slow handler delays only its own socket. Packets go out through a bounded queue per
//! socket that never waits: a client that can't keep up is dropped without affecting others.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use cluster::NodeId;
use serde_json::value::RawValue;

use super::{ack::Ack, held::HeldBytes, socket::Socket};

/// Properties of a client at connection time.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// The client's IP address.
    pub(crate) address: IpAddr,
    /// The local address and port that the client reached.
    pub(crate) local: SocketAddr,
    /// The host that the client asked for (`Host` header or `:authority`, port removed, brackets
    /// kept), if valid.
    pub(crate) host: Option<String>,
    /// The connection uses TLS.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the conformance suite only"))]
    pub(crate) secure: bool,
    /// Time since the first request of the session.
    pub(crate) open_for: Duration,
    /// The mount path of the connection.
    pub(crate) path: &'static str,
    /// The namespace of the CONNECT packet.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the conformance suite only"))]
    pub(crate) namespace: Arc<str>,
    /// The `auth` object of the CONNECT packet, unparsed.
    pub(crate) auth: Option<Box<RawValue>>,
    /// The token of an `Authorization: Bearer` header of the first request.
    pub(crate) bearer: Option<Arc<str>>,
    /// The secret of a person's session, if the first request came from this server's own page.
    pub(crate) session: Option<Arc<str>>,
    /// The other node of the cluster that has the socket.
    pub(crate) door: Option<NodeId>,
}

/// A received event.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The event's name.
    pub(crate) name: String,
    /// The arguments, unparsed.
    pub(crate) args: Vec<Box<RawValue>>,
    /// Binary data that the arguments refer to as `{"_placeholder":true,"num":N}`.
    pub(crate) attachments: Vec<Bytes>,
    /// The acknowledgement that the client requested.
    pub(crate) ack: Option<Ack>,
}

/// Reason for the end of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The client sent a Socket.IO DISCONNECT and won't be back.
    ByClient,
    /// The client closed the WebSocket with status 1000 or 1001 (RFC 6455). Firefox does so before
    /// it notifies a page that it is being unloaded.
    GoingAway,
    /// The server closed it.
    ByServer,
    /// The transport ended or timed out, or the client was too slow or violated the protocol. It
    /// may reconnect.
    Lost,
}

/// Accepts sockets.
pub(crate) trait Application: Send + Sync + 'static {
    /// The event handler of one socket.
    type Events: Events;

    /// Handles a CONNECT to a configured namespace, by default `/`. An error rejects it with that
    /// message.
    fn connect(&self, socket: Socket, handshake: Handshake) -> Result<Self::Events, String>;

    /// Returns the counter of bytes that sessions hold outside of their queues. Called once, before
    /// the first session.
    fn held_bytes(&self) -> Arc<HeldBytes> {
        Arc::default()
    }

    /// The head of the ids of sessions. It tells nothing but which server of several has them.
    fn session_head(&self) -> String {
        String::new()
    }
}

/// Handles one socket's events, one at a time, in order.
pub(crate) trait Events: Send + 'static {
    /// The CONNECT was accepted; events follow.
    fn connected(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Handles an event.
    fn event(&mut self, event: Incoming) -> impl Future<Output = ()> + Send;

    /// The socket is gone; no further calls follow.
    fn gone(&mut self, why: CloseReason) -> impl Future<Output = ()> + Send;
}
