//! A room's members, tracks and active speakers.

use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

use crate::{
    ids::{PeerId, TrackId},
    output::Speaker,
    track::Origin,
};

/// Level from which on a peer counts as speaking: -50 dBov, above the noise of a quiet room.
const SPEAKING_LEVEL: u8 = 77;
/// Minimum interval between two updates of the speakers.
const SPEAKERS_INTERVAL: Duration = Duration::from_millis(300);
/// Hysteresis (dB): a peer must be louder by this much to become dominant, or audible.
const MARGIN_DB: u8 = 6;

#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Peers of this shard.
    pub(crate) members: Vec<PeerId>,
    /// Other shards of this server with peers in the room.
    pub(crate) siblings: Vec<u16>,
    /// Shards of other servers that exchange tracks of the room with this one.
    pub(crate) remotes: Vec<RemoteShard>,
    /// Tracks of all shards.
    pub(crate) tracks: Vec<TrackId>,
    pub(crate) dominant_speaker: Option<PeerId>,
    /// Speakers as last emitted.
    emitted: Vec<Speaker>,
    emitted_at: Option<Instant>,
    /// Time of the last sample of the quality.
    pub(crate) sampled_at: Option<Instant>,
}

/// A shard of another server that takes part in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteShard {
    /// Its number.
    pub shard: u16,
    /// True if it is the room's ingress shard on its server, which receives the tracks of others.
    pub is_ingress: bool,
}

/// A microphone that may be forwarded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Microphone {
    pub(crate) peer_id: PeerId,
    /// Loudness for the comparison.
    pub(crate) rank: u8,
    /// True if it is forwarded now.
    pub(crate) is_audible: bool,
}

impl Room {
    /// Takes the levels of all microphones and chooses the dominant speaker. Returns the active
    /// speakers, loudest first, if they have changed noticeably.
    pub(crate) fn update_speakers(
        &mut self,
        now: Instant,
        mut speakers: Vec<Speaker>,
    ) -> Option<Vec<Speaker>> {
        speakers.retain(|speaker| speaker.level >= SPEAKING_LEVEL);
        speakers.sort_by_key(|speaker| (Reverse(speaker.level), speaker.peer));
        let dominant = self
            .dominant_speaker
            .and_then(|dominant| speakers.iter().find(|speaker| speaker.peer == dominant));
        if let Some(loudest) = speakers.first()
            && dominant.is_none_or(|held| loudest.level >= held.level.saturating_add(MARGIN_DB))
        {
            self.dominant_speaker = Some(loudest.peer);
        }
        let coarse = |speakers: &[Speaker]| -> Vec<(PeerId, u8)> {
            speakers.iter().map(|speaker| (speaker.peer, speaker.level / MARGIN_DB)).collect()
        };
        let rested = |at: Instant| now.saturating_duration_since(at) >= SPEAKERS_INTERVAL;
        if !self.emitted_at.is_none_or(rested) || coarse(&speakers) == coarse(&self.emitted) {
            return None;
        }
        self.emitted.clone_from(&speakers);
        self.emitted_at = Some(now);
        Some(speakers)
    }

    /// Returns whether a shard takes part in the room.
    pub(crate) fn has_shard(&self, shard: u16) -> bool {
        self.siblings.contains(&shard) || self.remotes.iter().any(|remote| remote.shard == shard)
    }

    /// The shards that a track is sent to. One of this shard goes to its siblings and once to each
    /// other server; one of another server to the siblings only; one of a sibling to none. So no
    /// track returns to where it came from.
    pub(crate) fn receivers(&self, origin: Origin) -> impl Iterator<Item = u16> + '_ {
        let is_own = matches!(origin, Origin::Section(_));
        let is_siblings = matches!(origin, Origin::Sibling(_));
        let siblings = self.siblings.iter().filter(move |_| !is_siblings).copied();
        let remotes = self.remotes.iter().filter(move |remote| is_own && remote.is_ingress);
        siblings.chain(remotes.map(|remote| remote.shard))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.siblings.is_empty() && self.remotes.is_empty()
    }

    pub(crate) fn remove(&mut self, peer_id: PeerId) {
        self.members.retain(|member| *member != peer_id);
        if self.dominant_speaker == Some(peer_id) {
            self.dominant_speaker = None;
        }
    }
}

/// Chooses the microphones of up to `max` participants to forward. Those forwarded now win against
/// equally loud ones. Two links of a participant send the same.
pub(crate) fn loudest(microphones: &[Microphone], max: usize) -> Vec<PeerId> {
    let mut ranked = microphones.to_vec();
    ranked.sort_by_key(|microphone| {
        let bonus = if microphone.is_audible { MARGIN_DB } else { 0 };
        (Reverse(microphone.rank.saturating_add(bonus)), microphone.peer_id)
    });
    let mut participants = Vec::new();
    for Microphone { peer_id, .. } in &ranked {
        if participants.len() < max && !participants.contains(&peer_id.participant()) {
            participants.push(peer_id.participant());
        }
    }
    ranked.retain(|microphone| participants.contains(&microphone.peer_id.participant()));
    ranked.into_iter().map(|microphone| microphone.peer_id).collect()
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    const ANN: PeerId = PeerId(1);
    const BOB: PeerId = PeerId(2);

    fn speakers(levels: &[(PeerId, u8)]) -> Vec<Speaker> {
        levels.iter().map(|(peer, level)| Speaker { peer: *peer, level: *level }).collect()
    }

    #[test]
    fn clearly_louder_peer_becomes_dominant_and_a_pause_changes_nothing() {
        let mut clock = Clock::new();
        let mut room = Room::default();
        let emitted = room.update_speakers(clock.now(), speakers(&[(BOB, 80), (ANN, 100)]));
        assert_eq!(emitted, Some(speakers(&[(ANN, 100), (BOB, 80)])));
        clock.advance(SPEAKERS_INTERVAL);
        let unchanged = room.update_speakers(clock.now(), speakers(&[(ANN, 100), (BOB, 80)]));
        assert_eq!(unchanged, None);
        room.update_speakers(clock.now(), speakers(&[(ANN, 100), (BOB, 103)]));
        assert_eq!(room.dominant_speaker, Some(ANN));
        room.update_speakers(clock.now(), speakers(&[(ANN, 20), (BOB, 20)]));
        assert_eq!(room.dominant_speaker, Some(ANN), "a pause does not change the speaker");
        room.update_speakers(clock.now(), speakers(&[(ANN, 20), (BOB, 90)]));
        assert_eq!(room.dominant_speaker, Some(BOB));
    }

    #[test]
    fn loudest_microphones_are_forwarded_and_keep_their_place_against_equals() {
        let microphone =
            |peer, rank, is_audible| Microphone { peer_id: PeerId(peer), rank, is_audible };
        let all = [microphone(1, 90, false), microphone(2, 88, true), microphone(3, 60, true)];
        assert_eq!(loudest(&all, 2), [PeerId(2), PeerId(1)]);
        let (twin, other) = (PeerId(2).twin(), PeerId(3));
        let all = [all[0], all[1], all[2], Microphone { peer_id: twin, ..all[1] }];
        assert_eq!(loudest(&all, 2), [PeerId(2), twin, PeerId(1)], "of two people: not {other:?}");
    }
}
