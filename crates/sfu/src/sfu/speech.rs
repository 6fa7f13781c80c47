//! Who speaks, and who is heard.

use super::Sfu;
use crate::{
    ids::{PeerId, RoomId, Source, TrackId},
    output::{Event, Speaker},
    packet::Packet,
    room::{self, Room},
    track::Track,
};
use std::time::{Duration, Instant};

/// Discontinuous transmission still sends about every 400 ms (RFC 6716 §2.1.9).
const PAUSE: Duration = Duration::from_millis(600);

/// A level that was told stands for so long for packets that tell none.
const TOLD: Duration = Duration::from_secs(5);
/// Payloads up to this length are comfort noise or discontinuous transmission: Opus codes silence in
/// three bytes, and speech at its lowest rate in fifteen.
const COMFORT_NOISE: usize = 12;
/// Loudness of a voice that does not tell it: that of somebody who speaks calmly.
const UNKNOWN: u8 = 87;

impl Track {
    /// Takes in how loud a packet says it is (RFC 6464): up at once, down slowly, so that the
    /// pauses between words are none. What does not say it is judged by its length.
    pub(super) fn hear(&mut self, packet: &Packet) {
        let loudness = match packet.extensions.audio_level {
            Some(level) => {
                self.level_told = Some(packet.at);
                127_u8.saturating_sub(level.loudness.unsigned_abs())
            }
            None if self.tells_level(packet.at) => return,
            None if packet.payload.len() > COMFORT_NOISE => UNKNOWN,
            None => 0,
        };
        self.heard = Some(packet.at);
        self.loudness = if loudness >= self.loudness {
            self.loudness / 2 + loudness.div_ceil(2)
        } else {
            self.loudness - (self.loudness - loudness).div_ceil(16)
        };
    }

    fn tells_level(&self, now: Instant) -> bool {
        self.level_told.is_some_and(|at| now.saturating_duration_since(at) < TOLD)
    }

    /// How loud it is taken to be where only the loudest are passed on: a voice of unknown loudness
    /// may be the loudest.
    fn rank(&self, now: Instant) -> u8 {
        let may_be_louder = self.loudness > 0 && !self.tells_level(now);
        if may_be_louder { u8::MAX } else { self.loudness }
    }

    /// Who sends nothing says nothing.
    fn fall_silent(&mut self, now: Instant) {
        let heard = self.heard.is_some_and(|at| now.saturating_duration_since(at) < PAUSE);
        if !heard {
            self.loudness -= self.loudness.div_ceil(4);
        }
    }
}

impl Sfu {
    /// Takes in who speaks in a room; of very many, only the loudest are heard.
    pub(super) fn listen(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let microphones = room.tracks.iter().filter(|id| id.source == Source::Microphone);
        let microphones = microphones.filter_map(|id| {
            let microphone = self.tracks.get_mut(id)?;
            microphone.fall_silent(self.now);
            let rank = microphone.rank(self.now);
            Some((id.peer, microphone.loudness, (rank, !microphone.muted)))
        });
        let microphones: Vec<_> = microphones.collect();
        let loud = microphones.iter().map(|(peer, loudness, _)| (*peer, *loudness)).collect();
        if let Some(speakers) = room.listen(self.now, loud) {
            self.tell_speakers(id, &speakers);
        }
        let many = microphones.len() > self.config.audible;
        if many || microphones.iter().any(|(.., (_, heard))| !heard) {
            let all: Vec<PeerId> = microphones.iter().map(|(peer, ..)| *peer).collect();
            let ranked =
                microphones.into_iter().map(|(peer, _, (rank, heard))| (peer, rank, heard));
            let audible = room::audible(ranked.collect(), self.config.audible);
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
        for (peer, section) in &track.subscribers {
            let Some(it) = self.peers.get_mut(peer) else { continue };
            if let Some(section) = it.pool.get_mut(*section) {
                section.state.forwarder.pause();
            }
        }
    }
}
