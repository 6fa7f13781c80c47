//! The way of a packet: from its publisher's encoding to each subscriber that has it on.

use super::Sfu;
use crate::{
    bwe::keyframe_backoff::{Asked, On},
    ids::{Kind, Mid, PeerId, Rid, RoomId, TrackId},
    send::Outgoing,
    track::{Subscriber, packet::Packet},
};

impl Sfu {
    pub(super) fn forward(&mut self, from: PeerId, mid: Mid, rid: Option<Rid>, packet: &Packet) {
        if let Some(id) = self.track_on(from, mid) {
            self.pass(id, rid, packet);
        }
    }

    /// Passes a packet of a track on to whoever gets its encoding, here and on other shards.
    pub(super) fn pass(&mut self, id: TrackId, rid: Option<Rid>, packet: &Packet) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let Some(index) = track.encoding(rid) else { return };
        if id.source.kind() == Kind::Audio {
            track.loudness.on_packet(packet);
            if track.muted {
                return;
            }
        }
        let Some(encoding) = track.encodings.get_mut(index) else { return };
        let meta = encoding.on_packet(packet);
        if meta.keyframe {
            encoding.keyframe_requests.on_keyframe();
        }
        // Allocates where something changes, which is once a second at most.
        let mut news = Vec::new();
        for Subscriber { peer_id: peer, section } in &track.subscribers {
            let Some(it) = self.peers.get_mut(peer) else { continue };
            let Some(section) = it.pool.get_mut(*section) else { continue };
            let outlet = &mut section.state;
            let (Some(link), Some(stream)) = (&mut it.link, outlet.send_stream) else { continue };
            // What does not leave must not be counted, either.
            if !link.is_ready() {
                continue;
            }
            let format = link.payload_type_for(stream, packet.format);
            if outlet.playable.take(self.now, format.is_some()) {
                it.changed = true;
                news.push(*peer);
            }
            let Some(format) = format else { continue };
            let Some(rewritten) = outlet.rewriter.rewrite(index, packet, &meta) else { continue };
            let waits = !link.outbox.is_empty();
            if link.send(self.now, stream, Outgoing { packet, rewritten, format }) {
                if !waits {
                    self.sending.push_back(*peer);
                }
                self.timers.set_no_later(*peer, link.poll_timeout());
            }
        }
        for peer in news {
            self.negotiate(peer);
        }
        self.relay_media(id, index, packet);
    }

    /// Which track a publisher's section carries.
    fn track_on(&self, peer: PeerId, mid: Mid) -> Option<TrackId> {
        let announced = &self.peers.get(&peer)?.announced;
        let source = announced.iter().find(|known| known.section == Some(mid))?.source;
        Some(TrackId { peer, source })
    }

    /// A subscriber can't decode what it gets on one of its sections.
    pub(super) fn keyframe_wanted(&mut self, peer: PeerId, mid: Mid) {
        let now = self.now;
        let Some(it) = self.peers.get_mut(&peer) else { return };
        let Some(section) = it.pool.iter_mut().find(|section| section.mid == mid) else { return };
        let (Some(id), outlet) = (section.used, &mut section.state) else { return };
        let Some(track) = self.tracks.get(&id) else { return };
        let asked = Asked::again(outlet.asked, now);
        outlet.asked = Some(asked);
        let (on, since) = (outlet.rewriter.current(), outlet.rewriter.current_since());
        let smallest = on.is_some() && on == track.lowest(now);
        // Where another is on its way already, that is what is asked for.
        let waits = outlet.rewriter.pending_encoding().is_some();
        let may_be_new = it.caution.is_none_or(|so_far| smallest && !so_far.pauses);
        if let Some(since) = since.filter(|_| may_be_new && (smallest || !waits)) {
            it.caution = asked.caution(On { since, smallest }, it.given).or(it.caution);
        }
        if waits || it.caution.is_some() {
            self.share_with(peer);
        }
        if let Some(encoding) = self.feeds(peer, mid) {
            self.want_keyframe(id, encoding);
        }
    }

    /// The encoding that a subscriber gets on a section, or is to get.
    fn feeds(&self, peer: PeerId, mid: Mid) -> Option<usize> {
        let section = self.peers.get(&peer)?.pool.iter().find(|section| section.mid == mid)?;
        let rewriter = &section.state.rewriter;
        Some(rewriter.current().or(rewriter.target)?.encoding)
    }

    /// Asks an encoding's publisher for a keyframe, if it was not asked just now.
    pub(super) fn want_keyframe(&mut self, id: TrackId, encoding: usize) {
        let (now, interval) = (self.now, self.config.keyframe_interval);
        let Some(track) = self.tracks.get_mut(&id).filter(|_| id.source.kind() == Kind::Video)
        else {
            return;
        };
        let Some(encoding) = track.encodings.get_mut(encoding) else { return };
        if encoding.keyframe_requests.need(now, interval) {
            let rid = encoding.rid;
            self.request_keyframe(id, rid);
        }
    }

    pub(super) fn ask_again_for_keyframes(&mut self, room: RoomId) {
        let (now, interval) = (self.now, self.config.keyframe_interval);
        let mut asks = Vec::new();
        for id in self.tracks_in(room) {
            let Some(track) = self.tracks.get_mut(&id) else { continue };
            let due = track.encodings.iter_mut().filter(|it| it.subscribed.is_active);
            let due =
                due.filter_map(|it| it.keyframe_requests.is_due(now, interval).then_some(it.rid));
            asks.extend(due.map(|rid| (id, rid)));
        }
        for (id, rid) in asks {
            self.request_keyframe(id, rid);
        }
    }
}
