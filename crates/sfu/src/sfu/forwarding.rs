//! The way of a packet: from its publisher's encoding to each subscriber that has it on.

use super::Sfu;
use crate::{
    ids::{Kind, PeerId, TrackId},
    link::{Mid, Rid},
    packet::Packet,
};
use std::time::Duration;

/// A keyframe that was asked for should have come after the first, and is long overdue after the
/// second.
const AGAIN_AFTER: Duration = Duration::from_millis(150);
const AGAIN_WITHIN: Duration = Duration::from_millis(1500);
/// How long a way is taken to carry a quarter of what it was given.
const CAUTION: Duration = Duration::from_secs(4);

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
            track.hear(packet);
            if track.muted {
                return;
            }
        }
        let Some(encoding) = track.encodings.get_mut(index) else { return };
        let meta = encoding.take(packet);
        if meta.keyframe {
            encoding.keyframes.came();
        }
        for (peer, section) in &track.subscribers {
            let Some(it) = self.peers.get_mut(peer) else { continue };
            let Some(section) = it.pool.get_mut(*section) else { continue };
            let outlet = &mut section.state;
            let (Some(link), Some(lane)) = (&mut it.link, &mut outlet.lane) else { continue };
            let Some(rewritten) = outlet.forwarder.take(index, packet, &meta) else { continue };
            if link.send(lane, packet, rewritten) && !std::mem::replace(&mut it.dirty, true) {
                self.dirty.push_back(*peer);
            }
        }
        self.relay_media(id, index, packet);
    }

    /// Which track a publisher's section carries.
    fn track_on(&self, peer: PeerId, mid: Mid) -> Option<TrackId> {
        let announced = &self.peers.get(&peer)?.announced;
        let (_, source) = announced.iter().find(|(known, _)| *known == mid)?;
        Some(TrackId { peer, source: *source })
    }

    /// A subscriber can't decode what it gets on one of its sections.
    pub(super) fn keyframe_wanted(&mut self, peer: PeerId, mid: Mid) {
        let now = self.now;
        let Some(it) = self.peers.get_mut(&peer) else { return };
        let Some(section) = it.pool.iter_mut().find(|section| section.mid == mid) else { return };
        let outlet = &mut section.state;
        let before = outlet.asked.replace(now);
        // Who asks again and again, though it has been getting this for a while, gets little of what
        // we send. The estimate will find out, but later than a viewer.
        let again = before.is_some_and(|at| {
            let since = now.saturating_duration_since(at);
            (AGAIN_AFTER..AGAIN_WITHIN).contains(&since)
        });
        let settled = outlet
            .forwarder
            .since()
            .is_some_and(|at| now.saturating_duration_since(at) >= AGAIN_WITHIN);
        if again && settled && it.caution.is_none_or(|(until, _)| until <= now) {
            it.caution = Some((now + CAUTION, it.given / 4));
        }
        let cautious = it.caution.is_some();
        let quality = outlet.forwarder.on().or(outlet.forwarder.target);
        if let (Some(track), Some(quality)) = (section.used, quality) {
            if cautious {
                self.share_with(peer);
            }
            self.want_keyframe(track, quality.encoding);
        }
    }

    /// Asks an encoding's publisher for a keyframe, if it was not asked just now.
    pub(super) fn want_keyframe(&mut self, id: TrackId, encoding: usize) {
        let (now, interval) = (self.now, self.config.keyframe_interval);
        let Some(track) = self.tracks.get_mut(&id).filter(|_| id.source.kind() == Kind::Video)
        else {
            return;
        };
        let Some(encoding) = track.encodings.get_mut(encoding) else { return };
        if encoding.keyframes.want(now, interval) {
            let rid = encoding.rid;
            self.request_keyframe(id, rid);
        }
    }

    pub(super) fn ask_again_for_keyframes(&mut self) {
        let (now, interval) = (self.now, self.config.keyframe_interval);
        let mut asks = Vec::new();
        for (id, track) in &mut self.tracks {
            let due = track.encodings.iter_mut().filter(|it| it.wanted.on);
            let due = due.filter_map(|it| it.keyframes.due(now, interval).then_some(it.rid));
            asks.extend(due.map(|rid| (*id, rid)));
        }
        for (id, rid) in asks {
            self.request_keyframe(id, rid);
        }
    }
}
