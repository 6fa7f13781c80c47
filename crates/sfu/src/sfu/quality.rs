//! Sampling of the links' quality, in the rooms' maintenance.

use std::time::{Duration, Instant};

use super::Sfu;
use crate::{
    ids::{Kind, PeerId, RoomId, Source, TrackId},
    output::Event,
    peer::Peer,
    quality::{JoinStep, LinkQuality, MediaCounts, PauseReason},
};

impl Sfu {
    /// Counts since the start.
    #[must_use]
    pub fn counts(&self) -> MediaCounts {
        self.counts
    }

    /// Emits the quality of a room's links if it is due.
    pub(super) fn sample_quality(&mut self, room_id: RoomId) {
        let now = self.now;
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        let since = *room.sampled_at.get_or_insert(now);
        let interval = now.saturating_duration_since(since);
        if interval < self.config.quality_interval {
            return;
        }
        room.sampled_at = Some(now);
        let links: Vec<_> = self
            .members(room_id)
            .into_iter()
            .filter_map(|peer_id| self.link_quality(peer_id, interval))
            .collect();
        if !links.is_empty() {
            self.events.push_back(Event::Quality { room: room_id, links });
        }
    }

    fn link_quality(&mut self, peer_id: PeerId, interval: Duration) -> Option<LinkQuality> {
        let now = self.now;
        let sends_video = [Source::Camera, Source::ScreenShare].into_iter().any(|source| {
            let track = self.tracks.get(&TrackId { peer: peer_id, source });
            track.is_some_and(|track| track.encodings.iter().any(|it| it.is_flowing(now)))
        });
        let peer = self.peers.get_mut(&peer_id)?;
        let estimate = peer.estimate.bitrate(now);
        let keyframe_requests = std::mem::take(&mut peer.keyframe_requests);
        let paused_by_limit = peer.unplaced.iter().filter(|track| is_video(**track)).count();
        let mut videos = Videos::default();
        for section in peer.pool.iter().filter(|section| section.track.is_some_and(is_video)) {
            match (section.state.paused, section.state.rewriter.current()) {
                (Some(PauseReason::Bandwidth), _) => videos.paused_for_bandwidth += 1,
                (Some(PauseReason::Hidden), _) => videos.paused_hidden += 1,
                (_, Some(current)) => {
                    videos.sent += 1;
                    let track = section.track.and_then(|track_id| self.tracks.get(&track_id));
                    let height = track.and_then(|track| track.heights().nth(current.encoding));
                    videos.min_height = videos.min_height.into_iter().chain(height).min();
                }
                _ => {}
            }
        }
        let interrupted = peer.interrupted;
        let link = peer.link.as_mut().filter(|link| link.is_connected)?;
        let path = link.path()?;
        let (totals, before) = link.take_totals();
        let (round_trip, jitter) = link.take_timing();
        Some(LinkQuality {
            peer: peer_id,
            interval,
            transport: path.transport,
            remote: path.remote,
            round_trip,
            jitter,
            sent: totals.sent.since(before.sent),
            received: totals.received.since(before.received),
            sent_bytes: totals.sent_bytes.saturating_sub(before.sent_bytes),
            received_bytes: totals.received_bytes.saturating_sub(before.received_bytes),
            estimate,
            videos: videos.sent,
            paused_for_bandwidth: videos.paused_for_bandwidth,
            paused_hidden: videos.paused_hidden,
            paused_by_limit: u16::try_from(paused_by_limit).unwrap_or(u16::MAX),
            min_height: videos.min_height,
            sends_video,
            keyframe_requests,
            interrupted,
        })
    }

    /// Emits the end of a peer's step, if it ended.
    pub(super) fn end_join_step(&mut self, peer: PeerId, ended: Option<(JoinStep, Duration)>) {
        // Probes join nothing.
        let is_probe = self.probes.iter().any(|(_, probe)| *probe == peer);
        if let Some((step, took)) = ended.filter(|_| !is_probe) {
            self.events.push_back(Event::JoinStep { peer, step, took });
        }
    }
}

#[derive(Default)]
struct Videos {
    sent: u16,
    paused_for_bandwidth: u16,
    paused_hidden: u16,
    min_height: Option<u16>,
}

fn is_video(track_id: TrackId) -> bool {
    track_id.source.kind() == Kind::Video
}

/// Time since which the peer is sent a frame of any video, if it is.
pub(super) fn video_sent_since(peer: &Peer) -> Option<Instant> {
    let videos = peer.pool.iter().filter(|section| section.track.is_some_and(is_video));
    videos.filter_map(|section| section.state.rewriter.current_since()).min()
}

impl MediaCounts {
    /// Counts a video that has been paused.
    pub(super) fn on_paused(&mut self, reason: PauseReason) {
        let count = match reason {
            PauseReason::Bandwidth => &mut self.paused_for_bandwidth,
            PauseReason::Hidden => &mut self.paused_hidden,
            PauseReason::Limit => &mut self.paused_by_limit,
        };
        *count += 1;
    }
}
