//! Rooms that span shards: tracks of other shards are as ours, but that what is asked of their
//! publishers goes to the shard they are on.

use std::{sync::Arc, time::Instant};

use super::Sfu;
use crate::{
    ids::{Kind, Rid, RoomId, TrackId},
    shard_message::{MessageBody, ShardMessage},
    track::{Origin, Track, packet::Packet},
};

impl Sfu {
    /// Says which shards have peers in a room; replaces what was said before, and this one need not
    /// be among them. Say it to each shard of the room and to each that is one no more; they may hear
    /// of it at different times, but each must hear in the same order.
    pub fn handle_room_shards(&mut self, now: Instant, room: RoomId, shards: &[u16]) {
        self.tick(now);
        let ours = self.config.shard;
        let others = shards.iter().copied().filter(|shard| *shard != ours);
        // Where nobody is, there is no room.
        let shards: Vec<u16> = others.filter(|_| shards.contains(&ours)).collect();
        let it = self.room(room);
        let before = std::mem::replace(&mut it.shards, shards.clone());
        for shard in shards.iter().filter(|shard| !before.contains(shard)) {
            // Whoever of the two hears of the other first is not listened to: the second greets, and
            // is told.
            self.relay(*shard, room, MessageBody::Joined);
            self.export_all(room, *shard);
        }
        for shard in before.iter().filter(|shard| !shards.contains(shard)) {
            self.forget_shard(room, *shard);
        }
        self.negotiate_all(room);
        self.forget_empty(room);
    }

    fn export_all(&mut self, room: RoomId, to: u16) {
        for id in self.tracks_in(room) {
            self.export(id, to);
        }
    }

    /// What came from a shard is no more, and what it wanted is not wanted.
    fn forget_shard(&mut self, room: RoomId, shard: u16) {
        for id in self.tracks_in(room) {
            match self.tracks.get_mut(&id) {
                Some(track) if track.origin == Origin::Shard(shard) => self.unpublish(id),
                Some(track) => track.shard_max_heights.retain(|(who, _)| *who != shard),
                None => {}
            }
        }
    }

    /// Takes what another shard has to say. What is of an unknown room or track is dropped.
    pub fn handle_shard_message(&mut self, now: Instant, relay: ShardMessage) {
        self.tick(now);
        let ShardMessage { to, from, room, body } = relay;
        let known = self.rooms.get(&room).is_some_and(|room| room.shards.contains(&from));
        if to != self.config.shard || !known {
            return;
        }
        match body {
            MessageBody::Joined => {
                self.forget_shard(room, from);
                self.export_all(room, from);
                self.negotiate_all(room);
            }
            MessageBody::Published { track, rids } => self.import(room, from, track, &rids),
            MessageBody::Unpublished { track } if self.is_from(track, from) => {
                self.unpublish(track);
                self.negotiate_all(room);
            }
            MessageBody::Media { track, rid, packet } if self.is_from(track, from) => {
                self.pass(track, rid, &packet);
            }
            MessageBody::MaxHeight { track, height } => {
                if let Some(it) = self.tracks.get_mut(&track) {
                    it.shard_max_heights.retain(|(who, _)| *who != from);
                    it.shard_max_heights.push((from, height));
                }
            }
            MessageBody::KeyframeRequest { track, rid } => {
                let it = self.tracks.get(&track).filter(|it| it.room == room);
                let index = it.and_then(|it| it.encodings.iter().position(|it| it.rid == rid));
                if let Some(index) = index {
                    self.want_keyframe(track, index);
                }
            }
            MessageBody::Unpublished { .. } | MessageBody::Media { .. } => {}
        }
    }

    fn is_from(&self, id: TrackId, shard: u16) -> bool {
        self.tracks.get(&id).is_some_and(|track| track.origin == Origin::Shard(shard))
    }

    fn import(&mut self, room: RoomId, from: u16, id: TrackId, rids: &[Rid]) {
        let full = self.rooms.get(&room).is_none_or(|it| it.tracks.len() >= self.most_tracks());
        // Whoever is here is published from here.
        if full || self.tracks.contains_key(&id) || self.peers.contains_key(&id.peer) {
            return;
        }
        self.publish(id, Track::new(room, Origin::Shard(from), rids));
        self.negotiate_all(room);
    }

    fn most_tracks(&self) -> usize {
        self.config.limits.room_peers.saturating_mul(4)
    }

    /// Tells a shard of a track that is published here.
    pub(super) fn export(&mut self, id: TrackId, to: u16) {
        let Some(track) = self.tracks.get(&id) else { return };
        if !matches!(track.origin, Origin::Section(_)) {
            return;
        }
        let rids = track.encodings.iter().filter_map(|it| it.rid).collect();
        let room = track.room;
        self.relay(to, room, MessageBody::Published { track: id, rids });
    }

    /// Sends a packet of a track of ours to the shards that want its encoding.
    pub(super) fn relay_media(&mut self, id: TrackId, encoding: usize, packet: &Packet) {
        let Some(track) = self.tracks.get(&id) else { return };
        let Some(room) = self.rooms.get(&track.room).filter(|room| !room.shards.is_empty()) else {
            return;
        };
        if !matches!(track.origin, Origin::Section(_)) {
            return;
        }
        let Some(rid) = track.encodings.get(encoding).map(|it| it.rid) else { return };
        let height = track.heights().nth(encoding);
        let video = id.source.kind() == Kind::Video;
        let wants = |shard: &&u16| {
            let interest = track.shard_max_heights.iter().find(|(who, _)| who == *shard);
            !video || interest.is_none_or(|(_, most)| height <= *most)
        };
        let mut shared = None;
        for shard in room.shards.iter().filter(wants) {
            if self.shard_messages.len() >= self.config.limits.shard_messages {
                self.dropped_shard_messages += 1;
                continue;
            }
            let packet = shared.get_or_insert_with(|| Arc::new(packet.clone())).clone();
            let body = MessageBody::Media { track: id, rid, packet };
            let (to, from) = (*shard, self.config.shard);
            self.shard_messages.push_back(ShardMessage { to, from, room: track.room, body });
        }
    }

    /// Tells the shard that a track comes from how high it is shown here.
    pub(super) fn tell_interest(&mut self, id: TrackId, height: Option<u16>) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let Origin::Shard(shard) = track.origin else { return };
        if track.shard_max_heights.first() != Some(&(shard, height)) {
            track.shard_max_heights = vec![(shard, height)];
            let room = track.room;
            self.relay(shard, room, MessageBody::MaxHeight { track: id, height });
        }
    }

    pub(super) fn relay(&mut self, to: u16, room: RoomId, body: MessageBody) {
        let from = self.config.shard;
        self.shard_messages.push_back(ShardMessage { to, from, room, body });
    }

    /// Asks a track's publisher for a keyframe, here or by the shard it is on.
    pub(super) fn request_keyframe(&mut self, id: TrackId, rid: Option<Rid>) {
        let Some(track) = self.tracks.get(&id) else { return };
        match track.origin {
            Origin::Shard(shard) => {
                let room = track.room;
                self.relay(shard, room, MessageBody::KeyframeRequest { track: id, rid });
            }
            Origin::Section(mid) => {
                let publisher = self.peers.get_mut(&id.peer).and_then(|it| it.link.as_mut());
                if let Some(link) = publisher {
                    link.request_keyframe(mid, rid);
                    self.mark(id.peer);
                }
            }
        }
    }
}
