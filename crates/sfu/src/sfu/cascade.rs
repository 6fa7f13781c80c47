//! Rooms that span shards (cascade), of this server and of others. Tracks of other shards are
//! treated like local ones, except that requests to their publishers are sent to the shard that
//! they come from.
//!
//! Each server has one ingress shard for a room, where its siblings get the tracks of other servers,
//! so an encoding crosses once to each server.

use std::{sync::Arc, time::Instant};

use super::{RemoteShard, Sfu, room::Room};
use crate::{
    ids::{Kind, Rid, RoomId, TrackId},
    shard_message::{MessageBody, ShardMessage},
    track::{Origin, ShardInterest, Track, packet::Packet},
};

impl Sfu {
    /// Sets the shards of this server that have peers in a room, or are its ingress. Replaces the previous list, which need not
    /// contain this shard. To be called on each shard of the room and on each that has left it. The
    /// shards may learn of changes at different times, but must learn of them in the same order.
    pub fn handle_room_shards(&mut self, now: Instant, room_id: RoomId, shards: &[u16]) {
        self.advance(now);
        let own = self.config.shard;
        // Unless it is listed, this shard takes no part in the room.
        let others = shards.iter().copied().filter(|shard| *shard != own);
        let shards: Vec<u16> = others.filter(|_| shards.contains(&own)).collect();
        let room = self.room(room_id);
        let before = std::mem::replace(&mut room.siblings, shards.clone());
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

    /// Sets the shards of other servers that exchange tracks of a room with this one. Replaces the
    /// previous list. For an ingress shard, these are all shards of other servers in the room; for
    /// others, the ingress shards of the other servers. Empty if this shard has no part in the room.
    pub fn handle_remote_shards(&mut self, now: Instant, room_id: RoomId, remotes: &[RemoteShard]) {
        self.advance(now);
        let room = self.room(room_id);
        let before = std::mem::replace(&mut room.remotes, remotes.to_vec());
        for remote in remotes.iter().filter(|remote| !before.contains(remote)) {
            self.send_to_shard(remote.shard, room_id, MessageBody::Joined);
            self.announce_all(room_id, remote.shard);
        }
        let is_gone = |shard: u16| remotes.iter().all(|remote| remote.shard != shard);
        for remote in before.iter().filter(|remote| is_gone(remote.shard)) {
            self.remove_shard(room_id, remote.shard);
            if !self.has_remote_shard(remote.shard) {
                self.forget_remote_limit(remote.shard);
            }
        }
        self.negotiate_all(room_id);
        self.remove_if_empty(room_id);
    }

    /// Handles a new connection to a shard of another server. Both sides send what they have: what
    /// they sent before may be lost.
    pub fn handle_shard_connected(&mut self, now: Instant, shard: u16) {
        self.advance(now);
        for room_id in self.rooms_with_remote(shard) {
            self.send_to_shard(shard, room_id, MessageBody::Joined);
            self.announce_all(room_id, shard);
        }
    }

    /// Removes the tracks of a shard of another server whose connection is lost.
    pub fn handle_shard_disconnected(&mut self, now: Instant, shard: u16) {
        self.advance(now);
        self.forget_remote_limit(shard);
        for room_id in self.rooms_with_remote(shard) {
            self.remove_shard(room_id, shard);
            self.negotiate_all(room_id);
        }
    }

    /// Returns whether any room has this shard of another server.
    #[must_use]
    pub fn has_remote_shard(&self, shard: u16) -> bool {
        self.rooms.values().any(|room| room.remotes.iter().any(|remote| remote.shard == shard))
    }

    fn rooms_with_remote(&self, shard: u16) -> Vec<RoomId> {
        let has_it = |room: &Room| room.remotes.iter().any(|remote| remote.shard == shard);
        let mut rooms: Vec<RoomId> =
            self.rooms.iter().filter(|(_, room)| has_it(room)).map(|(id, _)| *id).collect();
        rooms.sort_unstable();
        rooms
    }

    fn announce_all(&mut self, room_id: RoomId, to: u16) {
        for track_id in self.tracks_in(room_id) {
            self.announce_track(track_id, to);
        }
    }

    /// Removes the tracks that came from a shard, and its interest in others.
    fn remove_shard(&mut self, room_id: RoomId, shard: u16) {
        for track_id in self.tracks_in(room_id) {
            match self.tracks.get_mut(&track_id) {
                Some(track) if track.origin.shard() == Some(shard) => self.unpublish(track_id),
                Some(track) => track.shard_interests.retain(|interest| interest.shard != shard),
                None => {}
            }
        }
    }

    /// Handles a message of another shard. Messages about unknown rooms or tracks are dropped.
    pub fn handle_shard_message(&mut self, now: Instant, message: ShardMessage) {
        self.advance(now);
        let ShardMessage { to, from, room: room_id, body } = message;
        if to != self.config.shard {
            return;
        }
        // Media names no room between servers.
        if let MessageBody::Media { track, rid, packet } = body {
            if self.is_from(track, from) {
                self.forward(track, rid, &packet);
            }
            return;
        }
        if !self.rooms.get(&room_id).is_some_and(|room| room.has_shard(from)) {
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
            MessageBody::Interest { track: track_id, encodings } => {
                if !self.is_sent_to(track_id, room_id, from) {
                    return;
                }
                if let Some(track) = self.tracks.get_mut(&track_id) {
                    track.shard_interests.retain(|interest| interest.shard != from);
                    track.shard_interests.push(ShardInterest { shard: from, encodings });
                    self.update_interest(track_id);
                }
            }
            MessageBody::KeyframeRequest { track: track_id, rid } => {
                if !self.is_sent_to(track_id, room_id, from) {
                    return;
                }
                let track = self.tracks.get(&track_id);
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
        self.tracks.get(&track_id).is_some_and(|track| track.origin.shard() == Some(shard))
    }

    /// Returns whether a track belongs to a room, and is sent to a shard.
    fn is_sent_to(&self, track_id: TrackId, room_id: RoomId, shard: u16) -> bool {
        let Some(track) = self.tracks.get(&track_id).filter(|track| track.room == room_id) else {
            return false;
        };
        let room = self.rooms.get(&room_id);
        room.is_some_and(|room| room.receivers(track.origin).any(|receiver| receiver == shard))
    }

    fn add_remote_track(&mut self, room_id: RoomId, from: u16, track_id: TrackId, rids: &[Rid]) {
        // The tracks of a local peer are published here.
        if self.peers.contains_key(&track_id.peer) {
            return;
        }
        match self.tracks.get(&track_id) {
            // A participant whose link has moved: the removal of the earlier one may come later, and
            // is then ignored.
            Some(known) if known.room == room_id && known.origin.shard() != Some(from) => {
                self.unpublish(track_id);
            }
            Some(_) => return,
            None => {}
        }
        let max_tracks = self.max_tracks();
        if self.rooms.get(&room_id).is_none_or(|room| room.tracks.len() >= max_tracks) {
            return;
        }
        let room = self.rooms.get(&room_id);
        let origin = match room.is_some_and(|room| room.siblings.contains(&from)) {
            true => Origin::Sibling(from),
            false => Origin::Remote(from),
        };
        self.publish(track_id, Track::new(room_id, origin, rids));
        self.negotiate_all(room_id);
    }

    /// Announces a track to another shard, if it is sent there.
    pub(super) fn announce_track(&mut self, track_id: TrackId, to: u16) {
        let Some(track) = self.tracks.get(&track_id) else { return };
        if !self.is_sent_to(track_id, track.room, to) {
            return;
        }
        let rids = track.encodings.iter().filter_map(|encoding| encoding.rid).collect();
        let room_id = track.room;
        self.send_to_shard(to, room_id, MessageBody::Published { track: track_id, rids });
    }

    /// Sends a packet to the shards that need its encoding.
    pub(super) fn forward_to_shards(
        &mut self,
        track_id: TrackId,
        encoding: usize,
        packet: &Packet,
    ) {
        let Some(track) = self.tracks.get(&track_id) else { return };
        let is_alone = |room: &&Room| room.siblings.is_empty() && room.remotes.is_empty();
        let Some(room) = self.rooms.get(&track.room).filter(|room| !is_alone(room)) else { return };
        let Some(rid) = track.encodings.get(encoding).map(|encoding| encoding.rid) else { return };
        let is_audio = track_id.source.kind() == Kind::Audio;
        let needs_it = |shard: &u16| is_audio || track.is_needed_by(*shard, rid);
        let mut shared = None;
        for shard in room.receivers(track.origin).filter(needs_it) {
            if self.shard_messages.len() >= self.config.limits.shard_messages {
                self.dropped_shard_messages += 1;
                continue;
            }
            let packet = shared.get_or_insert_with(|| Arc::new(packet.clone())).clone();
            self.shard_messages.push_back(ShardMessage {
                to: shard,
                from: self.config.shard,
                room: track.room,
                body: MessageBody::Media { track: track_id, rid, packet },
            });
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
            Origin::Sibling(shard) | Origin::Remote(shard) => {
                let room_id = track.room;
                // The keyframe must not be sent before the encoding is.
                self.update_interest(track_id);
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
