//! Requests of peers.

use std::time::Instant;

use sfu::{PeerId, Rejection, RoomId, Sfu};

use super::{
    super::{
        budget::{Budget, Stopwatch},
        events::SfuEvent,
        room_commands::{PeerSetup, Request},
    },
    SfuService,
};

impl SfuService {
    pub(super) fn handle_request(
        &mut self,
        now: Instant,
        room: RoomId,
        peer: PeerId,
        request: Request,
    ) {
        // A peer has one room. A command of another one is that of a node with a fault.
        if self.rooms.room_of_peer(peer).is_some_and(|known| known != room) {
            self.counters.refused += 1;
            return;
        }
        let kind = request.kind();
        let events = request.events().or_else(|| self.rooms.events_of_peer(peer)).cloned();
        let Err(refused) = self.try_request(now, room, peer, request) else { return };
        self.counters.refused += 1;
        tracing::debug!(peer = peer.0, %refused, "request refused");
        if let (Some(kind), Some(events)) = (kind, events)
            && !refused.is_benign()
        {
            // Dropped if the queue is full: the room is behind with other events.
            let _ = events.send(SfuEvent::RequestRefused(peer, kind, refused));
        }
    }

    fn try_request(
        &mut self,
        now: Instant,
        room: RoomId,
        peer: PeerId,
        request: Request,
    ) -> Result<(), Rejection> {
        match request {
            Request::Publish(tracks, setup) => {
                self.ensure_peer(now, room, peer, setup)?;
                let tracks: Vec<_> =
                    tracks.iter().map(|(mid, source)| (mid.as_str(), *source)).collect();
                self.core.handle_publish(now, peer, &tracks)
            }
            Request::Subscribe(wishes, setup) => {
                self.ensure_peer(now, room, peer, setup)?;
                self.core.handle_subscribe(now, peer, &wishes)
            }
            Request::Offer(sdp, setup) => {
                self.ensure_peer(now, room, peer, setup)?;
                self.negotiate(now, peer, |core| core.handle_offer(now, peer, &sdp))
            }
            Request::Probe(sdp, events) => {
                self.core.add_probe(now, room, peer, &sdp)?;
                self.rooms.add_peer(room, peer, events);
                Ok(())
            }
            Request::Answer(sdp) => {
                self.negotiate(now, peer, |core| core.handle_answer(now, peer, &sdp))
            }
            // One that does not exist is made with what it may do.
            Request::Permit(permissions) if self.rooms.has_peer(peer) => {
                self.core.handle_permit(now, peer, &permissions)
            }
            Request::Permit(_) => Ok(()),
            Request::Retire => {
                self.core.retire_peer(now, peer);
                Ok(())
            }
            Request::Leave => {
                self.remove_peer(now, peer);
                Ok(())
            }
        }
    }

    /// Handles a session description within the peer's budget of CPU time.
    fn negotiate(
        &mut self,
        now: Instant,
        peer: PeerId,
        handle: impl FnOnce(&mut Sfu) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        if self.budgets.get_mut(&peer).is_some_and(|budget| !budget.is_left(now)) {
            return Err(Rejection::TooFast);
        }
        let stopwatch = Stopwatch::start();
        let handled = handle(&mut self.core);
        if self.rooms.has_peer(peer) {
            let budget = self.budgets.entry(peer).or_insert_with(|| Budget::new(now));
            budget.spend(stopwatch.elapsed());
        }
        handled
    }

    /// Adds a peer that is new, or whose link has ended, and sets what it may do.
    fn ensure_peer(
        &mut self,
        now: Instant,
        room: RoomId,
        peer: PeerId,
        setup: PeerSetup,
    ) -> Result<(), Rejection> {
        let PeerSetup { permissions, events } = setup;
        if !self.rooms.has_peer(peer) {
            self.core.add_peer(now, room, peer)?;
            self.rooms.add_peer(room, peer, events);
        }
        self.core.handle_permit(now, peer, &permissions)
    }
}
