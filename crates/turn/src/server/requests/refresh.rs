//! Refresh (RFC 8656 §8), also from another address (RFC 8016 §3.2).

use super::super::allocations::Removed;
use super::super::respond::Ticket;
use super::super::{Output, RelayId, Server};
use super::{Granted, Proven, Refusal, requested_family};
use crate::FiveTuple;
use crate::stun::Message;
use crate::stun::attribute::{Family, MOBILITY_TICKET};
use std::time::{Duration, Instant};

impl Server {
    /// RFC 8656 §8.2
    pub(super) fn refresh(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        let lifetime = self.lifetime(message)?;
        let default = self.granted(0);
        let family = requested_family(message)?;
        let ticket = message.attribute(MOBILITY_TICKET);
        if ticket.is_some() && !self.config.mobility {
            return Err(Refusal::MOBILITY_FORBIDDEN);
        }
        let relay = match ticket {
            Some(ticket) if self.allocations.of_client(from).is_none() => {
                self.movable(now, ticket, proven)?
            }
            Some(ticket) => self.stays(now, from, ticket, proven)?,
            None => self.own(now, from, proven)?.0,
        };
        let made = self.allocations.get(relay).ok_or(Refusal::ALLOCATION_MISMATCH)?;
        if family.is_some_and(|family| !made.has(family)) {
            return Err(Refusal::FAMILY_MISMATCH);
        }
        if made.client != *from {
            self.move_to(relay, from);
        }
        if lifetime == Some(0) {
            self.end_family(relay, family);
            return Ok(Granted::Refreshed(0, None));
        }
        // Of a dual allocation both addresses live as long as either.
        let lifetime = lifetime.unwrap_or(default);
        self.allocations.refresh(relay, now + Duration::from_secs(lifetime.into()));
        let ticket = ticket.and_then(|_| self.ticket(relay));
        Ok(Granted::Refreshed(lifetime, ticket))
    }

    /// The allocation that a ticket from elsewhere lets its user have again. A ticket is good for
    /// one move.
    fn movable(
        &self,
        now: Instant,
        ticket: &[u8],
        proven: &Proven<'_>,
    ) -> Result<RelayId, Refusal> {
        let (relay, moves) = self.tickets.read(ticket).ok_or(Refusal::BAD_REQUEST)?;
        let relay = RelayId::from_bits(relay);
        let made = self.allocations.get(relay).filter(|made| {
            made.moves == Some(moves) && made.expires > now && made.birth.tries.is_none()
        });
        let made = made.ok_or(Refusal::ALLOCATION_MISMATCH)?;
        if !proven.is_holder(&made.username, made.is_member) {
            return Err(Refusal::WRONG_CREDENTIALS);
        }
        Ok(relay)
    }

    /// A ticket of the allocation that this client has already: one it moved here with, sent again
    /// because the answer was lost, or one it keeps.
    fn stays(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        ticket: &[u8],
        proven: &Proven<'_>,
    ) -> Result<RelayId, Refusal> {
        let named = self.tickets.read(ticket);
        let (relay, made) = self.own(now, from, proven)?;
        if made.moves.is_none() {
            return Err(Refusal::MOBILITY_FORBIDDEN);
        }
        match named {
            _ if ticket.is_empty() => Ok(relay),
            Some((named, _)) if named == relay.to_bits() => Ok(relay),
            Some(_) => Err(Refusal::ALLOCATION_MISMATCH),
            None => Err(Refusal::BAD_REQUEST),
        }
    }

    /// All that is for the client goes to where it is now, and nothing more comes from where it
    /// was.
    fn move_to(&mut self, relay: RelayId, to: &FiveTuple) {
        self.allocations.move_to(relay, *to);
        if let Some(made) = self.allocations.get_mut(relay) {
            made.moves = made.moves.map(|moves| moves.wrapping_add(1));
        }
        self.counters.moved += 1;
    }

    fn ticket(&self, relay: RelayId) -> Option<Ticket> {
        let moves = self.allocations.get(relay)?.moves?;
        Some(self.tickets.mint((relay.to_bits(), moves)))
    }

    /// Ends an allocation, or the one of its two relayed addresses that is of a family.
    fn end_family(&mut self, relay: RelayId, family: Option<Family>) {
        let Some(made) = self.allocations.get_mut(relay) else { return };
        let (Some((second, relayed)), Some(family)) = (made.second, family) else {
            return self.end(relay);
        };
        made.peers.forget(family);
        let closed = if Family::of(relayed.told.ip()) == family {
            self.allocations.remove(second).map(|_: Removed| second)
        } else {
            self.allocations.promote(relay)
        };
        if let Some(relay) = closed {
            self.outputs.push_back(Output::CloseRelay { relay });
        }
    }
}
