//! Rooms that span shards (cascade). Tracks of other shards are treated like local ones, except
//! that requests to their publishers are sent to the publisher's shard.

use std::{sync::Arc, time::Instant};

use super::Sfu;
use crate::{
    ids::{Kind, Rid, RoomId, TrackId},
    shard_message::{MessageBody, ShardMessage},
    track::{Origin, ShardMaxHeight, Track, packet::Packet},
};

impl Sfu {
    /// Sets the shards that have peers in a room. Replaces the previous list, which need not
    /// contain this shard. To be called on each shard of the room and on each that has left it. The
    /// shards may learn of changes at different times, but must learn of them in the same order.
    pub fn handle_room_shards(&mut self, now: Instant, room_id: RoomId, shards: &[u16]) {
        self.advance(now);
        let own = self.config.shard;
        // Without members of its own, this shard takes no part in the room.
        let others = shards.iter().copied().filter(|shard| *shard != own);
        let shards: Vec<u16> = others.filter(|_| shards.contains(&own)).collect();
        let room = self.room(room_id);
        let before = std::mem::replace(&mut room.shards, shards.clone());
        for shard in shards.iter().filter(|shard| !before.contains(shard)) {
            // The first of two shards to learn of the other is ignored there. The second one's
            // message makes the first send everything again.
            self.send_to_shard(*shard, room_id, MessageBody::Joined);
            self.announce_all(room_id, *shard);
        }
        for shard in before.iter().filter(|shard| !shards.contains(shard)) {
            self.remove_shard(room_id, *shard);
        }
        self.negotiate_all(room_id);
        self.remove_if_empty(room_id);
    }

    fn announce_all(&mut self, room_id: RoomId, to: u16) {
        for track_id in self.tracks_in(room_id) {
            self.announce_track(track_id, to);
        }
    }

    /// Removes the tracks that came from a shard, and the heights that it requested.
    fn remove_shard(&mut self, room_id: RoomId, shard: u16) {
        for track_id in self.tracks_in(room_id) {
            match self.tracks.get_mut(&track_id) {
                Some(track) if track.origin == Origin::Shard(shard) => self.unpublish(track_id),
                Some(track) => track.shard_max_heights.retain(|request| request.shard != shard),
                None => {}
            }
        }
    }

    /// Handles a message of another shard. Messages about unknown rooms or tracks are dropped.
    pub fn handle_shard_message(&mut self, now: Instant, message: ShardMessage) {
        self.advance(now);
        let ShardMessage { to, from, room: room_id, body } = message;
        let is_known = self.rooms.get(&room_id).is_some_and(|room| room.shards.contains(&from));
        if to != self.config.shard || !is_known {
            return;
        }
        match body {
            MessageBody::Joined => {
                self.remove_shard(room_id, from);
                self.announce_all(room_id, from);
                self.negotiate_all(room_id);
            }
            MessageBody::Published { track, rids } => {
                self.add_remote_track(room_id, from, track, &rids);
            }
            MessageBody::Unpublished { track } if self.is_from(track, from) => {
                self.unpublish(track);
                self.negotiate_all(room_id);
            }
            MessageBody::Media { track, rid, packet } if self.is_from(track, from) => {
                self.forward(track, rid, &packet);
            }
            MessageBody::MaxHeight { track, height } => {
                if let Some(track) = self.tracks.get_mut(&track) {
                    track.shard_max_heights.retain(|request| request.shard != from);
                    track.shard_max_heights.push(ShardMaxHeight { shard: from, height });
                }
            }
            MessageBody::KeyframeRequest { track: track_id, rid } => {
                let track = self.tracks.get(&track_id).filter(|track| track.room == room_id);
                let index = track.and_then(|track| {
                    track.encodings.iter().position(|encoding| encoding.rid == rid)
                });
                if let Some(index) = index {
                    self.need_keyframe(track_id, index);
                }
            }
            MessageBody::Unpublished { .. } | MessageBody::Media { .. } => {}
        }
    }

    fn is_from(&self, track_id: TrackId, shard: u16) -> bool {
        self.tracks.get(&track_id).is_some_and(|track| track.origin == Origin::Shard(shard))
    }

    fn add_remote_track(&mut self, room_id: RoomId, from: u16, track_id: TrackId, rids: &[Rid]) {
        let max_tracks = self.max_tracks();
        let is_full = self.rooms.get(&room_id).is_none_or(|room| room.tracks.len() >= max_tracks);
        // The tracks of a local peer are published here.
        let is_local = self.peers.contains_key(&track_id.peer);
        if is_full || is_local || self.tracks.contains_key(&track_id) {
            return;
        }
        self.publish(track_id, Track::new(room_id, Origin::Shard(from), rids));
        self.negotiate_all(room_id);
    }

    /// Announces a local track to another shard.
    pub(super) fn announce_track(&mut self, track_id: TrackId, to: u16) {
        let Some(track) = self.tracks.get(&track_id) else { return };
        if !matches!(track.origin, Origin::Section(_)) {
            return;
        }
        let rids = track.encodings.iter().filter_map(|encoding| encoding.rid).collect();
        let room_id = track.room;
        self.send_to_shard(to, room_id, MessageBody::Published { track: track_id, rids });
    }

    /// Sends a packet of a local track to the shards that need its encoding.
    pub(super) fn forward_to_shards(
        &mut self,
        track_id: TrackId,
        encoding: usize,
        packet: &Packet,
    ) {
        let Some(track) = self.tracks.get(&track_id) else { return };
        let room = self.rooms.get(&track.room).filter(|room| !room.shards.is_empty());
        let Some(room) = room else { return };
        if !matches!(track.origin, Origin::Section(_)) {
            return;
        }
        let Some(rid) = track.encodings.get(encoding).map(|encoding| encoding.rid) else { return };
        let height = track.heights().nth(encoding);
        let is_audio = track_id.source.kind() == Kind::Audio;
        let needs_it = |shard: &&u16| {
            let mut requests = track.shard_max_heights.iter();
            let request = requests.find(|request| request.shard == **shard);
            is_audio || request.is_none_or(|request| height <= request.height)
        };
        let mut shared = None;
        for shard in room.shards.iter().filter(needs_it) {
            if self.shard_messages.len() >= self.config.limits.shard_messages {
                self.dropped_shard_messages += 1;
                continue;
            }
            let packet = shared.get_or_insert_with(|| Arc::new(packet.clone())).clone();
            self.shard_messages.push_back(ShardMessage {
                to: *shard,
                from: self.config.shard,
                room: track.room,
                body: MessageBody::Media { track: track_id, rid, packet },
            });
        }
    }

    /// Requests the encodings of a remote track up to a height, if it has changed.
    pub(super) fn request_max_height(&mut self, track_id: TrackId, height: Option<u16>) {
        let Some(track) = self.tracks.get_mut(&track_id) else { return };
        let Origin::Shard(shard) = track.origin else { return };
        let request = ShardMaxHeight { shard, height };
        if track.shard_max_heights.first() != Some(&request) {
            track.shard_max_heights = vec![request];
            let room_id = track.room;
            self.send_to_shard(shard, room_id, MessageBody::MaxHeight { track: track_id, height });
        }
    }

    pub(super) fn send_to_shard(&mut self, to: u16, room_id: RoomId, body: MessageBody) {
        let from = self.config.shard;
        self.shard_messages.push_back(ShardMessage { to, from, room: room_id, body });
    }

    /// Requests a keyframe from a track's publisher, if need be through the publisher's shard.
    pub(super) fn request_keyframe(&mut self, track_id: TrackId, rid: Option<Rid>) {
        let Some(track) = self.tracks.get(&track_id) else { return };
        self.counts.keyframe_requests_sent += 1;
        match track.origin {
            Origin::Shard(shard) => {
                let room_id = track.room;
                let body = MessageBody::KeyframeRequest { track: track_id, rid };
                self.send_to_shard(shard, room_id, body);
            }
            Origin::Section(mid) => {
                let publisher = self.peers.get_mut(&track_id.peer);
                if let Some(link) = publisher.and_then(|peer| peer.link.as_mut()) {
                    link.request_keyframe(mid, rid);
                    self.queue_drain(track_id.peer);
                }
            }
        }
    }
}
