//! Stateless mobility tickets (RFC 8016 §3): each identifies an allocation and its number of moves,
//! encrypted and authenticated with keys that only this process knows.

use aws_lc_rs::{constant_time, hmac};

use crate::stun::{
    Class, Message, Method,
    attribute::{CONNECTION_ID, MOBILITY_TICKET, RESERVATION_TOKEN},
};

const SHARD_LEN: usize = 1;
const MAC_LEN: usize = 16;
const CONTENTS_LEN: usize = 12;
/// Length of a ticket.
pub(crate) const TICKET_LEN: usize = SHARD_LEN + MAC_LEN + CONTENTS_LEN;

/// Makes and reads tickets.
pub(crate) struct Tickets {
    shard: u8,
    mac: hmac::Key,
    mask: hmac::Key,
}

/// The contents of a ticket: an allocation, and its number of moves when the ticket was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TicketContents {
    /// [`RelayId::to_bits`](crate::RelayId::to_bits) of the allocation.
    pub(crate) relay: u64,
    pub(crate) mobility_seq: u32,
}

impl Tickets {
    /// Tickets of a shard. Both keys are random.
    pub(crate) fn new(shard: u8, mac: &[u8], mask: &[u8]) -> Self {
        let key = |bytes| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Self { shard, mac: key(mac), mask: key(mask) }
    }

    /// The ticket for these contents, always the same one. Only this process can read it.
    pub(crate) fn mint(&self, contents: TicketContents) -> [u8; TICKET_LEN] {
        let relay = contents.relay.to_be_bytes();
        let mut bytes = [0; CONTENTS_LEN];
        fill(&mut bytes, relay.iter().chain(&contents.mobility_seq.to_be_bytes()));
        let mac = self.mac(&bytes);
        self.mask(&mut bytes, &mac);
        let mut ticket = [0; TICKET_LEN];
        fill(&mut ticket, self.shard.to_be_bytes().iter().chain(&mac).chain(&bytes));
        ticket
    }

    /// The contents of a ticket, if it is ours.
    pub(crate) fn read(&self, ticket: &[u8]) -> Option<TicketContents> {
        let ticket: &[u8; TICKET_LEN] = ticket.try_into().ok()?;
        let (shard, rest) = ticket.split_first_chunk::<SHARD_LEN>()?;
        let (mac, masked) = rest.split_first_chunk::<MAC_LEN>()?;
        let mut bytes: [u8; CONTENTS_LEN] = masked.try_into().ok()?;
        self.mask(&mut bytes, mac);
        let right = constant_time::verify_slices_are_equal(&self.mac(&bytes), mac).is_ok();
        let (relay, mobility_seq) = bytes.split_first_chunk::<8>()?;
        let contents = TicketContents {
            relay: u64::from_be_bytes(*relay),
            mobility_seq: u32::from_be_bytes(mobility_seq.try_into().ok()?),
        };
        (right && *shard == self.shard.to_be_bytes()).then_some(contents)
    }

    fn mac(&self, contents: &[u8; CONTENTS_LEN]) -> [u8; MAC_LEN] {
        let mut mac = [0; MAC_LEN];
        fill(&mut mac, hmac::sign(&self.mac, contents).as_ref().iter());
        mac
    }

    fn mask(&self, contents: &mut [u8; CONTENTS_LEN], mac: &[u8; MAC_LEN]) {
        for (byte, mask) in contents.iter_mut().zip(hmac::sign(&self.mask, mac).as_ref()) {
            *byte ^= mask;
        }
    }
}

fn fill<'b>(to: &mut [u8], from: impl Iterator<Item = &'b u8>) {
    for (to, byte) in to.iter_mut().zip(from) {
        *to = *byte;
    }
}

/// The shard, by [`crate::Config::shard`], that a request belongs to although it may arrive at
/// another: the one that issued its mobility ticket, reservation token or connection id. The
/// request is not authenticated yet.
#[must_use]
pub fn requested_shard(datagram: &[u8]) -> Option<u8> {
    shard_requested_by(&Message::parse(datagram).ok()?)
}

/// The shard that a message belongs to.
pub(crate) fn shard_requested_by(message: &Message<'_>) -> Option<u8> {
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
    fn ticket_round_trips_and_hides_its_contents() {
        let tickets = Tickets::new(3, b"mac", b"mask");
        for (relay, mobility_seq) in [(0, 0), (1, 0), (u64::MAX, u32::MAX), (7 << 32, 5)] {
            let contents = TicketContents { relay, mobility_seq };
            let ticket = tickets.mint(contents);
            assert_eq!(tickets.read(&ticket), Some(contents));
            assert_eq!(tickets.mint(contents), ticket, "a retransmission gets the same ticket");
        }
        let [one, other] =
            [0, 1].map(|mobility_seq| tickets.mint(TicketContents { relay: 1, mobility_seq }));
        let same = one.iter().zip(other).filter(|(one, other)| *one == other).count();
        assert!(same < 10, "{same} bytes are the same");
    }

    #[test]
    fn modified_or_foreign_ticket_is_invalid() {
        let tickets = Tickets::new(3, b"mac", b"mask");
        let ticket = tickets.mint(TicketContents { relay: 9, mobility_seq: 1 });
        for bit in 0..TICKET_LEN * 8 {
            let mut changed = ticket;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(tickets.read(&changed), None, "{bit}");
        }
        for len in 0..TICKET_LEN {
            assert_eq!(tickets.read(&ticket[..len]), None);
        }
        assert_eq!(Tickets::new(4, b"mac", b"mask").read(&ticket), None);
        assert_eq!(Tickets::new(3, b"other", b"mask").read(&ticket), None);
        assert_eq!(Tickets::new(3, b"mac", b"other").read(&ticket), None);
    }

    #[test]
    fn tickets_tokens_and_ids_name_their_shard() {
        let ticket =
            Tickets::new(9, b"mac", b"mask").mint(TicketContents { relay: 9, mobility_seq: 1 });
        let named = |method, kind, value: &[u8]| {
            let mut bytes = Vec::new();
            let id = TransactionId([1; 12]);
            Writer::new(&mut bytes, Class::Request, method, id).attribute(kind, value);
            requested_shard(&bytes)
        };
        assert_eq!(named(Method::REFRESH, MOBILITY_TICKET, &ticket), Some(9));
        let token = [9, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(named(Method::ALLOCATE, RESERVATION_TOKEN, &token), Some(9));
        assert_eq!(named(Method::CONNECTION_BIND, CONNECTION_ID, &[9, 0, 0, 1]), Some(9));
        assert_eq!(named(Method::ALLOCATE, MOBILITY_TICKET, b""), None);
        assert_eq!(named(Method::REFRESH, MOBILITY_TICKET, b""), None);
        assert_eq!(requested_shard(b"no message"), None);
    }
}
