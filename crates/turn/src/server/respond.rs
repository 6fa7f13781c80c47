//! Writes responses. Nothing goes into one that the RFC does not ask for.

use super::allocations::Token;
use super::auth::OFFERED;
use super::connections::ConnectionId;
use super::refusal::Refusal;
use super::{Forward, Head, RelayId, Server, ToClient};
use crate::stun::attribute::{
    CONNECTION_ID, Family, LIFETIME, MAPPED_ADDRESS, MOBILITY_TICKET, NONCE, OTHER_ADDRESS,
    PADDING, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM, RESERVATION_TOKEN, RESPONSE_ORIGIN,
    UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS, XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
};
use crate::stun::{Class, Integrity, Key, Message, Method, TransactionId, Writer};
use crate::{FiveTuple, ticket};
use rand::RngExt as _;
use std::net::SocketAddr;
use std::time::Instant;

/// At most so many unknown attributes are listed.
const LISTED: usize = 8;

/// What a response must match.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) transaction: TransactionId,
    /// Answered with one too.
    pub(super) fingerprinted: bool,
    /// What protects the answer, once the key is known. Who chooses a password algorithm is
    /// answered by SHA-256 (RFC 8489 §9.2.4), any other as they asked.
    pub(super) integrity: Integrity,
}

impl From<&Message<'_>> for Asked {
    fn from(message: &Message<'_>) -> Self {
        let chose = message.attribute(PASSWORD_ALGORITHM).map(|_| Integrity::Sha256);
        Self {
            method: message.method(),
            transaction: message.transaction(),
            fingerprinted: message.fingerprinted(),
            integrity: chose.or(message.integrity()).unwrap_or(Integrity::Sha1),
        }
    }
}

/// A request granted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Granted {
    /// Answered once the relayed sockets are open, or not at all.
    Later,
    /// Nothing to say.
    Done,
    /// An allocation lives on for so many seconds; its ticket, if that was asked for.
    Refreshed(u32, Option<Ticket>),
    /// A connection to a peer.
    Connected(ConnectionId),
    /// An allocation.
    Allocated(RelayId),
}

pub(super) type Ticket = [u8; ticket::LENGTH];

/// What is told of an allocation.
struct Told {
    relayed: [Option<SocketAddr>; 2],
    refused: Option<(Family, Refusal)>,
    lifetime: u32,
    token: Option<Token>,
    ticket: Option<Ticket>,
}

/// Where a Binding request came from, and what more its sender is to be told (RFC 5780 §6).
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) mapped: SocketAddr,
    /// Our other address, where there is one.
    pub(super) other: Option<SocketAddr>,
    /// Bytes of PADDING.
    pub(super) padding: Option<usize>,
}

impl Server {
    /// Answers a Binding request: this is where you come from.
    pub(super) fn bound(&mut self, to: &FiveTuple, asked: Asked, bound: Bound) -> Forward<'_> {
        self.counters.answered.count(asked.method, None);
        let mut writer = start(&mut self.reply, Class::Success, asked);
        writer.xor_address(XOR_MAPPED_ADDRESS, bound.mapped);
        if let Some(other) = bound.other {
            writer.address(MAPPED_ADDRESS, bound.mapped);
            writer.address(RESPONSE_ORIGIN, to.server);
            writer.address(OTHER_ADDRESS, other);
        }
        if let Some(length) = bound.padding {
            writer.attribute(PADDING, &vec![0; length]);
        }
        finish(writer, asked, None);
        self.answer(to)
    }

    pub(super) fn grant(
        &mut self,
        to: &FiveTuple,
        asked: Asked,
        key: &Key,
        granted: Granted,
    ) -> Option<Forward<'_>> {
        let told = match granted {
            Granted::Later => return None,
            Granted::Allocated(relay) => Some(self.told(relay)?),
            Granted::Done | Granted::Refreshed(..) | Granted::Connected(_) => None,
        };
        self.counters.answered.count(asked.method, None);
        let mut writer = start(&mut self.reply, Class::Success, asked);
        if let Granted::Refreshed(lifetime, ticket) = granted {
            writer.attribute(LIFETIME, &lifetime.to_be_bytes());
            if let Some(ticket) = ticket {
                writer.attribute(MOBILITY_TICKET, &ticket);
            }
        }
        if let Granted::Connected(id) = granted {
            writer.attribute(CONNECTION_ID, &id.0.to_be_bytes());
        }
        if let Some(told) = told {
            for relayed in told.relayed.into_iter().flatten() {
                writer.xor_address(XOR_RELAYED_ADDRESS, relayed);
            }
            if let Some((family, refusal)) = told.refused {
                writer.address_error(family, refusal.code, refusal.reason);
            }
            writer.attribute(LIFETIME, &told.lifetime.to_be_bytes());
            if let Some(token) = told.token {
                writer.attribute(RESERVATION_TOKEN, &token);
            }
            writer.xor_address(XOR_MAPPED_ADDRESS, to.client);
            if let Some(ticket) = told.ticket {
                writer.attribute(MOBILITY_TICKET, &ticket);
            }
        }
        finish(writer, asked, Some(key));
        Some(self.answer(to))
    }

    fn told(&self, relay: RelayId) -> Option<Told> {
        let made = self.allocations.get(relay)?;
        Some(Told {
            relayed: [Some(made.relayed.told), made.second.map(|(_, relayed)| relayed.told)],
            refused: made.birth.refused,
            lifetime: made.birth.lifetime,
            token: made.birth.token,
            ticket: made.moves.map(|moves| self.tickets.mint((relay.to_bits(), moves))),
        })
    }

    /// Tells a client that a peer has connected (RFC 6062 §5.3).
    pub(super) fn connection_attempt(
        &mut self,
        to: &FiveTuple,
        connection: ConnectionId,
        peer: SocketAddr,
    ) -> Forward<'_> {
        let transaction = TransactionId(self.rng.random());
        let (class, method) = (Class::Indication, Method::CONNECTION_ATTEMPT);
        let mut writer = Writer::new(&mut self.reply, class, method, transaction);
        writer.attribute(CONNECTION_ID, &connection.0.to_be_bytes());
        writer.xor_address(XOR_PEER_ADDRESS, peer);
        self.answer(to)
    }

    /// Refuses who has proven nothing; a challenge carries what the next try needs.
    pub(super) fn challenge(
        &mut self,
        now: Instant,
        to: &FiveTuple,
        asked: Asked,
        refusal: Refusal,
    ) -> Forward<'_> {
        self.count_refused(asked, refusal);
        let time = self.nonce_time(now);
        let mut writer = start(&mut self.reply, Class::Error, asked);
        writer.error(refusal.code, refusal.reason);
        if refusal.is_challenge() {
            writer.attribute(REALM, self.config.realm.as_bytes());
            writer.attribute(NONCE, &self.nonces.mint(time, to.client.ip()));
            writer.attribute(PASSWORD_ALGORITHMS, OFFERED);
        }
        finish(writer, asked, None);
        self.answer(to)
    }

    pub(super) fn refuse(
        &mut self,
        to: &FiveTuple,
        asked: Asked,
        key: &Key,
        refusal: Refusal,
    ) -> Forward<'_> {
        self.count_refused(asked, refusal);
        let mut writer = start(&mut self.reply, Class::Error, asked);
        writer.error(refusal.code, refusal.reason);
        finish(writer, asked, Some(key));
        self.answer(to)
    }

    /// Refuses a message with attributes it would take understanding (RFC 8489 §6.3.1).
    pub(super) fn refuse_unknown(
        &mut self,
        to: &FiveTuple,
        asked: Asked,
        key: Option<&Key>,
        unknown: impl Iterator<Item = u16>,
    ) -> Forward<'_> {
        let refusal = Refusal::UNKNOWN_ATTRIBUTE;
        self.count_refused(asked, refusal);
        let list: Vec<u8> = unknown.take(LISTED).flat_map(u16::to_be_bytes).collect();
        let mut writer = start(&mut self.reply, Class::Error, asked);
        writer.error(refusal.code, refusal.reason);
        writer.attribute(UNKNOWN_ATTRIBUTES, &list);
        finish(writer, asked, key);
        self.answer(to)
    }

    fn count_refused(&mut self, asked: Asked, refusal: Refusal) {
        self.counters.refused += 1;
        self.counters.answered.count(asked.method, Some(refusal.code));
    }

    pub(super) fn answer(&self, to: &FiveTuple) -> Forward<'_> {
        Forward::Client(ToClient { to: *to, head: Head::NONE, payload: &self.reply, padding: 0 })
    }
}

fn start(reply: &mut Vec<u8>, class: Class, asked: Asked) -> Writer<'_> {
    Writer::new(reply, class, asked.method, asked.transaction)
}

fn finish(mut writer: Writer<'_>, asked: Asked, key: Option<&Key>) {
    if let Some(key) = key {
        writer.protect(key, asked.integrity);
    }
    if asked.fingerprinted {
        writer.fingerprint();
    }
}
