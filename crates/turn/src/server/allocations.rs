//! All allocations, found by client, by relayed address and by id (RFC 8656 §3.2).

use super::expiry::Expiry;
use super::peers::Peers;
use crate::FiveTuple;
use crate::stun::{Key, TransactionId};
use foldhash::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Names a relayed socket for as long as it lives; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayId {
    index: u32,
    generation: u32,
}

impl RelayId {
    /// A small number that no other live relay has, for whoever keeps sockets in a table.
    #[must_use]
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// What a client has been given.
pub(crate) struct Allocation {
    pub(crate) client: FiveTuple,
    /// As told to the client.
    pub(crate) relayed: SocketAddr,
    /// As bound.
    pub(crate) local: SocketAddr,
    pub(crate) relayed_over: Relayed,
    pub(crate) username: Box<str>,
    pub(crate) key: Key,
    pub(crate) expires: Instant,
    /// The one entry among the deadlines that counts; not after `expires`.
    pub(crate) armed: Instant,
    pub(crate) peers: Peers,
    pub(crate) birth: Birth,
}

/// The request an allocation came from, kept to answer its retransmissions alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    pub(crate) transaction: TransactionId,
    pub(crate) fingerprinted: bool,
    /// Seconds granted.
    pub(crate) lifetime: u32,
    /// The port must be even.
    pub(crate) even: bool,
    /// How many ports have been tried; `None` once one is open.
    pub(crate) tries: Option<u8>,
}

/// What is relayed over (RFC 8656 §18.8, RFC 6062 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relayed {
    Udp,
    Tcp,
}

impl Allocation {
    pub(crate) fn is_tcp(&self) -> bool {
        self.relayed_over == Relayed::Tcp
    }

    /// Whose quota this is on.
    fn user(&self) -> &str {
        user_of(&self.username)
    }
}

/// What follows the expiry in a REST name: the same person, however often they get a new one.
pub(crate) fn user_of(username: &str) -> &str {
    crate::rest::Username::parse(username).map_or(username, |name| name.user)
}

#[derive(Default)]
struct Slot {
    generation: u32,
    allocation: Option<Allocation>,
}

/// The one owner of allocations: what is in one of its indexes is in all.
#[derive(Default)]
pub(crate) struct Allocations {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_client: HashMap<FiveTuple, RelayId>,
    by_relayed: HashMap<SocketAddr, RelayId>,
    users: HashMap<Box<str>, usize>,
    /// Addresses with relays on them, and how many; there are only a few.
    relay_ips: Vec<(IpAddr, usize)>,
    expiry: Expiry,
}

impl Allocations {
    pub(crate) fn len(&self) -> usize {
        self.by_client.len()
    }

    /// How many of `username`'s user there are.
    pub(crate) fn count_of(&self, username: &str) -> usize {
        self.users.get(user_of(username)).copied().unwrap_or(0)
    }

    pub(crate) fn get(&self, relay: RelayId) -> Option<&Allocation> {
        let slot = self.slots.get(relay.index())?;
        slot.allocation.as_ref().filter(|_| slot.generation == relay.generation)
    }

    pub(crate) fn get_mut(&mut self, relay: RelayId) -> Option<&mut Allocation> {
        let slot = self.slots.get_mut(relay.index())?;
        slot.allocation.as_mut().filter(|_| slot.generation == relay.generation)
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

    /// Whether any relay is on this address.
    pub(crate) fn on(&self, ip: IpAddr) -> bool {
        self.relay_ips.iter().any(|(relay, _)| *relay == ip)
    }

    /// Takes in an allocation. The caller has seen to it that neither its client nor its relayed
    /// address has one.
    pub(crate) fn insert(&mut self, allocation: Allocation) -> Option<RelayId> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot::default());
                u32::try_from(self.slots.len() - 1).ok()?
            }
        };
        let slot = self.slots.get_mut(index as usize)?;
        let relay = RelayId { index, generation: slot.generation };
        self.expiry.insert(allocation.armed, relay);
        self.by_client.insert(allocation.client, relay);
        *self.users.entry(allocation.user().into()).or_default() += 1;
        slot.allocation = Some(allocation);
        self.claim(relay);
        Some(relay)
    }

    /// Gives an allocation another relayed address.
    pub(crate) fn readdress(&mut self, relay: RelayId, relayed: SocketAddr, local: SocketAddr) {
        self.disclaim(relay);
        if let Some(allocation) = self.get_mut(relay) {
            allocation.relayed = relayed;
            allocation.local = local;
        }
        self.claim(relay);
    }

    /// Lets an allocation live until `expires`, be that later or sooner than before.
    pub(crate) fn refresh(&mut self, relay: RelayId, expires: Instant) {
        let Some(allocation) = self.get_mut(relay) else { return };
        allocation.expires = expires;
        if expires < allocation.armed {
            allocation.armed = expires;
            self.expiry.insert(expires, relay);
        }
    }

    /// Ends an allocation and gives back all it had.
    pub(crate) fn remove(&mut self, relay: RelayId) -> Option<Allocation> {
        self.disclaim(relay);
        let slot = self.slots.get_mut(relay.index())?;
        if slot.generation != relay.generation {
            return None;
        }
        let allocation = slot.allocation.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(relay.index);
        self.by_client.remove(&allocation.client);
        let user = allocation.user();
        if let Some(count) = self.users.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                self.users.remove(user);
            }
        }
        let slots = &self.slots;
        self.expiry.sweep(self.by_client.len(), |at, relay| {
            let slot = slots.get(relay.index()).filter(|slot| slot.generation == relay.generation);
            slot.and_then(|slot| slot.allocation.as_ref()).is_some_and(|found| found.armed == at)
        });
        Some(allocation)
    }

    fn claim(&mut self, relay: RelayId) {
        let Some(allocation) = self.get(relay) else { return };
        let (relayed, local) = (allocation.relayed, allocation.local);
        self.by_relayed.insert(relayed, relay);
        for ip in [relayed.ip(), local.ip()] {
            match self.relay_ips.iter_mut().find(|(known, _)| *known == ip) {
                Some((_, count)) => *count += 1,
                None => self.relay_ips.push((ip, 1)),
            }
        }
    }

    fn disclaim(&mut self, relay: RelayId) {
        let Some(allocation) = self.get(relay) else { return };
        let (relayed, local) = (allocation.relayed, allocation.local);
        self.by_relayed.remove(&relayed);
        for ip in [relayed.ip(), local.ip()] {
            if let Some((_, count)) = self.relay_ips.iter_mut().find(|(known, _)| *known == ip) {
                *count -= 1;
            }
        }
        self.relay_ips.retain(|(_, count)| *count > 0);
    }

    /// When [`Self::due`] may next have one.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.expiry.next()
    }

    /// An allocation whose time is up.
    pub(crate) fn due(&mut self, now: Instant) -> Option<RelayId> {
        loop {
            let (at, relay) = self.expiry.due(now)?;
            let Some(allocation) = self.get_mut(relay).filter(|found| found.armed == at) else {
                continue;
            };
            if allocation.expires <= now {
                return Some(relay);
            }
            allocation.armed = allocation.expires;
            let armed = allocation.armed;
            self.expiry.insert(armed, relay);
        }
    }
}
