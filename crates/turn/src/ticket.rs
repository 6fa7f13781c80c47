//! Mobility tickets that need no memory: each names an allocation and how often it has moved, under
//! a key that only this process knows (RFC 8016 §3).

use crate::stun::attribute::{CONNECTION_ID, MOBILITY_TICKET, RESERVATION_TOKEN};
use crate::stun::{Class, Message, Method};
use aws_lc_rs::{constant_time, hmac};

const SHARD: usize = 1;
const MAC: usize = 16;
const NAMED: usize = 12;
/// Bytes of a ticket.
pub(crate) const LENGTH: usize = SHARD + MAC + NAMED;

/// Makes and reads tickets.
pub(crate) struct Tickets {
    shard: u8,
    mac: hmac::Key,
    mask: hmac::Key,
}

/// What a ticket is for: the bits of an id, and how often the allocation had moved.
pub(crate) type Named = (u64, u32);

impl Tickets {
    /// Each of the keys is random.
    pub(crate) fn new(shard: u8, mac: &[u8], mask: &[u8]) -> Self {
        let key = |bytes| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Self { shard, mac: key(mac), mask: key(mask) }
    }

    /// The one ticket for this; nobody else can tell what it names.
    pub(crate) fn mint(&self, (relay, moves): Named) -> [u8; LENGTH] {
        let relay = relay.to_be_bytes();
        let mut named = [0; NAMED];
        fill(&mut named, relay.iter().chain(&moves.to_be_bytes()));
        let mac = self.mac(&named);
        self.mask(&mut named, &mac);
        let mut ticket = [0; LENGTH];
        fill(&mut ticket, self.shard.to_be_bytes().iter().chain(&mac).chain(&named));
        ticket
    }

    /// What a ticket names, if it is one of ours.
    pub(crate) fn read(&self, ticket: &[u8]) -> Option<Named> {
        let ticket: &[u8; LENGTH] = ticket.try_into().ok()?;
        let (shard, rest) = ticket.split_first_chunk::<SHARD>()?;
        let (mac, masked) = rest.split_first_chunk::<MAC>()?;
        let mut named: [u8; NAMED] = masked.try_into().ok()?;
        self.mask(&mut named, mac);
        let right = constant_time::verify_slices_are_equal(&self.mac(&named), mac).is_ok();
        let (relay, moves) = named.split_first_chunk::<8>()?;
        let named = (u64::from_be_bytes(*relay), u32::from_be_bytes(moves.try_into().ok()?));
        (right && *shard == self.shard.to_be_bytes()).then_some(named)
    }

    fn mac(&self, named: &[u8; NAMED]) -> [u8; MAC] {
        let mut mac = [0; MAC];
        fill(&mut mac, hmac::sign(&self.mac, named).as_ref().iter());
        mac
    }

    fn mask(&self, named: &mut [u8; NAMED], mac: &[u8; MAC]) {
        for (byte, mask) in named.iter_mut().zip(hmac::sign(&self.mask, mac).as_ref()) {
            *byte ^= mask;
        }
    }
}

fn fill<'b>(to: &mut [u8], from: impl Iterator<Item = &'b u8>) {
    for (to, byte) in to.iter_mut().zip(from) {
        *to = *byte;
    }
}

/// The server, by [`crate::Config::shard`], that a request wants although its packets may arrive
/// at another: the one that gave out its mobility ticket, its reservation token or its connection
/// id. Nothing is proven by it.
#[must_use]
pub fn shard_named(datagram: &[u8]) -> Option<u8> {
    named_by(&Message::parse(datagram).ok()?)
}

/// The server a message wants.
pub(crate) fn named_by(message: &Message<'_>) -> Option<u8> {
    let kind = match (message.class(), message.method()) {
        (Class::Request, Method::ALLOCATE) => RESERVATION_TOKEN,
        (Class::Request, Method::REFRESH) => MOBILITY_TICKET,
        (Class::Request, Method::CONNECTION_BIND) => CONNECTION_ID,
        _ => return None,
    };
    message.attribute(kind)?.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{TransactionId, Writer};

    #[test]
    fn a_ticket_reads_back_and_hides_what_it_names() {
        let tickets = Tickets::new(3, b"mac", b"mask");
        for named in [(0, 0), (1, 0), (u64::MAX, u32::MAX), (7 << 32, 5)] {
            let ticket = tickets.mint(named);
            assert_eq!(tickets.read(&ticket), Some(named));
            assert_eq!(tickets.mint(named), ticket, "a retransmission is answered alike");
        }
        let [one, other] = [(1, 0), (1, 1)].map(|named| tickets.mint(named));
        let same = one.iter().zip(other).filter(|(one, other)| *one == other).count();
        assert!(same < 10, "{same} bytes are the same");
    }

    #[test]
    fn a_ticket_changed_anywhere_or_from_elsewhere_is_not_ours() {
        let tickets = Tickets::new(3, b"mac", b"mask");
        let ticket = tickets.mint((9, 1));
        for bit in 0..LENGTH * 8 {
            let mut changed = ticket;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(tickets.read(&changed), None, "{bit}");
        }
        for len in 0..LENGTH {
            assert_eq!(tickets.read(&ticket[..len]), None);
        }
        assert_eq!(Tickets::new(4, b"mac", b"mask").read(&ticket), None);
        assert_eq!(Tickets::new(3, b"other", b"mask").read(&ticket), None);
        assert_eq!(Tickets::new(3, b"mac", b"other").read(&ticket), None);
    }

    #[test]
    fn tickets_and_tokens_say_which_server_gave_them() {
        let ticket = Tickets::new(9, b"mac", b"mask").mint((9, 1));
        let named = |method, kind, value: &[u8]| {
            let mut bytes = Vec::new();
            let id = TransactionId([1; 12]);
            Writer::new(&mut bytes, Class::Request, method, id).attribute(kind, value);
            shard_named(&bytes)
        };
        assert_eq!(named(Method::REFRESH, MOBILITY_TICKET, &ticket), Some(9));
        let token = [9, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(named(Method::ALLOCATE, RESERVATION_TOKEN, &token), Some(9));
        assert_eq!(named(Method::CONNECTION_BIND, CONNECTION_ID, &[9, 0, 0, 1]), Some(9));
        assert_eq!(named(Method::ALLOCATE, MOBILITY_TICKET, b""), None);
        assert_eq!(named(Method::REFRESH, MOBILITY_TICKET, b""), None);
        assert_eq!(shard_named(b"no message"), None);
    }
}
