//! Events of the core, for the rooms.

use std::net::SocketAddr;

use sfu::{DisconnectReason, Event, LinkQuality, PeerId, Rejection, RoomId, Transport};

use super::{
    super::{
        events::{EventSender, SfuEvent},
        link_quality::LinkTransport,
        request_kind::RequestKind,
    },
    SfuService,
};
use crate::shard::clock::Clock;

impl SfuService {
    /// Sends an event of the core to its room. `relayed` tells whether an address is a relayed one
    /// of this server, and its client's transport if that is known.
    pub(crate) fn handle_event(
        &mut self,
        now: Clock,
        event: Event,
        relayed: impl Fn(&SocketAddr) -> Option<Option<turn::Transport>>,
    ) {
        match event {
            Event::Answer { peer, sdp } => self.send(now, peer, SfuEvent::Answer(peer, sdp)),
            Event::Offer { peer, sdp } => self.send(now, peer, SfuEvent::Offer(peer, sdp)),
            Event::Subscriptions { peer, subscriptions } => {
                self.send(now, peer, SfuEvent::Subscribed(peer, subscriptions));
            }
            Event::SubscribedEncodings { peer, source, subscribed, rids } => {
                self.send(now, peer, SfuEvent::SubscribedEncodings(peer, source, subscribed, rids));
            }
            Event::Speakers { room, speakers } => {
                let events = self.rooms.events_of_room(room);
                if let Some(events) = events.filter(|_| self.rooms.tells_speakers(room)) {
                    // Dropped if the queue is full: outdated once there is room.
                    let _ = events.send(SfuEvent::Speakers(speakers));
                }
            }
            Event::Interrupted { peer, interrupted } => {
                tracing::debug!(peer = peer.0, interrupted, "link interrupted or resumed");
                self.send(now, peer, SfuEvent::Interrupted(peer, interrupted));
            }
            Event::JoinStep { step, took, .. } => self.quality.on_step(step, took),
            Event::Quality { room, links } => self.handle_quality(room, links, relayed),
            Event::Connected { peer, transport, remote } => {
                self.counters.connected += 1;
                let transport = transport_of(transport, &remote, relayed);
                self.links.count(transport, Some(remote));
                self.transports.insert(peer, transport);
                tracing::debug!(peer = peer.0, "link connected");
                // The peer's previous link may have ended while it was interrupted.
                self.send(now, peer, SfuEvent::Interrupted(peer, false));
            }
            Event::Disconnected { peer, reason } => self.handle_gone(peer, reason),
        }
    }

    fn handle_gone(&mut self, peer: PeerId, reason: DisconnectReason) {
        self.counters.ended += 1;
        let has_failed =
            matches!(reason, DisconnectReason::IceTimeout | DisconnectReason::DtlsFailed);
        if has_failed && !self.transports.contains_key(&peer) {
            self.links.count(LinkTransport::None, None);
        }
        if let Some(events) = self.rooms.events_of_peer(peer) {
            report_gone(events, peer, reason);
        }
        self.forget_peer(peer);
    }

    /// Counts the samples of a room's links, and sends them to the room.
    fn handle_quality(
        &mut self,
        room: RoomId,
        links: Vec<LinkQuality>,
        relayed: impl Fn(&SocketAddr) -> Option<Option<turn::Transport>>,
    ) {
        links.iter().for_each(|link| self.quality.on_sample(link));
        let sample = |link: LinkQuality| {
            // The path may have changed since the link was connected.
            let transport = transport_of(link.transport, &link.remote, &relayed);
            (link, transport)
        };
        if let Some(events) = self.rooms.events_of_room(room) {
            // Dropped if the queue is full: a gap in the history.
            let _ = events.send(SfuEvent::Quality(links.into_iter().map(sample).collect()));
        }
    }

    /// Sends an event of a peer. If its room can't take it, the link is closed: its state would
    /// differ from what the browser knows.
    fn send(&mut self, now: Clock, peer: PeerId, event: SfuEvent) {
        let Some(events) = self.rooms.events_of_peer(peer) else { return };
        if !events.send(event) {
            self.counters.event_overflows += 1;
            tracing::debug!(peer = peer.0, "event queue of the room is full: link closed");
            self.remove_peer(now.monotonic, peer);
        }
    }
}

fn transport_of(
    transport: Transport,
    remote: &SocketAddr,
    relayed: impl Fn(&SocketAddr) -> Option<Option<turn::Transport>>,
) -> LinkTransport {
    match relayed(remote).filter(|_| transport == Transport::Udp) {
        Some(client) => LinkTransport::relayed(client),
        None => LinkTransport::direct(transport),
    }
}

/// Reports that a link is not here, where its room believes it to be.
pub(super) fn report_missing(events: &EventSender, peer: PeerId) {
    let refused = Rejection::UnknownPeer(peer);
    // Dropped if the queue is full: the browser notices later.
    let _ = events.send(SfuEvent::RequestRefused(peer, RequestKind::Offer, refused));
}

/// Reports the end of a link to its room, where nothing else would.
fn report_gone(events: &EventSender, peer: PeerId, reason: DisconnectReason) {
    let refused = match reason {
        DisconnectReason::IceTimeout => Rejection::IceTimeout,
        DisconnectReason::DtlsFailed => Rejection::DtlsFailed,
        // The browser would not notice for half a minute. The panic was logged at its origin.
        DisconnectReason::Panicked => Rejection::Panicked,
        DisconnectReason::ClosedByPeer => {
            tracing::debug!(peer = peer.0, ?reason, "link ended");
            // Dropped if the queue is full: the next link, or the peer's leaving, has the same
            // effect.
            let _ = events.send(SfuEvent::Interrupted(peer, false));
            return;
        }
        DisconnectReason::Timeout | DisconnectReason::Failed => {
            tracing::debug!(peer = peer.0, ?reason, "link ended");
            return;
        }
    };
    tracing::info!(peer = peer.0, %refused, "link failed");
    let _ = events.send(SfuEvent::RequestRefused(peer, RequestKind::Offer, refused));
}
