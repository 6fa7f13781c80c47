//! Who is in a room, and who of them speaks.

use std::time::{Duration, Instant};

use crate::ids::{PeerId, TrackId};

/// Loudness from which on somebody speaks: -50 dBov, above the noise of a quiet room.
const SPEAKS: u8 = 77;
/// Speakers are told at most so often.
const TELL: Duration = Duration::from_millis(300);
/// How much louder another must be to take the floor, and a silent one to be heard, in dB.
const MARGIN: u8 = 6;

#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Those whose link is on this shard.
    pub(crate) members: Vec<PeerId>,
    /// Other shards with peers in it.
    pub(crate) shards: Vec<u16>,
    /// What is published in it, on whichever shard.
    pub(crate) tracks: Vec<TrackId>,
    /// Who has the floor.
    pub(crate) speaker: Option<PeerId>,
    told: Vec<(PeerId, u8)>,
    told_at: Option<Instant>,
}

impl Room {
    /// Takes in how loud everyone is; gives the speakers, loudest first, if that is news.
    pub(crate) fn listen(
        &mut self,
        now: Instant,
        mut loud: Vec<(PeerId, u8)>,
    ) -> Option<Vec<(PeerId, u8)>> {
        loud.retain(|(_, loudness)| *loudness >= SPEAKS);
        loud.sort_by_key(|(peer, loudness)| (std::cmp::Reverse(*loudness), *peer));
        let floor = self.speaker.and_then(|speaker| loud.iter().find(|(peer, _)| *peer == speaker));
        if let Some((peer, loudness)) = loud.first()
            && floor.is_none_or(|(_, holder)| *loudness >= holder.saturating_add(MARGIN))
        {
            self.speaker = Some(*peer);
        }
        // Differences that nobody would see are no news.
        let coarse = |list: &[(PeerId, u8)]| -> Vec<(PeerId, u8)> {
            list.iter().map(|(peer, loudness)| (*peer, loudness / MARGIN)).collect()
        };
        let rested = self.told_at.is_none_or(|at| now.saturating_duration_since(at) >= TELL);
        if !rested || coarse(&loud) == coarse(&self.told) {
            return None;
        }
        self.told.clone_from(&loud);
        self.told_at = Some(now);
        Some(loud)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.shards.is_empty()
    }

    pub(crate) fn remove(&mut self, peer: PeerId) {
        self.members.retain(|member| *member != peer);
        if self.speaker == Some(peer) {
            self.speaker = None;
        }
    }
}

/// Of microphones, each with its loudness and whether it is heard: those to be heard.
pub(crate) fn audible(mut all: Vec<(PeerId, u8, bool)>, most: usize) -> Vec<PeerId> {
    let rank = |(peer, loudness, heard): &(PeerId, u8, bool)| {
        let bonus = if *heard { MARGIN } else { 0 };
        (std::cmp::Reverse(loudness.saturating_add(bonus)), *peer)
    };
    all.sort_by_key(rank);
    all.truncate(most);
    all.into_iter().map(|(peer, ..)| peer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    #[test]
    fn the_floor_goes_to_who_is_clearly_louder_and_stays_in_a_pause() {
        let mut clock = Clock::new();
        let mut room = Room::default();
        let (ann, bob) = (PeerId(1), PeerId(2));
        let told = room.listen(clock.now(), vec![(bob, 80), (ann, 100)]);
        assert_eq!(told, Some(vec![(ann, 100), (bob, 80)]));
        clock.advance(TELL);
        assert_eq!(room.listen(clock.now(), vec![(ann, 100), (bob, 80)]), None, "no news");
        room.listen(clock.now(), vec![(ann, 100), (bob, 103)]);
        assert_eq!(room.speaker, Some(ann));
        room.listen(clock.now(), vec![(ann, 20), (bob, 20)]);
        assert_eq!(room.speaker, Some(ann), "a pause is no change of speaker");
        room.listen(clock.now(), vec![(ann, 20), (bob, 90)]);
        assert_eq!(room.speaker, Some(bob));
    }

    #[test]
    fn the_loudest_are_heard_and_keep_the_place_against_equals() {
        let all = vec![(PeerId(1), 90, false), (PeerId(2), 88, true), (PeerId(3), 60, true)];
        assert_eq!(audible(all, 2), [PeerId(2), PeerId(1)]);
    }
}
