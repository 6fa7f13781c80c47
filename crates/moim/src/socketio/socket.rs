//! Handle to a connected socket.

use std::sync::Arc;

use super::{
    outbox::{Outbox, OutboxLimits, Shared},
    outgoing::Outgoing,
};

/// Identifies a connected socket: the unguessable `sid` that its client knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SocketId(pub(crate) Arc<str>);

/// Handle to a connected socket. Its methods never wait. Cheap to clone; calls after the socket is
/// gone have no effect.
#[derive(Debug, Clone)]
pub(crate) struct Socket {
    /// The socket's `sid`.
    pub(crate) id: SocketId,
    /// Bounded send queue. A client that lets it overflow is dropped.
    outbox: Arc<Shared>,
}

impl Socket {
    /// Creates a socket and the receiving end that its task owns.
    pub(crate) fn new(id: SocketId, limits: OutboxLimits) -> (Self, Outbox) {
        let shared = Arc::new(Shared::new(limits));
        (Self { id, outbox: Arc::clone(&shared) }, Outbox::new(shared))
    }

    /// Queues an encoded packet (see [`encode_event`](super::encode_event)) without waiting.
    pub(crate) fn emit(&self, packet: Arc<str>) {
        self.outbox.push(Outgoing::Packet(packet));
    }

    /// Disconnects the socket after everything queued before.
    pub(crate) fn disconnect(&self) {
        self.outbox.push(Outgoing::Disconnect);
    }

    /// Returns the number of queued bytes.
    pub(crate) fn queued(&self) -> usize {
        self.outbox.bytes()
    }

    /// Drops the socket as if its queue had overflowed. Its client may resume.
    pub(crate) fn cut(&self) {
        self.outbox.overflow();
    }

    /// Queues a packet with attachments.
    #[cfg(test)]
    pub(crate) fn send(&self, outgoing: Outgoing) {
        self.outbox.push(outgoing);
    }
}
