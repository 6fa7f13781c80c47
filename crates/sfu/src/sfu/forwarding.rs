//! Forwarding of packets from a publisher's encoding to its subscribers, and keyframe requests
//! back.

use super::Sfu;
use crate::{
    bwe::keyframe_backoff::{PliHistory, SentQuality},
    ids::{Kind, Mid, PeerId, Rid, RoomId, TrackId},
    send::Outgoing,
    track::{Subscriber, packet::Packet},
};

impl Sfu {
    /// Handles a packet that a publisher has sent.
    pub(super) fn on_packet(
        &mut self,
        peer_id: PeerId,
        mid: Mid,
        rid: Option<Rid>,
        packet: &Packet,
    ) {
        if let Some(track_id) = self.track_on(peer_id, mid) {
            self.forward(track_id, rid, packet);
        }
    }

    /// Forwards a packet to the subscribers of its encoding, on this and on other shards.
    pub(super) fn forward(&mut self, track_id: TrackId, rid: Option<Rid>, packet: &Packet) {
        let Some(track) = self.tracks.get_mut(&track_id) else { return };
        let Some(index) = track.encoding(rid) else { return };
        if track_id.source.kind() == Kind::Audio {
            track.loudness.on_packet(packet);
            if track.muted {
                return;
            }
        }
        let Some(encoding) = track.encodings.get_mut(index) else { return };
        let info = encoding.on_packet(packet);
        if info.keyframe {
            encoding.keyframe_requests.on_keyframe();
        }
        // Allocates only after a change, which is once a second at most.
        let mut to_notify = Vec::new();
        for Subscriber { peer_id, section } in &track.subscribers {
            let Some(peer) = self.peers.get_mut(peer_id) else { continue };
            let Some(section) = peer.pool.get_mut(*section) else { continue };
            let down_track = &mut section.state;
            let (Some(link), Some(stream)) = (&mut peer.link, down_track.send_stream) else {
                continue;
            };
            // A packet that can't be sent must not take a sequence number.
            if !link.is_ready() {
                continue;
            }
            let format = link.payload_type_for(stream, packet.format);
            if down_track.codec_support.update(self.now, format.is_some()) {
                peer.subscriptions_changed = true;
                to_notify.push(*peer_id);
            }
            let Some(format) = format else { continue };
            let Some(rewritten) = down_track.rewriter.rewrite(index, packet, &info) else {
                continue;
            };
            let is_queued = !link.outbox.is_empty();
            if link.send(self.now, stream, Outgoing { packet, rewritten, format }) {
                if !is_queued {
                    self.send_queue.push_back(*peer_id);
                }
                self.link_timers.set_no_later(*peer_id, link.poll_timeout());
            }
        }
        for peer_id in to_notify {
            self.negotiate(peer_id);
        }
        self.forward_to_shards(track_id, index, packet);
    }

    /// The track on a publisher's section.
    fn track_on(&self, peer_id: PeerId, mid: Mid) -> Option<TrackId> {
        let published = &self.peers.get(&peer_id)?.published;
        let source = published.iter().find(|section| section.mid == Some(mid))?.source;
        Some(TrackId { peer: peer_id, source })
    }

    /// Handles a PLI or FIR of a subscriber.
    pub(super) fn on_keyframe_request(&mut self, peer_id: PeerId, mid: Mid) {
        let now = self.now;
        self.counts.keyframe_requests_received += 1;
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        peer.keyframe_requests = peer.keyframe_requests.saturating_add(1);
        let Some(section) = peer.pool.iter_mut().find(|section| section.mid == mid) else { return };
        let Some(track_id) = section.track else { return };
        let Some(track) = self.tracks.get(&track_id) else { return };
        let down_track = &mut section.state;
        let history = PliHistory::record(down_track.pli_history, now);
        down_track.pli_history = Some(history);
        let current = down_track.rewriter.current();
        let is_lowest = current.is_some() && current == track.lowest(now);
        // While a switch is pending, the keyframe of the new encoding is what the subscriber needs.
        let is_switching = down_track.rewriter.pending_encoding().is_some();
        let may_back_off =
            peer.keyframe_backoff.is_none_or(|backoff| is_lowest && !backoff.may_pause);
        if let Some(since) = down_track.rewriter.current_since()
            && may_back_off
            && (is_lowest || !is_switching)
        {
            let sent = SentQuality { since, is_lowest };
            let backoff = history.backoff(sent, peer.allocated_bitrate);
            peer.keyframe_backoff = backoff.or(peer.keyframe_backoff);
        }
        if is_switching || peer.keyframe_backoff.is_some() {
            self.allocate(peer_id);
        }
        if let Some(encoding) = self.encoding_on(peer_id, mid) {
            self.need_keyframe(track_id, encoding);
        }
    }

    /// The encoding that is sent on a section, or will be.
    fn encoding_on(&self, peer_id: PeerId, mid: Mid) -> Option<usize> {
        let peer = self.peers.get(&peer_id)?;
        let section = peer.pool.iter().find(|section| section.mid == mid)?;
        let rewriter = &section.state.rewriter;
        Some(rewriter.current().or(rewriter.target)?.encoding)
    }

    /// Requests a keyframe of an encoding, unless one was requested within the interval.
    pub(super) fn need_keyframe(&mut self, track_id: TrackId, encoding: usize) {
        if track_id.source.kind() != Kind::Video {
            return;
        }
        let Some(track) = self.tracks.get_mut(&track_id) else { return };
        let Some(encoding) = track.encodings.get_mut(encoding) else { return };
        if encoding.keyframe_requests.need(self.now, self.config.keyframe_interval) {
            let rid = encoding.rid;
            self.request_keyframe(track_id, rid);
        }
    }

    /// Repeats the keyframe requests in a room that have not been answered.
    pub(super) fn repeat_keyframe_requests(&mut self, room_id: RoomId) {
        let now = self.now;
        let interval = self.config.keyframe_interval;
        let mut requests = Vec::new();
        for track_id in self.tracks_in(room_id) {
            let Some(track) = self.tracks.get_mut(&track_id) else { continue };
            for encoding in &mut track.encodings {
                if encoding.subscribed.is_active && encoding.keyframe_requests.is_due(now, interval)
                {
                    requests.push((track_id, encoding.rid));
                }
            }
        }
        for (track_id, rid) in requests {
            self.request_keyframe(track_id, rid);
        }
    }
}
