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
    /// The room also has peers on other shards, of this node or others.
    spans_shards: bool,
    /// This node tells the room of its speakers.
    tells_speakers: bool,
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

    /// The room of a peer.
    pub(super) fn room_of_peer(&self, peer: PeerId) -> Option<RoomId> {
        self.peers.get(&peer).map(|entry| entry.room)
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

    /// Returns whether this node tells a room of its speakers.
    pub(super) fn tells_speakers(&self, room: RoomId) -> bool {
        self.rooms.get(&room).is_some_and(|handle| handle.tells_speakers)
    }

    /// Records whether a room has peers on this shard and on others, and whether this node tells it
    /// of speakers.
    pub(super) fn set_span(
        &mut self,
        room: RoomId,
        spans_shards: bool,
        tells_speakers: bool,
        events: &EventSender,
    ) {
        let handle = self.handle(room, events);
        (handle.spans_shards, handle.tells_speakers) = (spans_shards, tells_speakers);
        self.remove_if_unused(room);
    }

    /// Has events of a room and of these peers go elsewhere. Returns other peers of the room.
    pub(super) fn adopt(
        &mut self,
        room: RoomId,
        peers: &[PeerId],
        events: &EventSender,
    ) -> Vec<PeerId> {
        if let Some(handle) = self.rooms.get_mut(&room) {
            handle.events = events.clone();
        }
        let mut others = Vec::new();
        for (peer, entry) in self.peers.iter_mut().filter(|(_, entry)| entry.room == room) {
            entry.events = events.clone();
            if !peers.contains(peer) {
                others.push(*peer);
            }
        }
        others
    }

    fn handle(&mut self, room: RoomId, events: &EventSender) -> &mut RoomHandle {
        self.rooms.entry(room).or_insert_with(|| RoomHandle {
            events: events.clone(),
            peers: 0,
            spans_shards: false,
            tells_speakers: true,
        })
    }

    fn remove_if_unused(&mut self, room: RoomId) {
        let handle = self.rooms.get(&room);
        if handle.is_some_and(|handle| handle.peers == 0 && !handle.spans_shards) {
            self.rooms.remove(&room);
        }
    }
}
