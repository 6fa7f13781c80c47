//! The way of a packet: from its publisher's layer to each subscriber that has that layer on.

use super::Sfu;
use crate::{
    codec,
    ids::{Kind, PeerId, TrackId},
    link::{Mid, Rid},
    packet::Packet,
};

impl Sfu {
    pub(super) fn forward(&mut self, from: PeerId, mid: Mid, rid: Option<Rid>, packet: &Packet) {
        let Some(id) = self.track_on(from, mid) else { return };
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let Some(layer) = track.layer(rid) else { return };
        let video = id.source.kind() == Kind::Video;
        let starts = !video || codec::starts_keyframe(packet.format.codec, &packet.payload);
        if starts && let Some(layer) = track.layers.get_mut(layer) {
            layer.keyframes.came();
        }
        for (peer, section) in &track.subscribers {
            let Some(peer_) = self.peers.get_mut(peer) else { continue };
            let Some(section) = peer_.pool.get_mut(*section) else { continue };
            let outlet = &mut section.state;
            let (Some(link), Some(lane)) = (&mut peer_.link, &mut outlet.lane) else { continue };
            let forwarder = &mut outlet.forwarder;
            if starts && forwarder.layer().is_none() {
                forwarder.switch(layer, packet);
            }
            if forwarder.layer() != Some(layer) {
                continue;
            }
            let Some(rewritten) = forwarder.rewrite(packet) else { continue };
            if link.send(lane, packet, rewritten) && !std::mem::replace(&mut peer_.dirty, true) {
                self.dirty.push_back(*peer);
            }
        }
    }

    /// Which track a publisher's section carries.
    fn track_on(&self, peer: PeerId, mid: Mid) -> Option<TrackId> {
        let announced = &self.peers.get(&peer)?.announced;
        let (_, source) = announced.iter().find(|(known, _)| *known == mid)?;
        Some(TrackId { peer, source: *source })
    }

    /// A subscriber can't decode what it gets on one of its sections.
    pub(super) fn keyframe_wanted(&mut self, peer: PeerId, mid: Mid) {
        let Some(it) = self.peers.get(&peer) else { return };
        let Some(section) = it.pool.iter().find(|section| section.mid == mid) else { return };
        let Some(track) = section.used else { return };
        self.want_keyframe(track, section.state.forwarder.layer().unwrap_or(0));
    }

    /// Asks a layer's publisher for a keyframe, if it was not asked just now.
    pub(super) fn want_keyframe(&mut self, id: TrackId, layer: usize) {
        let (now, interval) = (self.now, self.config.keyframe_interval);
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let mid = track.mid;
        let Some(layer) = track.layers.get_mut(layer) else { return };
        if layer.keyframes.want(now, interval) {
            let rid = layer.rid;
            self.request_keyframe(id, mid, rid);
        }
    }

    pub(super) fn ask_again_for_keyframes(&mut self) {
        let (now, interval) = (self.now, self.config.keyframe_interval);
        let mut asks = Vec::new();
        for (id, track) in &mut self.tracks {
            let mid = track.mid;
            let due = track.layers.iter_mut().filter(|layer| layer.keyframes.wanted());
            let due =
                due.filter_map(|layer| layer.keyframes.due(now, interval).then_some(layer.rid));
            asks.extend(due.map(|rid| (*id, mid, rid)));
        }
        for (id, mid, rid) in asks {
            self.request_keyframe(id, mid, rid);
        }
    }

    fn request_keyframe(&mut self, id: TrackId, mid: Mid, rid: Option<Rid>) {
        if let Some(link) = self.peers.get_mut(&id.peer).and_then(|it| it.link.as_mut()) {
            link.request_keyframe(mid, rid);
            self.mark(id.peer);
        }
    }
}
