//! A room's clients.

use std::sync::Arc;

use cluster::NodeId;
use room::protocol::ParticipantId;
use tokio::time::Instant;

use super::client::MembershipGuard;

/// A client in the room or about to join.
pub(super) struct RoomClient {
    pub(super) guard: Arc<MembershipGuard>,
    /// Its participant, once joined.
    pub(super) member: Option<Member>,
}

impl RoomClient {
    /// The other node of the cluster that has its socket.
    pub(super) fn door(&self) -> Option<NodeId> {
        self.guard.0.door
    }
}

/// A client's participant.
pub(super) struct Member {
    pub(super) id: ParticipantId,
    /// Time at which it is sent new credentials.
    pub(super) refresh: Instant,
}
