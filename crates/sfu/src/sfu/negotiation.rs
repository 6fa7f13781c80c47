//! Offers and answers: perfect negotiation, with us as the impolite side.

use std::time::Instant;

use rand::RngExt as _;

use super::Sfu;
use crate::{
    ids::{PeerId, Source},
    output::{DisconnectReason, Event},
    peer::{Outlet, link::Link, pool::Place},
    rejection::Rejection,
    sdp::Description,
    track::rewriter::{MAX_FIRST_SEQ, RtpRewriter},
};

/// More sources than there are.
const MOST_SOURCES: usize = 4;

impl Sfu {
    /// Says what the sending sections of the peer's next offer are; replaces what it said before.
    ///
    /// # Errors
    ///
    /// An unknown peer, or something named twice.
    pub fn handle_publish(
        &mut self,
        now: Instant,
        peer: PeerId,
        tracks: &[(&str, Source)],
    ) -> Result<(), Rejection> {
        self.tick(now);
        if tracks.len() > MOST_SOURCES {
            return Err(Rejection::TooManyTracks);
        }
        for (index, (mid, source)) in tracks.iter().enumerate() {
            for (other_mid, other) in tracks.iter().skip(index + 1) {
                if source == other {
                    return Err(Rejection::DuplicateSource(*source));
                }
                if mid == other_mid {
                    return Err(Rejection::DuplicateMid((*mid).to_owned()));
                }
            }
        }
        let it = self.peers.get_mut(&peer).ok_or(Rejection::UnknownPeer(peer))?;
        it.announce(tracks);
        self.republish(peer);
        Ok(())
    }

    /// Takes a peer's offer. The answer comes as [`Event::Answer`]; if the peer is to be offered
    /// sections, that follows at once.
    ///
    /// # Errors
    ///
    /// An unknown peer, SDP that can't be taken, or [`Rejection::OfferCollision`], which needs no reply.
    pub fn handle_offer(
        &mut self,
        now: Instant,
        peer: PeerId,
        offer: &str,
    ) -> Result<(), Rejection> {
        self.tick(now);
        let offer = &Description::parse(offer, &self.config.limits)?;
        let it = self.peers.get(&peer).ok_or(Rejection::UnknownPeer(peer))?;
        let known = it.link.as_ref().is_some_and(|link| link.is_from_client(offer));
        if known && it.link.as_ref().is_some_and(Link::is_offering) {
            return Err(Rejection::OfferCollision);
        }
        let (config, rng) = (&self.config, &mut self.rng);
        let Some(it) = self.peers.get_mut(&peer) else { return Err(Rejection::UnknownPeer(peer)) };
        let fresh = (!known).then(|| Link::new(config, &self.engine, offer, rng, now));
        let mut fresh = fresh.transpose().inspect_err(|_| self.panics += 1)?;
        let link = fresh.as_mut().or(it.link.as_mut()).ok_or(Rejection::UnknownPeer(peer))?;
        let before = link.ufrag().to_owned();
        let accepted = link.accept_offer(offer, config.shard, rng);
        if link.is_broken() {
            self.end_broken(peer, fresh);
            return Err(Rejection::Panicked);
        }
        let sdp = accepted?;
        let after = link.ufrag().to_owned();
        // Only who is sure to have a link again loses the one it had.
        if fresh.is_some() {
            self.drop_link(peer);
            let Some(it) = self.peers.get_mut(&peer) else {
                return Err(Rejection::UnknownPeer(peer));
            };
            it.link = fresh;
        }
        self.routes.remove_ufrag(&before);
        self.routes.insert_ufrag(after, peer);
        self.mark(peer);
        self.events.push_back(Event::Answer { peer, sdp });
        if let Some(it) = self.peers.get_mut(&peer) {
            it.find_sections();
        }
        self.republish(peer);
        if !known {
            self.subscribe_to_all(peer);
        }
        self.refresh_send_streams(peer);
        self.negotiate(peer);
        Ok(())
    }

    /// Takes the answer to our last offer to a peer.
    ///
    /// # Errors
    ///
    /// An unknown peer, no open offer, or SDP that can't be taken.
    pub fn handle_answer(
        &mut self,
        now: Instant,
        peer: PeerId,
        answer: &str,
    ) -> Result<(), Rejection> {
        self.tick(now);
        let it = self.peers.get_mut(&peer).ok_or(Rejection::UnknownPeer(peer))?;
        let link =
            it.link.as_mut().filter(|link| link.is_offering()).ok_or(Rejection::NoPendingOffer)?;
        let accepted = link.accept_answer(&Description::parse(answer, &self.config.limits)?);
        if link.is_broken() {
            self.end_broken(peer, None);
        }
        accepted?;
        self.mark(peer);
        self.refresh_send_streams(peer);
        self.negotiate(peer);
        Ok(())
    }

    /// Ends the link in which the engine has just panicked: one that was to be the peer's, or the one
    /// that it has.
    fn end_broken(&mut self, peer: PeerId, fresh: Option<Link>) {
        match fresh {
            Some(link) => {
                self.panics += 1;
                link.discard();
            }
            None => self.gone(peer, DisconnectReason::Panicked),
        }
    }

    /// Tells a peer what it gets if that has changed, with an offer if it takes more sections than
    /// there are. While an offer is open it waits.
    pub(super) fn negotiate(&mut self, peer: PeerId) {
        let most = self.config.limits.sections;
        let Some(it) = self.peers.get_mut(&peer) else { return };
        let Some(link) = it.link.as_mut().filter(|link| !link.is_offering()) else { return };
        let mut placed = Vec::new();
        let mut missing = Vec::new();
        let mut full = Vec::new();
        for track in std::mem::take(&mut it.waiting) {
            match it.pool.place(track) {
                // Fell free while we waited.
                Place::Section(index) => placed.push((track, index)),
                Place::Slot(slot) if it.pool.len() + missing.len() < most => {
                    missing.push((track, slot));
                }
                Place::Slot(_) => {
                    it.pool.release(track);
                    full.push(track);
                }
            }
        }
        // Until a section falls free.
        it.waiting = full;
        let wanted =
            missing.iter().map(|(track, slot)| (track.source.kind(), format!("moim{slot}")));
        let offer = link.offer(&wanted.collect::<Vec<_>>());
        let (sdp, mids) = offer.unzip();
        for ((track, slot), mid) in missing.into_iter().zip(mids.unwrap_or_default()) {
            let start = self.rng.random_range(1..MAX_FIRST_SEQ);
            let outlet = Outlet::new(RtpRewriter::new(start));
            placed.push((track, it.pool.add(mid, track.source.kind(), slot, outlet)));
        }
        for (track, index) in placed {
            self.put(peer, track, index);
        }
        let Some(it) = self.peers.get_mut(&peer) else { return };
        if std::mem::take(&mut it.changed) {
            self.events.push_back(Event::Subscriptions { peer, subscriptions: it.subscriptions() });
        }
        if let Some(sdp) = sdp {
            self.events.push_back(Event::Offer { peer, sdp });
            self.mark(peer);
        }
    }
}
