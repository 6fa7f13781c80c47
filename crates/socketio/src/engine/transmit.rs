//! Outgoing transmissions.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use super::{
    packet::{Packet, V3_MESSAGE},
    revision::Revision,
};

/// A transmission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// Answer the pending poll.
    Poll(Body),
    /// Send this as a WebSocket message.
    Frame(Frame),
    /// Close the WebSocket.
    CloseWebSocket,
}

/// Body of a poll response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(pub String);

/// One WebSocket message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub(super) revision: Revision,
    pub(super) packet: Queued,
}

/// A queued packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Queued {
    Open(Arc<str>),
    Close,
    Ping,
    Pong,
    ProbeAnswer,
    Text(Arc<str>),
    Binary(Bytes),
}

impl Queued {
    pub(crate) fn packet(&self) -> Packet<'_> {
        match self {
            Self::Open(handshake) => Packet::Open(handshake),
            Self::Close => Packet::Close,
            Self::Ping => Packet::Ping(""),
            Self::Pong => Packet::Pong(""),
            Self::ProbeAnswer => Packet::Pong("probe"),
            Self::Text(text) => Packet::Text(text),
            Self::Binary(data) => Packet::Binary(Cow::Borrowed(data)),
        }
    }
}

impl Frame {
    /// Returns whether this is a binary message.
    pub fn is_binary(&self) -> bool {
        matches!(self.packet, Queued::Binary(_))
    }

    /// Size of the message in bytes: that of [`Frame::parts`] together.
    pub fn len(&self) -> usize {
        let (head, data) = self.parts();
        usize::from(head.is_some()) + data.len()
    }

    /// Returns whether the message is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message: an optional first byte and the rest, which frames may share.
    pub fn parts(&self) -> (Option<u8>, &[u8]) {
        match &self.packet {
            Queued::Binary(data) => match self.revision {
                Revision::V3 => (Some(V3_MESSAGE), data),
                Revision::V4 => (None, data),
            },
            Queued::Open(text) => (Some(b'0'), text.as_bytes()),
            Queued::Text(text) => (Some(b'4'), text.as_bytes()),
            Queued::Close => (Some(b'1'), b""),
            Queued::Ping => (Some(b'2'), b""),
            Queued::Pong => (Some(b'3'), b""),
            Queued::ProbeAnswer => (Some(b'3'), b"probe"),
        }
    }
}
