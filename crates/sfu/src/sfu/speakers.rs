//! Active speakers, and the limit of microphones that are forwarded.

use super::{
    Sfu,
    room::{Microphone, Room, loudest},
};
use crate::{
    ids::{RoomId, Source, TrackId},
    output::{Event, Speaker},
};

impl Sfu {
    /// Updates the active speakers of a room. In a room with more microphones than the limit, mutes
    /// all but the loudest.
    pub(super) fn update_speakers(&mut self, room_id: RoomId) {
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        let mut speakers = Vec::new();
        let mut microphones = Vec::new();
        for track_id in room.tracks.iter().filter(|id| id.source == Source::Microphone) {
            let Some(track) = self.tracks.get_mut(track_id) else { continue };
            track.loudness.decay(self.now);
            speakers.push(Speaker { peer: track_id.peer, level: track.loudness.value() });
            microphones.push(Microphone {
                peer_id: track_id.peer,
                rank: track.loudness.rank(self.now),
                is_audible: !track.muted,
            });
        }
        if let Some(speakers) = room.update_speakers(self.now, speakers) {
            self.emit_speakers(room_id, speakers);
        }
        let max_audible = self.config.max_audible;
        let is_crowded = microphones.len() > max_audible;
        if is_crowded || microphones.iter().any(|microphone| !microphone.is_audible) {
            let audible = loudest(&microphones, max_audible);
            for Microphone { peer_id, .. } in microphones {
                let track_id = TrackId { peer: peer_id, source: Source::Microphone };
                self.set_muted(track_id, !audible.contains(&peer_id));
            }
        }
    }

    /// Emits the speakers on the first of a server's shards in a room. All of them know the
    /// speakers.
    fn emit_speakers(&mut self, room_id: RoomId, speakers: Vec<Speaker>) {
        let is_first = |room: &Room| room.siblings.iter().all(|other| *other > self.config.shard);
        if self.rooms.get(&room_id).is_some_and(is_first) {
            self.events.push_back(Event::Speakers { room: room_id, speakers });
        }
    }

    fn set_muted(&mut self, track_id: TrackId, muted: bool) {
        let Some(track) = self.tracks.get_mut(&track_id) else { return };
        if std::mem::replace(&mut track.muted, muted) == muted || !muted {
            return;
        }
        for subscriber in &track.subscribers {
            let Some(peer) = self.peers.get_mut(&subscriber.peer_id) else { continue };
            if let Some(section) = peer.pool.get_mut(subscriber.section) {
                section.state.rewriter.pause();
            }
        }
    }
}
