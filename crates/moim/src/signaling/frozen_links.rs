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

    /// The same without the links of those who are not in the room: the log has a leave before the
    /// end of its link.
    pub(super) fn of(mut self, is_there: impl Fn(&ParticipantId) -> bool) -> Self {
        self.links.retain(|(id, ..)| is_there(id));
        self
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_those_who_left_are_not_taken_over() {
        let own = NodeId::parse("7.0000000000000001").unwrap();
        let [mina, ben]: [ParticipantId; 2] =
            ["mina", "ben"].map(|id| serde_json::from_value(id.into()).unwrap());
        let place = Place { node: None, shard: 1 };
        let links = [(&mina, PeerId(1), place), (&ben, PeerId(2), place)];
        let links = FrozenLinks::new(RoomId(5), own, links.into_iter());
        let left = links.of(|id| *id == mina);
        assert_eq!(left.room(), RoomId(5));
        let peers: Vec<_> = left.into_links().map(|link| (link.id, link.peer)).collect();
        assert_eq!(peers, [(mina, PeerId(1))]);
    }
}
