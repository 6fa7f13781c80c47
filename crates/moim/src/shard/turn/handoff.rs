//! Handoff of a TURN client's stream: to a peer connection or to another shard.

use super::peer_connection::PeerConnection;

/// The next use of a TURN client's stream.
pub(crate) enum Handoff {
    /// It carries the bytes of a peer's connection (RFC 6062 §4.4).
    Splice(PeerConnection),
    /// It belongs to another shard, which has yet to handle the last unanswered request.
    ToShard(u8),
}
