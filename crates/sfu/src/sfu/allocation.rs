//! Allocation of a subscriber's bandwidth among the tracks it shows.

use std::time::Instant;

use super::{Sfu, quality::video_sent_since};
use crate::{
    ids::{Kind, PeerId, RoomId, Source, TrackId},
    peer::{Peer, link::Link},
    quality::{MediaCounts, PauseReason},
    track::layers::{self, Allocation, Demand, Quality, Rank},
};

/// Probe goals are rounded up to this (bits per second), so that small changes start no probe.
const PROBE_GOAL_STEP: u64 = 50_000;

/// Demands of one subscriber.
#[derive(Default)]
struct Demands {
    video: Vec<Demand>,
    /// Section and track of each video demand.
    tracks: Vec<(usize, TrackId)>,
    /// Bits per second of all audio.
    audio_bitrate: u64,
    /// Bits per second of the video that is being sent.
    sent_video_bitrate: u64,
}

impl Sfu {
    /// Allocates the bandwidth of every member of a room, and updates the publishers.
    pub(super) fn allocate_room(&mut self, room_id: RoomId) {
        let mut members = self.members(room_id);
        members.sort_unstable();
        for peer_id in members {
            self.allocate(peer_id);
        }
        self.update_publishers(room_id);
    }

    /// Allocates the bandwidth of one subscriber.
    pub(super) fn allocate(&mut self, peer_id: PeerId) {
        let Some(demands) = self.demands(peer_id) else { return };
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        let capacity = video_capacity(peer, &demands, now, self.config.start_bitrate);
        let allocation = layers::allocate(&demands.video, capacity);
        peer.allocated_bitrate = allocation.bitrate;
        let is_saturated = demands.sent_video_bitrate > capacity + capacity / 3;
        let keyframes_needed = set_targets(peer, &demands, &allocation, is_saturated, now);
        note_pauses(peer, &demands, &allocation, &mut self.counts);
        let sent_since = video_sent_since(peer);
        let mut ended_step = None;
        if let Some(link) = peer.link.as_mut() {
            let is_wanted = demands.video.iter().any(|demand| !demand.choices.is_empty());
            ended_step = link.join.on_video(now, is_wanted, sent_since);
            let goals = ProbeGoals::new(&demands, &allocation, self.config.start_bitrate);
            link.set_desired(goals.next, goals.max);
            self.link_timers.set_no_later(peer_id, link.poll_timeout());
        }
        self.end_join_step(peer_id, ended_step);
        for (track_id, encoding) in keyframes_needed {
            self.need_keyframe(track_id, encoding);
        }
    }

    /// Collects the demands of a subscriber. Sets the targets of audio and of hidden video.
    fn demands(&mut self, peer_id: PeerId) -> Option<Demands> {
        let peer = self.peers.get_mut(&peer_id)?;
        let speaker = self.rooms.get(&peer.room).and_then(|room| room.dominant_speaker);
        let mut demands = Demands::default();
        for (index, section) in peer.pool.iter_mut().enumerate() {
            let Some(track_id) = section.track else { continue };
            let Some(track) = self.tracks.get(&track_id) else { continue };
            let rewriter = &mut section.state.rewriter;
            if track_id.source.kind() == Kind::Audio {
                demands.audio_bitrate += if track.muted { 0 } else { track.audio_bitrate() };
                rewriter.set_target(Some(Quality::all_layers(0)));
                continue;
            }
            let viewport = peer.viewports.get(track_id);
            if viewport == Some(0) {
                rewriter.set_target(None);
                let paused = section.state.set_paused(Some(PauseReason::Hidden));
                paused.into_iter().for_each(|reason| self.counts.on_paused(reason));
                continue;
            }
            let rank = match track_id.source {
                Source::ScreenShare => Rank::ScreenShare,
                _ if Some(track_id.peer) == speaker => Rank::Speaker,
                _ => Rank::Other,
            };
            let demand = Demand {
                rank,
                viewport: viewport.unwrap_or(0),
                lowest_only: viewport.is_none(),
                choices: track.choices(self.now),
                current: rewriter.target,
            };
            demands.sent_video_bitrate += demand.bitrate_of(rewriter.current());
            demands.tracks.push((index, track_id));
            demands.video.push(demand);
        }
        Some(demands)
    }
}

/// Bits per second available for video, limited by a keyframe backoff.
fn video_capacity(peer: &mut Peer, demands: &Demands, now: Instant, start_bitrate: u64) -> u64 {
    let estimate = peer.estimate.bitrate(now).unwrap_or(start_bitrate);
    let capacity = estimate.saturating_sub(demands.audio_bitrate);
    peer.keyframe_backoff = peer.keyframe_backoff.filter(|backoff| backoff.is_active(now));
    let lowest = demands.video.iter().map(Demand::min_bitrate).sum();
    peer.keyframe_backoff.map_or(capacity, |backoff| backoff.limit(capacity, lowest))
}

/// Sets the allocated targets. Returns the encodings that need a keyframe to switch.
fn set_targets(
    peer: &mut Peer,
    demands: &Demands,
    allocation: &Allocation,
    is_saturated: bool,
    now: Instant,
) -> Vec<(TrackId, usize)> {
    let is_ready = peer.link.as_ref().is_some_and(Link::is_ready);
    let mut keyframes_needed = Vec::new();
    for (at, target) in allocation.allocated.iter().enumerate() {
        let Some(demand) = demands.video.get(at) else { continue };
        let Some((index, track_id)) = demands.tracks.get(at) else { continue };
        let Some(section) = peer.pool.get_mut(*index) else { continue };
        let down_track = &mut section.state;
        down_track.rewriter.set_target(*target);
        // Keep sending the higher layer until the keyframe of the lower one arrives, unless it
        // saturates the link, or the subscriber can't decode it.
        let is_frozen = down_track.pli_history.is_some_and(|history| history.is_frozen(now));
        let current = down_track.rewriter.current();
        let is_downgrade = demand.bitrate_of(*target) < demand.bitrate_of(current);
        if is_downgrade && (is_saturated || is_frozen) {
            down_track.pause_for_keyframe(peer.link.as_mut());
        }
        if is_ready
            && down_track.send_stream.is_some()
            && let Some(encoding) = down_track.rewriter.pending_encoding()
        {
            keyframes_needed.push((*track_id, encoding));
        }
    }
    keyframes_needed
}

/// Notes which videos are paused for lack of bandwidth, and counts those newly paused.
fn note_pauses(
    peer: &mut Peer,
    demands: &Demands,
    allocation: &Allocation,
    counts: &mut MediaCounts,
) {
    let allocated = allocation.allocated.iter().zip(&demands.video);
    for ((target, demand), (index, _)) in allocated.zip(&demands.tracks) {
        let is_paused = target.is_none() && !demand.choices.is_empty();
        let reason = is_paused.then_some(PauseReason::Bandwidth);
        if let Some(section) = peer.pool.get_mut(*index)
            && let Some(reason) = section.state.set_paused(reason)
        {
            counts.on_paused(reason);
        }
    }
}

/// Bitrates for which the bandwidth estimator probes.
struct ProbeGoals {
    /// Bitrate that allows the next upgrade. The link is padded up to it, so it is zero if nothing
    /// remains to be upgraded.
    next: u64,
    /// Limit of all probes. At least the start bitrate, so that they stay useful while little is
    /// shown.
    max: u64,
}

impl ProbeGoals {
    fn new(demands: &Demands, allocation: &Allocation, start_bitrate: u64) -> Self {
        // An upgrade must leave a fifth of the capacity free: a quarter of the bitrate.
        let goal = |bitrate: u64| {
            (bitrate + bitrate / 4 + demands.audio_bitrate).next_multiple_of(PROBE_GOAL_STEP)
        };
        let has_upgrade = allocation.next_bitrate > allocation.bitrate;
        Self {
            next: if has_upgrade { goal(allocation.next_bitrate) } else { 0 },
            max: goal(allocation.best_bitrate).max(start_bitrate),
        }
    }
}
