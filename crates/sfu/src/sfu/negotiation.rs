//! Offers and answers: perfect negotiation with the server as the impolite side.

use std::time::Instant;

use rand::RngExt as _;

use super::Sfu;
use crate::{
    ids::{Kind, PeerId, Source, TrackId},
    output::{DisconnectReason, Event},
    peer::{down_track::DownTrack, link::Link, pool::Placement},
    permissions::Permissions,
    rejection::Rejection,
    sdp::Description,
    track::rewriter::{MAX_FIRST_SEQ, RtpRewriter},
};

impl Sfu {
    /// Sets the sources of the sending sections in the peer's next offer, by mid. Replaces the
    /// previous ones.
    ///
    /// # Errors
    ///
    /// The peer is unknown, or a mid or source is named twice.
    pub fn handle_publish(
        &mut self,
        now: Instant,
        peer_id: PeerId,
        tracks: &[(&str, Source)],
    ) -> Result<(), Rejection> {
        self.advance(now);
        if tracks.len() > Source::ALL.len() {
            return Err(Rejection::TooManyTracks);
        }
        for (index, (mid, source)) in tracks.iter().enumerate() {
            for (other_mid, other_source) in tracks.iter().skip(index + 1) {
                if source == other_source {
                    return Err(Rejection::DuplicateSource(*source));
                }
                if mid == other_mid {
                    return Err(Rejection::DuplicateMid((*mid).to_owned()));
                }
            }
        }
        let peer = self.peers.get_mut(&peer_id).ok_or(Rejection::UnknownPeer(peer_id))?;
        peer.set_published(tracks);
        self.update_published(peer_id);
        Ok(())
    }

    /// Sets what a peer may send and receive. Its tracks of other sources are unpublished at once,
    /// on all shards, and published again when they are permitted; so are its subscriptions ended
    /// and begun.
    ///
    /// # Errors
    ///
    /// The peer is unknown.
    pub fn handle_permit(
        &mut self,
        now: Instant,
        peer_id: PeerId,
        permissions: &Permissions,
    ) -> Result<(), Rejection> {
        self.advance(now);
        let peer = self.peers.get_mut(&peer_id).ok_or(Rejection::UnknownPeer(peer_id))?;
        if peer.permissions == *permissions {
            return Ok(());
        }
        let before = std::mem::replace(&mut peer.permissions, permissions.clone());
        if before.publish != permissions.publish {
            self.update_published(peer_id);
        }
        match (before.subscribe, permissions.subscribe) {
            (false, true) => self.subscribe_to_all(peer_id),
            (true, false) => self.release_all(peer_id),
            (true, true) | (false, false) => return Ok(()),
        }
        self.negotiate(peer_id);
        Ok(())
    }

    /// Handles a peer's offer. [`Event::Answer`] is the answer. An [`Event::Offer`] follows it if
    /// the peer needs more receiving sections.
    ///
    /// # Errors
    ///
    /// The peer is unknown, the SDP is not supported, or the offer collided with ours
    /// ([`Rejection::OfferCollision`]), which needs no reply.
    pub fn handle_offer(
        &mut self,
        now: Instant,
        peer_id: PeerId,
        offer: &str,
    ) -> Result<(), Rejection> {
        self.advance(now);
        let offer = &Description::parse(offer, &self.config.limits)?;
        let unknown = || Rejection::UnknownPeer(peer_id);
        let peer = self.peers.get_mut(&peer_id).ok_or_else(unknown)?;
        let is_known = peer.link.as_ref().is_some_and(|link| link.is_from_client(offer));
        if let Some(link) = peer.link.as_mut().filter(|link| is_known && link.is_offering()) {
            // The client may wait for ours, which was lost.
            if link.is_offer_overdue(now) {
                self.repeat_events(peer_id);
            }
            return Err(Rejection::OfferCollision);
        }
        let config = &self.config;
        let rng = &mut self.rng;
        let new_link = (!is_known).then(|| Link::new(config, &self.engine, offer, rng, now));
        let mut new_link = new_link.transpose().inspect_err(|_| self.panics += 1)?;
        let link = new_link.as_mut().or(peer.link.as_mut()).ok_or_else(unknown)?;
        let old_ufrag = link.ufrag().to_owned();
        let accepted = link.accept_offer(offer, config, rng);
        if link.is_broken() {
            self.end_broken_link(peer_id, new_link);
            return Err(Rejection::Panicked);
        }
        let sdp = accepted?;
        let ufrag = link.ufrag().to_owned();
        // The old link is closed only once the new one has accepted the offer.
        if new_link.is_some() {
            self.close_link(peer_id);
            self.peers.get_mut(&peer_id).ok_or_else(unknown)?.link = new_link;
        }
        self.routes.remove_ufrag(&old_ufrag);
        self.routes.insert_ufrag(ufrag, peer_id);
        self.queue_drain(peer_id);
        self.events.push_back(Event::Answer { peer: peer_id, sdp });
        if let Some(peer) = self.peers.get_mut(&peer_id) {
            peer.resolve_mids();
        }
        self.update_published(peer_id);
        if !is_known {
            self.subscribe_to_all(peer_id);
        }
        self.refresh_send_streams(peer_id);
        self.negotiate(peer_id);
        Ok(())
    }

    /// Handles the answer to our last offer to a peer. One that comes again is ignored.
    ///
    /// # Errors
    ///
    /// The peer is unknown, no offer is pending, or the SDP is not supported.
    pub fn handle_answer(
        &mut self,
        now: Instant,
        peer_id: PeerId,
        answer: &str,
    ) -> Result<(), Rejection> {
        self.advance(now);
        let peer = self.peers.get_mut(&peer_id).ok_or(Rejection::UnknownPeer(peer_id))?;
        let link = peer.link.as_mut().ok_or(Rejection::NoPendingOffer)?;
        if link.has_accepted(answer) {
            return Ok(());
        }
        if !link.is_offering() {
            return Err(Rejection::NoPendingOffer);
        }
        let accepted = link.accept_answer(&Description::parse(answer, &self.config.limits)?);
        if link.is_broken() {
            self.end_broken_link(peer_id, None);
        }
        accepted?;
        if let Some(link) = self.peers.get_mut(&peer_id).and_then(|peer| peer.link.as_mut()) {
            link.note_accepted(answer);
        }
        self.queue_drain(peer_id);
        self.refresh_send_streams(peer_id);
        self.negotiate(peer_id);
        Ok(())
    }

    /// Says again what a peer with a link was told last, since that may be lost: subscriptions, the offer
    /// that waits for its answer, encodings and interruptions.
    pub fn repeat_events(&mut self, peer_id: PeerId) {
        let Some((peer, link)) =
            self.peers.get(&peer_id).and_then(|peer| Some((peer, peer.link.as_ref()?)))
        else {
            return;
        };
        let subscriptions = peer.subscriptions();
        self.events.push_back(Event::Subscriptions { peer: peer_id, subscriptions });
        if let Some(sdp) = link.pending_offer() {
            self.events.push_back(Event::Offer { peer: peer_id, sdp: sdp.to_owned() });
        }
        if link.is_connected {
            let interrupted = peer.interrupted;
            self.events.push_back(Event::Interrupted { peer: peer_id, interrupted });
        }
        for source in Source::ALL.into_iter().filter(|source| source.kind() == Kind::Video) {
            self.tell_publisher(TrackId { peer: peer_id, source });
        }
    }

    /// Ends a link in which str0m has panicked: one that was to become the peer's, or the peer's
    /// own.
    fn end_broken_link(&mut self, peer_id: PeerId, new_link: Option<Link>) {
        match new_link {
            Some(link) => {
                self.panics += 1;
                link.discard();
            }
            None => self.disconnect(peer_id, DisconnectReason::Panicked),
        }
    }

    /// Places waiting tracks, sends the subscriptions if they changed, and offers sections if there
    /// are too few. While an offer is pending, everything waits.
    pub(super) fn negotiate(&mut self, peer_id: PeerId) {
        let max_sections = self.config.limits.sections;
        let Some(peer) = self.peers.get_mut(&peer_id).filter(|peer| !peer.retired) else { return };
        let Some(link) = peer.link.as_mut().filter(|link| !link.is_offering()) else { return };
        let mut placed = Vec::new();
        let mut to_offer = Vec::new();
        let mut unplaced = Vec::new();
        for track_id in std::mem::take(&mut peer.unplaced) {
            match peer.pool.place(track_id) {
                // A section has become free meanwhile.
                Placement::Section(index) => placed.push((track_id, index)),
                Placement::Slot(slot) if peer.pool.len() + to_offer.len() < max_sections => {
                    to_offer.push((track_id, slot));
                }
                Placement::Slot(_) => {
                    peer.pool.release(track_id);
                    unplaced.push(track_id);
                }
            }
        }
        peer.unplaced = unplaced;
        let sections: Vec<_> = to_offer
            .iter()
            .map(|(track_id, slot)| (track_id.source.kind(), format!("moim{slot}")))
            .collect();
        let (sdp, mids) = link.offer(self.now, &sections).unzip();
        for ((track_id, slot), mid) in to_offer.into_iter().zip(mids.unwrap_or_default()) {
            let first_seq = self.rng.random_range(1..MAX_FIRST_SEQ);
            let down_track = DownTrack::new(RtpRewriter::new(first_seq));
            let index = peer.pool.add(mid, track_id.source.kind(), slot, down_track);
            placed.push((track_id, index));
        }
        for (track_id, index) in placed {
            self.assign(peer_id, track_id, index);
        }
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        if std::mem::take(&mut peer.subscriptions_changed) {
            let subscriptions = peer.subscriptions();
            self.events.push_back(Event::Subscriptions { peer: peer_id, subscriptions });
        }
        if let Some(sdp) = sdp {
            self.events.push_back(Event::Offer { peer: peer_id, sdp });
            self.queue_drain(peer_id);
        }
    }
}
