//! Uses of a client's stream after its messages.

use super::peer_connection::PeerConnection;

/// The next use of a TURN client's stream.
pub(crate) enum Handoff {
    /// It carries the bytes of a peer's connection (RFC 6062 §4.4).
    Splice(PeerConnection),
    /// It belongs to another shard, which has yet to handle the last unanswered request.
    ToShard(u8),
}
