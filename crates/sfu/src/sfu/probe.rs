//! Probes: peers with one data channel, whose messages are echoed, for tests of a network.
//!
//! A probe has a room of its own, so nothing else can be reached through it, and ends by itself.

use std::time::{Duration, Instant};

use super::Sfu;
use crate::{
    ids::{PeerId, RoomId},
    output::DisconnectReason,
    rejection::Rejection,
    sdp::{Description, MediaType},
};

/// Life of a probe.
pub(super) const LIFETIME: Duration = Duration::from_secs(15);

impl Sfu {
    /// Adds a probe with its offer, which must have a data channel and nothing else. The answer is
    /// [`Event::Answer`](crate::Event::Answer). The caller chooses a room that no one else enters.
    ///
    /// Each message of up to 1200 bytes is sent back, followed by the number of messages that have
    /// arrived so far (32 bits, big endian): so a client can tell loss on the way to the server from
    /// loss on the way back. A probe ends after 15 s.
    ///
    /// # Errors
    ///
    /// The offer is no probe's, a limit is reached, or what
    /// [`handle_offer`](Self::handle_offer) rejects.
    pub fn add_probe(
        &mut self,
        now: Instant,
        room_id: RoomId,
        peer_id: PeerId,
        offer: &str,
    ) -> Result<(), Rejection> {
        self.advance(now);
        if self.probes.len() >= self.config.limits.probes {
            return Err(Rejection::Full);
        }
        let description = Description::parse(offer, &self.config.limits)?;
        let [section] = &description.sections[..] else { return Err(Rejection::NotProbe) };
        if section.kind != MediaType::Application {
            return Err(Rejection::NotProbe);
        }
        self.add_peer(now, room_id, peer_id)?;
        if let Err(rejection) = self.handle_offer(now, peer_id, offer) {
            self.remove_peer(now, peer_id);
            return Err(rejection);
        }
        let link = self.peers.get_mut(&peer_id).and_then(|peer| peer.link.as_mut());
        if let Some(link) = link {
            link.start_echo();
        }
        self.probes.push_back((self.now + LIFETIME, peer_id));
        Ok(())
    }

    /// Ends the probes that are due.
    pub(super) fn expire_probes(&mut self) {
        while let Some((_, peer_id)) = self.probes.pop_front_if(|(end, _)| *end <= self.now) {
            self.disconnect(peer_id, DisconnectReason::Timeout);
        }
    }
}
