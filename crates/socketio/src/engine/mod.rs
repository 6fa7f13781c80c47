//! Engine.IO: a stream of messages over long polling or a WebSocket, and from one to the other.

mod heartbeat;
mod link;
pub mod packet;
pub mod payload;
mod transmit;

use std::borrow::Cow;

pub(crate) use link::Link;
pub(crate) use transmit::Queued;
pub use transmit::{Body, Frame, Transmit};

/// Which Engine.IO the client speaks, its `EIO` query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    /// `EIO=3`: Socket.IO clients 1 and 2. The client pings; it is connected to the main namespace
    /// unasked and takes the session's id for its own.
    V3,
    /// `EIO=4`: Socket.IO clients 3 and 4. The server pings; the client asks to connect and is
    /// given another id.
    V4,
}

impl Revision {
    /// The value of the `EIO` query parameter.
    pub fn from_query(eio: &str) -> Option<Self> {
        match eio {
            "3" => Some(Self::V3),
            "4" => Some(Self::V4),
            _ => None,
        }
    }
}

/// How a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// `transport=polling`
    Polling,
    /// `transport=websocket`
    WebSocket,
}

impl TransportKind {
    /// The value of the `transport` query parameter.
    pub fn from_query(transport: &str) -> Option<Self> {
        match transport {
            "polling" => Some(Self::Polling),
            "websocket" => Some(Self::WebSocket),
            _ => None,
        }
    }
}

/// What one side says to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
}

impl Message<'_> {
    /// Bytes of its content.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(data) => data.len(),
        }
    }
}

/// Why a request isn't served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The session uses another transport by now, or is closed, or was asked twice at once.
    #[error("Bad request")]
    BadRequest,
    /// The body is larger than `maxPayload`.
    #[error("Payload too large")]
    TooLarge,
    /// The body can't be read; the session is closed.
    #[error("Bad request")]
    Malformed,
}
