//! A room's clients.

use std::sync::Arc;

use cluster::NodeId;
use room::{Event, protocol::ParticipantId};
use tokio::time::Instant;

use super::client::MembershipGuard;

/// A client in the room or about to join.
pub(super) struct RoomClient {
    pub(super) guard: Arc<MembershipGuard>,
    /// Its participant, once joined.
    pub(super) member: Option<Member>,
    /// Its link is newer than this event: what the media server said before is of an earlier one.
    pub(super) linked_after: u64,
}

impl RoomClient {
    pub(super) fn new(guard: Arc<MembershipGuard>, member: Option<Member>) -> Self {
        Self { guard, member, linked_after: 0 }
    }

    /// Returns whether an event is about the client's link, if about any.
    pub(super) fn takes(&self, event: &Event, number: Option<u64>) -> bool {
        let is_old = number.is_some_and(|number| number <= self.linked_after);
        !is_old || !event.is_of_link()
    }

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
