//! Messages of nodes about a socket, as JSON in frames.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use cluster::NodeId;
use room::dialect::by_path;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::socketio::{Ack, CloseReason, Handshake, Incoming, Mount, Socket};

/// The first request of a client. `Debug` shows no secret.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hello {
    /// The socket's id, which clients of dialects name each other by.
    pub(super) id: String,
    /// The mount path.
    path: String,
    /// The client speaks a dialect.
    pub(super) is_foreign: bool,
    address: IpAddr,
    auth: Option<Box<RawValue>>,
    bearer: Option<String>,
    session: Option<String>,
    open_for_ms: u64,
    /// The node that has the socket. Absent from earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) door: Option<String>,
}

/// An event of a client.
#[derive(Serialize, Deserialize)]
pub(super) struct ClientEvent {
    name: String,
    args: Vec<Box<RawValue>>,
    /// The id of the acknowledgement that the client requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ack: Option<u64>,
}

impl Hello {
    pub(super) fn of(socket: &Socket, handshake: &Handshake) -> Self {
        Self {
            id: socket.id.0.as_ref().to_owned(),
            path: handshake.path.to_owned(),
            is_foreign: false,
            address: handshake.address,
            auth: handshake.auth.clone(),
            bearer: handshake.bearer.as_deref().map(str::to_owned),
            session: handshake.session.as_deref().map(str::to_owned),
            open_for_ms: u64::try_from(handshake.open_for.as_millis()).unwrap_or(u64::MAX),
            door: None,
        }
    }

    /// The handshake for the owner, whose own address is `local`: media goes there.
    pub(super) fn into_handshake(self, local: SocketAddr) -> Handshake {
        Handshake {
            address: self.address,
            local,
            // The client's leads to its own node.
            host: None,
            secure: true,
            open_for: Duration::from_millis(self.open_for_ms),
            path: by_path(&self.path).and_then(|it| it.path()).unwrap_or(Mount::DEFAULT.path),
            namespace: "/".into(),
            auth: self.auth,
            bearer: self.bearer.map(Arc::from),
            session: self.session.map(Arc::from),
            door: self.door.as_deref().and_then(NodeId::parse),
        }
    }
}

impl ClientEvent {
    pub(super) fn of(event: Incoming) -> Self {
        let ack = event.ack.map(|ack| ack.id);
        Self { name: event.name, args: event.args, ack }
    }

    pub(super) fn into_incoming(self, ack: Option<Ack>) -> Incoming {
        Incoming { name: self.name, args: self.args, attachments: Vec::new(), ack }
    }
}

/// A value as JSON. Values of these types can always be written.
pub(super) fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

pub(super) fn reason(why: CloseReason) -> Bytes {
    Bytes::from_static(match why {
        CloseReason::ByClient => b"client",
        CloseReason::GoingAway => b"going away",
        CloseReason::ByServer => b"server",
        CloseReason::Lost => b"lost",
    })
}

pub(super) fn parse_reason(text: &[u8]) -> CloseReason {
    match text {
        b"client" => CloseReason::ByClient,
        b"going away" => CloseReason::GoingAway,
        b"server" => CloseReason::ByServer,
        _ => CloseReason::Lost,
    }
}
