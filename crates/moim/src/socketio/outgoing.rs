//! Packets queued for one client.

use std::sync::Arc;

use bytes::Bytes;

/// An entry of a socket's send queue.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    /// A complete Socket.IO packet without attachments, encoded once for all receivers.
    Packet(Arc<str>),
    /// A complete Socket.IO packet and the binary attachments it announces.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the conformance suite sends binary"))]
    Binary(Arc<str>, Arc<[Bytes]>),
    /// Disconnect the socket after everything queued before.
    Disconnect,
}

impl Outgoing {
    /// Size in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Packet(packet) => packet.len(),
            Self::Binary(packet, data) => packet.len() + data.iter().map(Bytes::len).sum::<usize>(),
            Self::Disconnect => 0,
        }
    }
}
