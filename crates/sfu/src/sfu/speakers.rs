//! Who speaks, and who is heard.

use super::{
    Sfu,
    room::{self, Room},
};
use crate::{
    ids::{PeerId, RoomId, Source, TrackId},
    output::{Event, Speaker},
    track::Subscriber,
};

impl Sfu {
    /// Takes in who speaks in a room; of very many, only the loudest are heard.
    pub(super) fn listen(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let microphones = room.tracks.iter().filter(|id| id.source == Source::Microphone);
        let microphones = microphones.filter_map(|id| {
            let microphone = self.tracks.get_mut(id)?;
            microphone.loudness.decay(self.now);
            let rank = microphone.loudness.rank(self.now);
            Some((id.peer, microphone.loudness.value(), (rank, !microphone.muted)))
        });
        let microphones: Vec<_> = microphones.collect();
        let loud = microphones.iter().map(|(peer, loudness, _)| (*peer, *loudness)).collect();
        if let Some(speakers) = room.listen(self.now, loud) {
            self.tell_speakers(id, &speakers);
        }
        let many = microphones.len() > self.config.max_audible;
        if many || microphones.iter().any(|(.., (_, heard))| !heard) {
            let all: Vec<PeerId> = microphones.iter().map(|(peer, ..)| *peer).collect();
            let ranked =
                microphones.into_iter().map(|(peer, _, (rank, heard))| (peer, rank, heard));
            let audible = room::audible(ranked.collect(), self.config.max_audible);
            for peer in all {
                self.mute(TrackId { peer, source: Source::Microphone }, !audible.contains(&peer));
            }
        }
    }

    /// Of the shards that a room spans all know who speaks, and the first one tells.
    fn tell_speakers(&mut self, room: RoomId, speakers: &[(PeerId, u8)]) {
        let first = |room: &Room| room.shards.iter().all(|other| *other > self.config.shard);
        if !self.rooms.get(&room).is_some_and(first) {
            return;
        }
        let speakers = speakers.iter().map(|(peer, level)| Speaker { peer: *peer, level: *level });
        self.events.push_back(Event::Speakers { room, speakers: speakers.collect() });
    }

    fn mute(&mut self, id: TrackId, muted: bool) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        if std::mem::replace(&mut track.muted, muted) == muted || !muted {
            return;
        }
        for Subscriber { peer_id: peer, section } in &track.subscribers {
            let Some(it) = self.peers.get_mut(peer) else { continue };
            if let Some(section) = it.pool.get_mut(*section) {
                section.state.rewriter.pause();
            }
        }
    }
}
