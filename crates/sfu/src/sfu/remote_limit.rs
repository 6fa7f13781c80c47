//! Limits of what other servers send, where a link between servers carries less than the subscribers
//! need. Each track gets its lowest encoding first, then those that matter most get higher ones.
//! Audio is never limited.

use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

use super::Sfu;
use crate::{
    ids::{Kind, PeerId, RoomId, Source, TrackId},
    track::Origin,
};

/// Share of the bitrate that is kept when a link is congested.
const DECREASE_PERCENT: u64 = 75;
/// Share of it that a limit is raised to, each time that it was high enough for a while.
const INCREASE_PERCENT: u64 = 120;
/// Least increase in bits per second.
const MIN_INCREASE: u64 = 100_000;
const INCREASE_INTERVAL: Duration = Duration::from_secs(4);

/// Limit of the video from one shard of another server.
#[derive(Debug)]
pub(super) struct RemoteLimit {
    /// Bits per second.
    bitrate: u64,
    changed_at: Instant,
}

impl Sfu {
    /// Handles a report that the link from a shard of another server is congested: requests less
    /// from it. To be called again while it is, after a pause in which the first call has an effect.
    pub fn handle_shard_congestion(&mut self, now: Instant, shard: u16) {
        self.advance(now);
        let received: u64 = self
            .remote_video(shard)
            .filter_map(|track_id| self.tracks.get(&track_id))
            .flat_map(|track| &track.encodings)
            .filter(|encoding| encoding.is_flowing(now))
            .filter_map(|encoding| encoding.bitrate())
            .map(u64::from)
            .sum();
        if received == 0 {
            return;
        }
        let limit = self
            .remote_limits
            .entry(shard)
            .or_insert(RemoteLimit { bitrate: received, changed_at: now });
        limit.bitrate = limit.bitrate.min(received) * DECREASE_PERCENT / 100;
        limit.changed_at = now;
        self.apply_remote_limit(shard);
    }

    /// Raises the limits of a room's shards that were high enough for a while.
    pub(super) fn raise_remote_limits(&mut self, room_id: RoomId) {
        if self.remote_limits.is_empty() {
            return;
        }
        let Some(room) = self.rooms.get(&room_id) else { return };
        let shards: Vec<u16> = room.remotes.iter().map(|remote| remote.shard).collect();
        for shard in shards {
            let Some(limit) = self.remote_limits.get_mut(&shard) else { continue };
            if self.now.saturating_duration_since(limit.changed_at) < INCREASE_INTERVAL {
                continue;
            }
            let raised = limit.bitrate * INCREASE_PERCENT / 100;
            limit.bitrate = raised.max(limit.bitrate + MIN_INCREASE);
            limit.changed_at = self.now;
            if !self.apply_remote_limit(shard) {
                self.remote_limits.remove(&shard);
            }
        }
    }

    /// Forgets the limit of a shard that sends nothing any more.
    pub(super) fn forget_remote_limit(&mut self, shard: u16) {
        self.remote_limits.remove(&shard);
    }

    /// Video that comes from a shard of another server.
    fn remote_video(&self, shard: u16) -> impl Iterator<Item = TrackId> + '_ {
        let is_from = move |track_id: &TrackId| {
            let track = self.tracks.get(track_id);
            track.is_some_and(|track| track.origin == Origin::Remote(shard))
        };
        let rooms = self.rooms.values().filter(move |room| room.has_shard(shard));
        let tracks = rooms.flat_map(|room| room.tracks.iter().copied());
        tracks.filter(|track_id| track_id.source.kind() == Kind::Video).filter(is_from)
    }

    /// Returns whether a subscriber of this shard shows a track, or a sibling needs it.
    fn is_shown(&self, track_id: TrackId) -> bool {
        let Some(track) = self.tracks.get(&track_id) else { return false };
        let shows = |peer_id: PeerId| {
            let peer = self.peers.get(&peer_id);
            peer.is_some_and(|peer| peer.viewports.get(track_id) != Some(0))
        };
        let siblings = self.rooms.get(&track.room).map_or(&[][..], |room| &room.siblings);
        let needs = |sibling: u16| {
            track.encodings.iter().any(|encoding| track.is_needed_by(sibling, encoding.rid))
        };
        track.subscribers.iter().any(|subscriber| shows(subscriber.peer_id))
            || siblings.iter().any(|sibling| needs(*sibling))
    }

    /// Importance of a track for the subscribers of this shard.
    fn importance(&self, track_id: TrackId) -> (bool, bool, u32) {
        let Some(track) = self.tracks.get(&track_id) else { return (false, false, 0) };
        let room = self.rooms.get(&track.room);
        let is_speaker = room.is_some_and(|room| room.dominant_speaker == Some(track_id.peer));
        let viewport = |peer_id: PeerId| self.peers.get(&peer_id)?.viewports.get(track_id);
        let subscribers = track.subscribers.iter();
        let largest = subscribers.filter_map(|subscriber| viewport(subscriber.peer_id)).max();
        (track_id.source == Source::ScreenShare, is_speaker, largest.unwrap_or(0))
    }

    /// Divides a limit among the tracks of a shard. Returns whether it withholds any encoding.
    fn apply_remote_limit(&mut self, shard: u16) -> bool {
        let mut rest = self.remote_limits.get(&shard).map_or(u64::MAX, |limit| limit.bitrate);
        let mut tracks: Vec<TrackId> = self.remote_video(shard).collect();
        tracks.sort_unstable_by_key(|track_id| (Reverse(self.importance(*track_id)), *track_id));
        // Tracks that nobody shows take nothing.
        let (tracks, hidden): (Vec<_>, Vec<_>) =
            tracks.into_iter().partition(|track_id| self.is_shown(*track_id));
        let mut allowed = vec![0; tracks.len()];
        let highest = tracks
            .iter()
            .filter_map(|track_id| self.tracks.get(track_id))
            .map(|track| track.encodings.len())
            .max();
        for level in 0..highest.unwrap_or(0) {
            for (track_id, allowed) in tracks.iter().zip(&mut allowed) {
                let Some(track) = self.tracks.get(track_id) else { continue };
                let Some(encoding) = track.encodings.get(level).filter(|_| *allowed == level)
                else {
                    continue;
                };
                // The lower one is sent no more once nobody needs it.
                let lower = level.checked_sub(1).and_then(|lower| track.encodings.get(lower));
                let higher = track.encodings.len() - 1 - level;
                let replaced = lower.map_or(0, |lower| lower.expected_bitrate(higher + 1));
                let more = encoding.expected_bitrate(higher).saturating_sub(replaced);
                if more <= rest {
                    rest -= more;
                    *allowed += 1;
                }
            }
        }
        let mut withholds = false;
        let hidden = hidden.into_iter().map(|track_id| (track_id, usize::MAX));
        for (track_id, allowed) in tracks.into_iter().zip(allowed).chain(hidden) {
            let Some(track) = self.tracks.get_mut(&track_id) else { continue };
            let limit = (allowed < track.encodings.len()).then_some(allowed);
            withholds |= limit.is_some();
            if std::mem::replace(&mut track.max_encodings, limit) == limit {
                continue;
            }
            let subscribers: Vec<_> =
                track.subscribers.iter().map(|subscriber| subscriber.peer_id).collect();
            for peer_id in subscribers {
                self.allocate(peer_id);
            }
            self.update_interest(track_id);
        }
        withholds
    }
}
