//! The table of relayed sockets, indexed by id, client and relayed address (RFC 8656 §3.2).

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use foldhash::HashMap;

use super::{
    accounts::Accounts,
    allocation::{Allocation, RelayedAddress, Reservation, Token},
    relay_id::RelayId,
    wheel::Wheel,
};
use crate::FiveTuple;

#[derive(Default)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all are the large variant, reached in one lookup"
)]
enum Slot {
    #[default]
    Empty,
    Allocation(Allocation),
    /// The second socket of the dual allocation with this id.
    Second(RelayId),
    Reservation(Reservation),
}

/// The purpose of a socket that is being opened.
pub(crate) enum Opening {
    Allocation,
    Second(RelayId),
    Reservation(RelayId),
}

/// The kind of what was removed.
pub(crate) enum Removed {
    Allocation(Box<Allocation>),
    Other,
}

#[derive(Default)]
struct Entry {
    generation: u32,
    slot: Slot,
}

/// The one owner of relayed sockets. Its methods keep all of its indexes consistent.
pub(crate) struct Allocations {
    entries: Vec<Entry>,
    free: Vec<u32>,
    by_client: HashMap<FiveTuple, RelayId>,
    by_relayed: HashMap<SocketAddr, RelayId>,
    by_token: HashMap<Token, RelayId>,
    pub(crate) accounts: Accounts,
    /// Number of relays per IP address. A machine has few addresses, so a list is enough.
    relay_ips: Vec<(IpAddr, usize)>,
    timers: Wheel,
    allocations: usize,
}

impl Allocations {
    pub(crate) fn new(start: Instant, accounts: Accounts) -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            by_client: HashMap::default(),
            by_relayed: HashMap::default(),
            by_token: HashMap::default(),
            accounts,
            relay_ips: Vec::new(),
            timers: Wheel::new(start),
            allocations: 0,
        }
    }

    /// Number of allocations.
    pub(crate) fn len(&self) -> usize {
        self.allocations
    }

    /// All allocations.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Allocation> {
        self.entries.iter().filter_map(|entry| match &entry.slot {
            Slot::Allocation(allocation) => Some(allocation),
            Slot::Empty | Slot::Second(_) | Slot::Reservation(_) => None,
        })
    }

    /// Number of allocations and reservations.
    pub(crate) fn held(&self) -> usize {
        self.allocations + self.by_token.len()
    }

    fn slot(&self, relay: RelayId) -> Option<&Slot> {
        let entry = self.entries.get(relay.index())?;
        (entry.generation == relay.generation).then_some(&entry.slot)
    }

    pub(crate) fn get(&self, relay: RelayId) -> Option<&Allocation> {
        match self.slot(relay)? {
            Slot::Allocation(allocation) => Some(allocation),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, relay: RelayId) -> Option<&mut Allocation> {
        let entry = self.entries.get_mut(relay.index())?;
        match &mut entry.slot {
            Slot::Allocation(allocation) if entry.generation == relay.generation => {
                Some(allocation)
            }
            _ => None,
        }
    }

    /// The allocation that a socket belongs to.
    #[inline]
    pub(crate) fn owner(&self, relay: RelayId) -> Option<&Allocation> {
        match self.slot(relay)? {
            Slot::Allocation(allocation) => Some(allocation),
            Slot::Second(first) => self.get(*first),
            _ => None,
        }
    }

    pub(crate) fn of_client(&self, client: &FiveTuple) -> Option<(RelayId, &Allocation)> {
        let relay = *self.by_client.get(client)?;
        Some((relay, self.get(relay)?))
    }

    pub(crate) fn of_client_mut(
        &mut self,
        client: &FiveTuple,
    ) -> Option<(RelayId, &mut Allocation)> {
        let relay = *self.by_client.get(client)?;
        Some((relay, self.get_mut(relay)?))
    }

    /// The relay with this relayed address.
    pub(crate) fn at(&self, relayed: &SocketAddr) -> Option<RelayId> {
        self.by_relayed.get(relayed).copied()
    }

    /// Returns whether any relay has this IP address.
    pub(crate) fn on(&self, ip: IpAddr) -> bool {
        self.relay_ips.iter().any(|(relay, _)| *relay == ip)
    }

    /// The purpose of a socket that is being opened.
    pub(crate) fn opening(&self, relay: RelayId) -> Option<Opening> {
        match self.slot(relay)? {
            Slot::Empty => None,
            Slot::Allocation(_) => Some(Opening::Allocation),
            Slot::Second(first) => Some(Opening::Second(*first)),
            Slot::Reservation(reserved) => Some(Opening::Reservation(reserved.opening?)),
        }
    }

    /// Adds an allocation. The caller has checked that neither its client nor its relayed address
    /// is in the table, and has charged its user's account.
    pub(crate) fn insert(&mut self, allocation: Allocation) -> Option<RelayId> {
        let relayed = allocation.relayed;
        let relay = self.claim_slot(relayed)?;
        self.hold(relay, allocation);
        Some(relay)
    }

    fn hold(&mut self, relay: RelayId, allocation: Allocation) {
        self.timers.arm(relay.index, allocation.expires);
        self.by_client.insert(allocation.client, relay);
        self.allocations += 1;
        self.set(relay, Slot::Allocation(allocation));
    }

    /// Adds a second socket to an allocation.
    pub(crate) fn insert_second(
        &mut self,
        first: RelayId,
        relayed: RelayedAddress,
    ) -> Option<RelayId> {
        self.get(first)?;
        let relay = self.claim_slot(relayed)?;
        self.set(relay, Slot::Second(first));
        self.get_mut(first)?.second = Some((relay, relayed));
        Some(relay)
    }

    /// Adds a reservation that the caller has charged to its user's account.
    pub(crate) fn reserve(&mut self, reservation: Reservation) -> Option<RelayId> {
        let relay = self.claim_slot(reservation.relayed)?;
        self.timers.arm(relay.index, reservation.expires);
        self.by_token.insert(reservation.token, relay);
        self.set(relay, Slot::Reservation(reservation));
        Some(relay)
    }

    /// Detaches a reservation, whose socket is open now, from the allocation that requested it.
    pub(crate) fn reserved(&mut self, relay: RelayId) {
        if let Some(Entry { slot: Slot::Reservation(reserved), .. }) =
            self.entries.get_mut(relay.index())
        {
            reserved.opening = None;
        }
    }

    /// The reservation of a token.
    pub(crate) fn reservation(&self, token: &Token) -> Option<(RelayId, &Reservation)> {
        let relay = *self.by_token.get(token)?;
        match self.slot(relay)? {
            Slot::Reservation(reserved) => Some((relay, reserved)),
            _ => None,
        }
    }

    /// Turns a reservation into an allocation that uses its socket. The charge on the user's
    /// account passes to the allocation.
    pub(crate) fn redeem(&mut self, relay: RelayId, allocation: Allocation) {
        let slot = self.set(relay, Slot::Empty);
        if let Some(Slot::Reservation(reserved)) = slot {
            self.by_token.remove(&reserved.token);
            self.hold(relay, allocation);
        }
    }

    /// Changes the relayed address of a socket.
    pub(crate) fn readdress(&mut self, relay: RelayId, relayed: RelayedAddress) {
        let Some(old) = self.relayed(relay) else { return };
        self.disclaim(old);
        let first = match self.entries.get_mut(relay.index()).map(|entry| &mut entry.slot) {
            Some(Slot::Allocation(allocation)) => {
                allocation.relayed = relayed;
                None
            }
            Some(Slot::Reservation(reserved)) => {
                reserved.relayed = relayed;
                None
            }
            Some(Slot::Second(first)) => Some(*first),
            _ => None,
        };
        if let Some(first) = first.and_then(|first| self.get_mut(first)) {
            first.second = Some((relay, relayed));
        }
        self.claim(relay, relayed);
    }

    /// Sets when an allocation expires, sooner or later than before.
    pub(crate) fn refresh(&mut self, relay: RelayId, expires: Instant) {
        let Some(allocation) = self.get_mut(relay) else { return };
        allocation.expires = expires;
        self.timers.arm(relay.index, expires);
    }

    /// Moves an allocation to another five-tuple, which must have none.
    pub(crate) fn move_to(&mut self, relay: RelayId, client: FiveTuple) {
        let Some(allocation) = self.get_mut(relay) else { return };
        let old = std::mem::replace(&mut allocation.client, client);
        if self.by_client.get(&old) == Some(&relay) {
            self.by_client.remove(&old);
        }
        self.by_client.insert(client, relay);
    }

    /// Detaches an allocation from its five-tuple until its client returns with a mobility ticket.
    /// Meanwhile it keeps a five-tuple with port 0, which no client can have.
    pub(crate) fn detach(&mut self, relay: RelayId) {
        let Some(allocation) = self.get_mut(relay) else { return };
        let old = allocation.client;
        allocation.client.client.set_port(0);
        self.by_client.remove(&old);
    }

    /// Removes an allocation, a second socket or a reservation and releases all that it held. The
    /// second socket of an allocation is removed with it.
    pub(crate) fn remove(&mut self, relay: RelayId) -> Option<Removed> {
        match self.take(relay)? {
            Slot::Empty => None,
            Slot::Allocation(allocation) => {
                self.allocations -= 1;
                self.disclaim(allocation.relayed);
                if self.by_client.get(&allocation.client) == Some(&relay) {
                    self.by_client.remove(&allocation.client);
                }
                self.accounts.release(allocation.holders);
                if let Some((second, relayed)) = allocation.second {
                    self.take(second);
                    self.disclaim(relayed);
                }
                Some(Removed::Allocation(Box::new(allocation)))
            }
            Slot::Second(first) => {
                let (_, relayed) = self.get_mut(first)?.second.take()?;
                self.disclaim(relayed);
                Some(Removed::Other)
            }
            Slot::Reservation(reserved) => {
                self.by_token.remove(&reserved.token);
                self.disclaim(reserved.relayed);
                self.accounts.release(reserved.holders);
                Some(Removed::Other)
            }
        }
    }

    /// Makes the second socket of a dual allocation its only one. Returns the first socket, which
    /// must be closed. From now on the allocation has the id of the second.
    pub(crate) fn promote(&mut self, first: RelayId) -> Option<RelayId> {
        let (second, relayed) = self.get_mut(first)?.second.take()?;
        let Slot::Allocation(mut allocation) = self.take(first)? else { return None };
        self.disclaim(allocation.relayed);
        allocation.relayed = relayed;
        self.allocations -= 1;
        self.hold(second, allocation);
        Some(first)
    }

    fn relayed(&self, relay: RelayId) -> Option<RelayedAddress> {
        match self.slot(relay)? {
            Slot::Empty => None,
            Slot::Allocation(allocation) => Some(allocation.relayed),
            Slot::Second(first) => Some(self.get(*first)?.second?.1),
            Slot::Reservation(reserved) => Some(reserved.relayed),
        }
    }

    fn claim_slot(&mut self, relayed: RelayedAddress) -> Option<RelayId> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.entries.push(Entry::default());
                u32::try_from(self.entries.len() - 1).ok()?
            }
        };
        let relay = RelayId { index, generation: self.entries.get(index as usize)?.generation };
        self.claim(relay, relayed);
        Some(relay)
    }

    fn set(&mut self, relay: RelayId, slot: Slot) -> Option<Slot> {
        let entry = self.entries.get_mut(relay.index())?;
        Some(std::mem::replace(&mut entry.slot, slot))
    }

    /// Empties a slot and invalidates its id.
    fn take(&mut self, relay: RelayId) -> Option<Slot> {
        let entry = self.entries.get_mut(relay.index())?;
        if entry.generation != relay.generation || matches!(entry.slot, Slot::Empty) {
            return None;
        }
        entry.generation = entry.generation.wrapping_add(1);
        self.timers.disarm(relay.index);
        self.free.push(relay.index);
        Some(std::mem::take(&mut entry.slot))
    }

    fn claim(&mut self, relay: RelayId, relayed: RelayedAddress) {
        self.by_relayed.insert(relayed.advertised, relay);
        for ip in [relayed.advertised.ip(), relayed.local.ip()] {
            match self.relay_ips.iter_mut().find(|(known, _)| *known == ip) {
                Some((_, count)) => *count += 1,
                None => self.relay_ips.push((ip, 1)),
            }
        }
    }

    fn disclaim(&mut self, relayed: RelayedAddress) {
        self.by_relayed.remove(&relayed.advertised);
        for ip in [relayed.advertised.ip(), relayed.local.ip()] {
            if let Some((_, count)) = self.relay_ips.iter_mut().find(|(known, _)| *known == ip) {
                *count -= 1;
            }
        }
        self.relay_ips.retain(|(_, count)| *count > 0);
    }

    /// The earliest time at which [`Self::due`] may return one.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// An allocation or a reservation that has expired.
    pub(crate) fn due(&mut self, now: Instant) -> Option<RelayId> {
        let index = self.timers.due(now)?;
        let generation = self.entries.get(index as usize)?.generation;
        Some(RelayId { index, generation })
    }

    /// Allocations and reservations made with room credentials whose username matches.
    pub(crate) fn of_members(&self, matches: impl Fn(&str) -> bool) -> Vec<RelayId> {
        let found = self.entries.iter().zip(0..).filter(|(entry, _)| match &entry.slot {
            Slot::Allocation(allocation) => allocation.is_member && matches(&allocation.username),
            Slot::Reservation(reserved) => reserved.is_member && matches(&reserved.username),
            Slot::Empty | Slot::Second(_) => false,
        });
        found.map(|(entry, index)| RelayId { index, generation: entry.generation }).collect()
    }
}
