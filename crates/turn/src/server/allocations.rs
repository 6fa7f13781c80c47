//! All relayed sockets and what each is for, found by client, by relayed address and by id
//! (RFC 8656 §3.2).

use super::accounts::{AllAccounts, Holders};
use super::peers::Peers;
use super::refusal::Refusal;
use super::wheel::Wheel;
use crate::FiveTuple;
use crate::stun::attribute::Family;
use crate::stun::{Integrity, Key, TransactionId};
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

    /// As in a mobility ticket.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.index) << 32 | u64::from(self.generation)
    }

    /// What [`Self::to_bits`] gave; names a relay or nothing.
    #[allow(clippy::cast_possible_truncation, reason = "the halves of it")]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self { index: (bits >> 32) as u32, generation: bits as u32 }
    }
}

/// A relayed transport address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayedAddress {
    /// As told to the client.
    pub(crate) told: SocketAddr,
    /// As bound.
    pub(crate) local: SocketAddr,
}

/// What a client has been given.
pub(crate) struct Allocation {
    pub(crate) client: FiveTuple,
    pub(crate) relayed: RelayedAddress,
    pub(crate) relayed_over: Relayed,
    /// Of a dual allocation the other family's socket.
    pub(crate) second: Option<(RelayId, RelayedAddress)>,
    pub(crate) username: Box<str>,
    /// The credential is a room's.
    pub(crate) is_member: bool,
    pub(crate) holders: Holders,
    pub(crate) key: Key,
    pub(crate) expires: Instant,
    pub(crate) peers: Peers,
    pub(crate) birth: Birth,
    /// How often it has moved, if its client may move (RFC 8016).
    pub(crate) moves: Option<u32>,
}

impl Allocation {
    /// The relayed address of a family, and whose socket that is; `own` is this allocation's id.
    #[inline]
    pub(crate) fn toward(&self, own: RelayId, peer: IpAddr) -> Option<(RelayId, SocketAddr)> {
        if self.relayed.told.is_ipv4() == peer.is_ipv4() {
            return Some((own, self.relayed.told));
        }
        let (relay, relayed) = self.second.as_ref()?;
        (relayed.told.is_ipv4() == peer.is_ipv4()).then_some((*relay, relayed.told))
    }

    pub(crate) fn is_tcp(&self) -> bool {
        self.relayed_over == Relayed::Tcp
    }

    /// Whether it has a relayed address of a family.
    pub(crate) fn has(&self, family: Family) -> bool {
        let second = self.second.iter().map(|(_, relayed)| relayed);
        std::iter::once(&self.relayed)
            .chain(second)
            .any(|relayed| Family::of(relayed.told.ip()) == family)
    }
}

/// What is relayed over (RFC 8656 §18.8, RFC 6062 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relayed {
    Udp,
    Tcp,
}

/// The request an allocation came from, kept to answer its retransmissions alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    pub(crate) transaction: TransactionId,
    pub(crate) fingerprinted: bool,
    pub(crate) integrity: Integrity,
    /// Seconds granted.
    pub(crate) lifetime: u32,
    pub(crate) wants: Wants,
    /// What of it could not be had.
    pub(crate) refused: Option<(Family, Refusal)>,
    /// Names the port that was reserved with it.
    pub(crate) token: Option<Token>,
    /// How many ports have been tried for the socket being opened; `None` once all are open.
    pub(crate) tries: Option<u8>,
}

/// What sockets an Allocate asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// One, on any port.
    Any,
    /// One, on an even port.
    Even,
    /// One on an even port, and the next one reserved.
    Pair,
    /// One of each family (ADDITIONAL-ADDRESS-FAMILY).
    Both,
}

impl Wants {
    pub(crate) fn fits(self, port: u16) -> bool {
        !matches!(self, Self::Even | Self::Pair) || port.is_multiple_of(2)
    }
}

/// RESERVATION-TOKEN (RFC 8656 §18.9)
pub(crate) type Token = [u8; 8];

/// A port kept for a user's next allocation (RFC 8656 §7.2).
pub(crate) struct Reservation {
    pub(crate) relayed: RelayedAddress,
    pub(crate) username: Box<str>,
    pub(crate) is_member: bool,
    pub(crate) holders: Holders,
    pub(crate) token: Token,
    pub(crate) expires: Instant,
    /// The allocation it was asked for with, until its socket is open.
    pub(crate) opening: Option<RelayId>,
}

#[derive(Default)]
#[allow(clippy::large_enum_variant, reason = "nearly all are the large one, and found in one step")]
enum Held {
    #[default]
    Nothing,
    Allocation(Allocation),
    /// The second socket of a dual allocation.
    Second(RelayId),
    Reservation(Reservation),
}

/// What an id names while its socket is being opened.
pub(crate) enum Opening {
    Allocation,
    Second(RelayId),
    Reservation(RelayId),
}

#[derive(Default)]
struct Slot {
    generation: u32,
    held: Held,
}

/// The one owner of relayed sockets: what is in one of its indexes is in all.
pub(crate) struct Allocations {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_client: HashMap<FiveTuple, RelayId>,
    by_relayed: HashMap<SocketAddr, RelayId>,
    by_token: HashMap<Token, RelayId>,
    pub(crate) accounts: AllAccounts,
    /// Addresses with relays on them, and how many; there are only a few.
    relay_ips: Vec<(IpAddr, usize)>,
    timers: Wheel,
    allocations: usize,
}

impl Allocations {
    pub(crate) fn new(start: Instant, accounts: AllAccounts) -> Self {
        Self {
            slots: Vec::new(),
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

    /// How many allocations there are.
    pub(crate) fn len(&self) -> usize {
        self.allocations
    }

    /// How many allocations and reservations there are.
    pub(crate) fn held(&self) -> usize {
        self.allocations + self.by_token.len()
    }

    fn slot(&self, relay: RelayId) -> Option<&Held> {
        let slot = self.slots.get(relay.index())?;
        (slot.generation == relay.generation).then_some(&slot.held)
    }

    pub(crate) fn get(&self, relay: RelayId) -> Option<&Allocation> {
        match self.slot(relay)? {
            Held::Allocation(allocation) => Some(allocation),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, relay: RelayId) -> Option<&mut Allocation> {
        let slot = self.slots.get_mut(relay.index())?;
        match &mut slot.held {
            Held::Allocation(allocation) if slot.generation == relay.generation => Some(allocation),
            _ => None,
        }
    }

    /// The allocation that a socket is of.
    #[inline]
    pub(crate) fn owner(&self, relay: RelayId) -> Option<&Allocation> {
        match self.slot(relay)? {
            Held::Allocation(allocation) => Some(allocation),
            Held::Second(first) => self.get(*first),
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

    /// Whether any relay is on this address.
    pub(crate) fn on(&self, ip: IpAddr) -> bool {
        self.relay_ips.iter().any(|(relay, _)| *relay == ip)
    }

    /// What a socket is to be, while it is being opened.
    pub(crate) fn opening(&self, relay: RelayId) -> Option<Opening> {
        match self.slot(relay)? {
            Held::Nothing => None,
            Held::Allocation(_) => Some(Opening::Allocation),
            Held::Second(first) => Some(Opening::Second(*first)),
            Held::Reservation(reserved) => Some(Opening::Reservation(reserved.opening?)),
        }
    }

    /// Takes in an allocation. The caller has seen to it that neither its client nor its relayed
    /// address has one, and has put it on its user's account.
    pub(crate) fn insert(&mut self, allocation: Allocation) -> Option<RelayId> {
        let relayed = allocation.relayed;
        let relay = self.place(relayed)?;
        self.hold(relay, allocation);
        Some(relay)
    }

    fn hold(&mut self, relay: RelayId, allocation: Allocation) {
        self.timers.arm(relay.index, allocation.expires);
        self.by_client.insert(allocation.client, relay);
        self.allocations += 1;
        self.set(relay, Held::Allocation(allocation));
    }

    /// Gives an allocation a second socket.
    pub(crate) fn insert_second(
        &mut self,
        first: RelayId,
        relayed: RelayedAddress,
    ) -> Option<RelayId> {
        self.get(first)?;
        let relay = self.place(relayed)?;
        self.set(relay, Held::Second(first));
        self.get_mut(first)?.second = Some((relay, relayed));
        Some(relay)
    }

    /// Takes in a reservation that the caller has put on its user's account.
    pub(crate) fn reserve(&mut self, reservation: Reservation) -> Option<RelayId> {
        let relay = self.place(reservation.relayed)?;
        self.timers.arm(relay.index, reservation.expires);
        self.by_token.insert(reservation.token, relay);
        self.set(relay, Held::Reservation(reservation));
        Some(relay)
    }

    /// A reservation's socket is open, and no more part of the allocation it was asked for with.
    pub(crate) fn reserved(&mut self, relay: RelayId) {
        if let Some(Slot { held: Held::Reservation(reserved), .. }) =
            self.slots.get_mut(relay.index())
        {
            reserved.opening = None;
        }
    }

    /// The reservation of a token.
    pub(crate) fn reservation(&self, token: &Token) -> Option<(RelayId, &Reservation)> {
        let relay = *self.by_token.get(token)?;
        match self.slot(relay)? {
            Held::Reservation(reserved) => Some((relay, reserved)),
            _ => None,
        }
    }

    /// Makes a reservation an allocation, with the socket it has. The caller moves the user's
    /// account along with it.
    pub(crate) fn redeem(&mut self, relay: RelayId, allocation: Allocation) {
        let held = self.set(relay, Held::Nothing);
        if let Some(Held::Reservation(reserved)) = held {
            self.by_token.remove(&reserved.token);
            self.hold(relay, allocation);
        }
    }

    /// Gives a socket another relayed address.
    pub(crate) fn readdress(&mut self, relay: RelayId, relayed: RelayedAddress) {
        let Some(old) = self.relayed(relay) else { return };
        self.disclaim(old);
        let first = match self.slots.get_mut(relay.index()).map(|slot| &mut slot.held) {
            Some(Held::Allocation(allocation)) => {
                allocation.relayed = relayed;
                None
            }
            Some(Held::Reservation(reserved)) => {
                reserved.relayed = relayed;
                None
            }
            Some(Held::Second(first)) => Some(*first),
            _ => None,
        };
        if let Some(first) = first.and_then(|first| self.get_mut(first)) {
            first.second = Some((relay, relayed));
        }
        self.claim(relay, relayed);
    }

    /// Lets an allocation live until `expires`, be that later or sooner than before.
    pub(crate) fn refresh(&mut self, relay: RelayId, expires: Instant) {
        let Some(allocation) = self.get_mut(relay) else { return };
        allocation.expires = expires;
        self.timers.arm(relay.index, expires);
    }

    /// Has an allocation belong to another five-tuple, which must have none.
    pub(crate) fn move_to(&mut self, relay: RelayId, client: FiveTuple) {
        let Some(allocation) = self.get_mut(relay) else { return };
        let old = std::mem::replace(&mut allocation.client, client);
        if self.by_client.get(&old) == Some(&relay) {
            self.by_client.remove(&old);
        }
        self.by_client.insert(client, relay);
    }

    /// Has an allocation wait for its client to come back from elsewhere: nothing more is for
    /// the five-tuple it came from. It keeps a five-tuple that nobody can have.
    pub(crate) fn detach(&mut self, relay: RelayId) {
        let Some(allocation) = self.get_mut(relay) else { return };
        let old = allocation.client;
        allocation.client.client.set_port(0);
        self.by_client.remove(&old);
    }

    /// Ends what a socket is for and gives back all it had. Of an allocation the second socket
    /// goes along; its id is returned.
    pub(crate) fn remove(&mut self, relay: RelayId) -> Option<Removed> {
        match self.take(relay)? {
            Held::Nothing => None,
            Held::Allocation(allocation) => {
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
            Held::Second(first) => {
                let (_, relayed) = self.get_mut(first)?.second.take()?;
                self.disclaim(relayed);
                Some(Removed::Other)
            }
            Held::Reservation(reserved) => {
                self.by_token.remove(&reserved.token);
                self.disclaim(reserved.relayed);
                self.accounts.release(reserved.holders);
                Some(Removed::Other)
            }
        }
    }

    /// Has the second socket of a dual allocation be its only one; returns the first, which is
    /// gone and to be closed. The allocation is found by the second's id from now on.
    pub(crate) fn promote(&mut self, first: RelayId) -> Option<RelayId> {
        let (second, relayed) = self.get_mut(first)?.second.take()?;
        let Held::Allocation(mut allocation) = self.take(first)? else { return None };
        self.disclaim(allocation.relayed);
        allocation.relayed = relayed;
        self.allocations -= 1;
        self.hold(second, allocation);
        Some(first)
    }

    fn relayed(&self, relay: RelayId) -> Option<RelayedAddress> {
        match self.slot(relay)? {
            Held::Nothing => None,
            Held::Allocation(allocation) => Some(allocation.relayed),
            Held::Second(first) => Some(self.get(*first)?.second?.1),
            Held::Reservation(reserved) => Some(reserved.relayed),
        }
    }

    fn place(&mut self, relayed: RelayedAddress) -> Option<RelayId> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot::default());
                u32::try_from(self.slots.len() - 1).ok()?
            }
        };
        let relay = RelayId { index, generation: self.slots.get(index as usize)?.generation };
        self.claim(relay, relayed);
        Some(relay)
    }

    fn set(&mut self, relay: RelayId, held: Held) -> Option<Held> {
        let slot = self.slots.get_mut(relay.index())?;
        Some(std::mem::replace(&mut slot.held, held))
    }

    /// Empties a slot for good.
    fn take(&mut self, relay: RelayId) -> Option<Held> {
        let slot = self.slots.get_mut(relay.index())?;
        if slot.generation != relay.generation || matches!(slot.held, Held::Nothing) {
            return None;
        }
        slot.generation = slot.generation.wrapping_add(1);
        self.timers.disarm(relay.index);
        self.free.push(relay.index);
        Some(std::mem::take(&mut slot.held))
    }

    fn claim(&mut self, relay: RelayId, relayed: RelayedAddress) {
        self.by_relayed.insert(relayed.told, relay);
        for ip in [relayed.told.ip(), relayed.local.ip()] {
            match self.relay_ips.iter_mut().find(|(known, _)| *known == ip) {
                Some((_, count)) => *count += 1,
                None => self.relay_ips.push((ip, 1)),
            }
        }
    }

    fn disclaim(&mut self, relayed: RelayedAddress) {
        self.by_relayed.remove(&relayed.told);
        for ip in [relayed.told.ip(), relayed.local.ip()] {
            if let Some((_, count)) = self.relay_ips.iter_mut().find(|(known, _)| *known == ip) {
                *count -= 1;
            }
        }
        self.relay_ips.retain(|(_, count)| *count > 0);
    }

    /// When [`Self::due`] may next have one.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// An allocation or a reservation whose time is up.
    pub(crate) fn due(&mut self, now: Instant) -> Option<RelayId> {
        let index = self.timers.due(now)?;
        let generation = self.slots.get(index as usize)?.generation;
        Some(RelayId { index, generation })
    }

    /// What holders of room credentials have whose names are such.
    pub(crate) fn of_members(&self, is_such: impl Fn(&str) -> bool) -> Vec<RelayId> {
        let such = self.slots.iter().zip(0..).filter(|(slot, _)| match &slot.held {
            Held::Allocation(made) => made.is_member && is_such(&made.username),
            Held::Reservation(reserved) => reserved.is_member && is_such(&reserved.username),
            Held::Nothing | Held::Second(_) => false,
        });
        such.map(|(slot, index)| RelayId { index, generation: slot.generation }).collect()
    }
}

/// What has been removed.
pub(crate) enum Removed {
    Allocation(Box<Allocation>),
    Other,
}
