//! The rooms and peers of a shard, and their event channels.

use std::collections::HashMap;

use sfu::{PeerId, RoomId};

use super::events::EventSender;

/// The rooms that are on this shard, alone or among others.
#[derive(Default)]
pub(super) struct Rooms {
    peers: HashMap<PeerId, PeerEntry>,
    rooms: HashMap<RoomId, RoomHandle>,
}

struct PeerEntry {
    room: RoomId,
    events: EventSender,
}

struct RoomHandle {
    events: EventSender,
    /// Peers of the room on this shard.
    peers: usize,
    /// The room also has peers on other shards.
    spans_shards: bool,
}

impl Rooms {
    /// Counts the rooms.
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Lists all peers.
    pub(super) fn peers(&self) -> Vec<PeerId> {
        self.peers.keys().copied().collect()
    }

    pub(super) fn has_peer(&self, peer: PeerId) -> bool {
        self.peers.contains_key(&peer)
    }

    /// The event channel of a peer's room.
    pub(super) fn events_of_peer(&self, peer: PeerId) -> Option<&EventSender> {
        self.peers.get(&peer).map(|entry| &entry.events)
    }

    pub(super) fn events_of_room(&self, room: RoomId) -> Option<&EventSender> {
        self.rooms.get(&room).map(|handle| &handle.events)
    }

    pub(super) fn add_peer(&mut self, room: RoomId, peer: PeerId, events: EventSender) {
        self.handle(room, &events).peers += 1;
        self.peers.insert(peer, PeerEntry { room, events });
    }

    pub(super) fn remove_peer(&mut self, peer: PeerId) {
        let Some(entry) = self.peers.remove(&peer) else { return };
        if let Some(handle) = self.rooms.get_mut(&entry.room) {
            handle.peers -= 1;
        }
        self.remove_if_unused(entry.room);
    }

    /// Records whether a room has peers on this shard and on others.
    pub(super) fn set_spans_shards(
        &mut self,
        room: RoomId,
        spans_shards: bool,
        events: &EventSender,
    ) {
        self.handle(room, events).spans_shards = spans_shards;
        self.remove_if_unused(room);
    }

    fn handle(&mut self, room: RoomId, events: &EventSender) -> &mut RoomHandle {
        self.rooms.entry(room).or_insert_with(|| RoomHandle {
            events: events.clone(),
            peers: 0,
            spans_shards: false,
        })
    }

    fn remove_if_unused(&mut self, room: RoomId) {
        let handle = self.rooms.get(&room);
        if handle.is_some_and(|handle| handle.peers == 0 && !handle.spans_shards) {
            self.rooms.remove(&room);
        }
    }
}
