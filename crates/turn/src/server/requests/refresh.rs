//! Refresh (RFC 8656 §8), also from another address (RFC 8016 §3.2).

use std::time::{Duration, Instant};

use super::attributes::requested_family;
use crate::{
    FiveTuple,
    credentials::Authenticated,
    server::{
        Server,
        allocations::Removed,
        output::Output,
        rejection::Rejection,
        relay_id::RelayId,
        respond::{Granted, Ticket},
    },
    stun::{
        Message,
        attribute::{Family, MOBILITY_TICKET},
    },
    ticket::TicketContents,
};

impl Server {
    /// RFC 8656 §8.2
    pub(super) fn refresh(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        user: &Authenticated<'_>,
    ) -> Result<Granted, Rejection> {
        let lifetime = self.lifetime(message)?;
        let default = self.clamp_lifetime(0);
        let family = requested_family(message)?;
        let ticket = message.attribute(MOBILITY_TICKET);
        if ticket.is_some() && !self.config.mobility {
            return Err(Rejection::MOBILITY_FORBIDDEN);
        }
        let relay = match ticket {
            Some(ticket) if self.allocations.of_client(from).is_none() => {
                self.movable(now, ticket, user)?
            }
            Some(ticket) => self.unmoved(now, from, ticket, user)?,
            None => self.owned_allocation(now, from, user)?.0,
        };
        let allocation = self.allocations.get(relay).ok_or(Rejection::ALLOCATION_MISMATCH)?;
        if family.is_some_and(|family| !allocation.has(family)) {
            return Err(Rejection::FAMILY_MISMATCH);
        }
        if allocation.client != *from {
            self.move_to(relay, from);
        }
        if lifetime == Some(0) {
            self.end_family(relay, family);
            return Ok(Granted::Refreshed { lifetime: 0, ticket: None });
        }
        // Both addresses of a dual allocation have the same lifetime.
        let lifetime = lifetime.unwrap_or(default);
        self.allocations.refresh(relay, now + Duration::from_secs(lifetime.into()));
        let ticket = ticket.and_then(|_| self.ticket(relay));
        Ok(Granted::Refreshed { lifetime, ticket })
    }

    /// The allocation that a ticket moves to a new five-tuple. A ticket is valid for one move.
    fn movable(
        &self,
        now: Instant,
        ticket: &[u8],
        user: &Authenticated<'_>,
    ) -> Result<RelayId, Rejection> {
        let contents = self.tickets.read(ticket).ok_or(Rejection::BAD_REQUEST)?;
        let relay = RelayId::from_bits(contents.relay);
        let allocation = self.allocations.get(relay).filter(|allocation| {
            allocation.mobility_seq == Some(contents.mobility_seq)
                && allocation.expires > now
                && !allocation.is_opening()
        });
        let allocation = allocation.ok_or(Rejection::ALLOCATION_MISMATCH)?;
        if !user.owns(&allocation.username, allocation.is_member) {
            return Err(Rejection::WRONG_CREDENTIALS);
        }
        Ok(relay)
    }

    /// The allocation that already belongs to this five-tuple: the client retransmits the ticket
    /// that it moved with, or sends one without moving.
    fn unmoved(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        ticket: &[u8],
        user: &Authenticated<'_>,
    ) -> Result<RelayId, Rejection> {
        let contents = self.tickets.read(ticket);
        let (relay, allocation) = self.owned_allocation(now, from, user)?;
        if allocation.mobility_seq.is_none() {
            return Err(Rejection::MOBILITY_FORBIDDEN);
        }
        match contents {
            _ if ticket.is_empty() => Ok(relay),
            Some(contents) if contents.relay == relay.to_bits() => Ok(relay),
            Some(_) => Err(Rejection::ALLOCATION_MISMATCH),
            None => Err(Rejection::BAD_REQUEST),
        }
    }

    /// Moves an allocation to another five-tuple. Packets from the old one are no longer relayed.
    fn move_to(&mut self, relay: RelayId, to: &FiveTuple) {
        self.allocations.move_to(relay, *to);
        if let Some(allocation) = self.allocations.get_mut(relay) {
            allocation.mobility_seq = allocation.mobility_seq.map(|seq| seq.wrapping_add(1));
        }
        self.counters.moved += 1;
    }

    fn ticket(&self, relay: RelayId) -> Option<Ticket> {
        let mobility_seq = self.allocations.get(relay)?.mobility_seq?;
        Some(self.tickets.mint(TicketContents { relay: relay.to_bits(), mobility_seq }))
    }

    /// Ends an allocation, or only the relayed address of one family of a dual allocation.
    fn end_family(&mut self, relay: RelayId, family: Option<Family>) {
        let Some(allocation) = self.allocations.get_mut(relay) else { return };
        let (Some((second, relayed)), Some(family)) = (allocation.second, family) else {
            return self.end(relay);
        };
        allocation.peers.forget(family);
        let closed = if Family::of(relayed.advertised.ip()) == family {
            self.allocations.remove(second).map(|_: Removed| second)
        } else {
            self.allocations.promote(relay)
        };
        if let Some(relay) = closed {
            self.outputs.push_back(Output::CloseRelay { relay });
        }
    }
}
