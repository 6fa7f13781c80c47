//! Places of the links of a room, for the next node of the cluster that has the room.

use cluster::NodeId;
use room::protocol::ParticipantId;
use serde::{Deserialize, Serialize};
use sfu::{PeerId, RoomId};

use super::placement::Place;

/// The links of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FrozenLinks {
    room: u64,
    links: Vec<(ParticipantId, PeerId, String, u8)>,
}

/// The link of a participant.
pub(super) struct FrozenLink {
    pub(super) id: ParticipantId,
    pub(super) peer: PeerId,
    pub(super) node: NodeId,
    pub(super) shard: u8,
}

impl FrozenLinks {
    /// The links of a room of the node `own`.
    pub(super) fn new<'a>(
        room: RoomId,
        own: NodeId,
        links: impl Iterator<Item = (&'a ParticipantId, PeerId, Place)>,
    ) -> Self {
        let link = |(id, peer, place): (&ParticipantId, PeerId, Place)| {
            let node = place.node.unwrap_or(own).to_string();
            Some((id.clone(), peer, node, u8::try_from(place.shard).ok()?))
        };
        Self { room: room.0, links: links.filter_map(link).collect() }
    }

    pub(super) fn room(&self) -> RoomId {
        RoomId(self.room)
    }

    /// The links, without those of nodes whose ids a later version writes otherwise.
    pub(super) fn into_links(self) -> impl Iterator<Item = FrozenLink> {
        self.links.into_iter().filter_map(|(id, peer, node, shard)| {
            Some(FrozenLink { id, peer, node: NodeId::parse(&node)?, shard })
        })
    }
}
