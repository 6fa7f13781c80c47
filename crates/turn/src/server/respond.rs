//! Writes responses. Nothing goes into one that the RFC does not ask for.

use super::connections::ConnectionId;
use super::refusal::Refusal;
use super::{Forward, Head, Server, ToClient};
use crate::FiveTuple;
use crate::stun::attribute::{
    CONNECTION_ID, LIFETIME, NONCE, REALM, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
};
use crate::stun::{Class, Key, Message, Method, TransactionId, Writer};
use rand::RngExt as _;
use std::net::SocketAddr;

/// At most so many unknown attributes are listed.
const LISTED: usize = 8;

/// What a response must match.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) transaction: TransactionId,
    /// Answered with one too.
    pub(super) fingerprinted: bool,
}

impl From<&Message<'_>> for Asked {
    fn from(message: &Message<'_>) -> Self {
        Self {
            method: message.method(),
            transaction: message.transaction(),
            fingerprinted: message.fingerprinted(),
        }
    }
}

/// A request granted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Granted {
    /// Answered once the relayed socket is open, or not at all.
    Later,
    /// Nothing to say.
    Done,
    /// An allocation lives on for so many seconds.
    Refreshed(u32),
    /// A connection to a peer.
    Connected(ConnectionId),
    /// An allocation, for so many seconds.
    Allocated(SocketAddr, u32),
}

impl Server {
    /// Answers a Binding request: this is where you come from.
    pub(super) fn bound(&mut self, to: &FiveTuple, asked: Asked) -> Forward<'_> {
        let mut writer = start(&mut self.reply, Class::Success, asked);
        writer.xor_address(XOR_MAPPED_ADDRESS, to.client);
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
        let mut writer = start(&mut self.reply, Class::Success, asked);
        match granted {
            Granted::Later => return None,
            Granted::Done => {}
            Granted::Connected(id) => {
                writer.attribute(CONNECTION_ID, &id.0.to_be_bytes());
            }
            Granted::Refreshed(lifetime) => {
                writer.attribute(LIFETIME, &lifetime.to_be_bytes());
            }
            Granted::Allocated(relayed, lifetime) => {
                writer.xor_address(XOR_RELAYED_ADDRESS, relayed);
                writer.xor_address(XOR_MAPPED_ADDRESS, to.client);
                writer.attribute(LIFETIME, &lifetime.to_be_bytes());
            }
        }
        finish(writer, asked, Some(key));
        Some(self.answer(to))
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
        unix_now: u64,
        to: &FiveTuple,
        asked: Asked,
        refusal: Refusal,
    ) -> Forward<'_> {
        self.counters.refused += 1;
        let mut writer = start(&mut self.reply, Class::Error, asked);
        writer.error(refusal.code, refusal.reason);
        if refusal.is_challenge() {
            writer.attribute(REALM, self.config.realm.as_bytes());
            writer.attribute(NONCE, &self.nonces.mint(unix_now, to.client.ip()));
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
        self.counters.refused += 1;
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
        self.counters.refused += 1;
        let list: Vec<u8> = unknown.take(LISTED).flat_map(u16::to_be_bytes).collect();
        let mut writer = start(&mut self.reply, Class::Error, asked);
        let refusal = Refusal::UNKNOWN_ATTRIBUTE;
        writer.error(refusal.code, refusal.reason);
        writer.attribute(UNKNOWN_ATTRIBUTES, &list);
        finish(writer, asked, key);
        self.answer(to)
    }

    fn answer(&self, to: &FiveTuple) -> Forward<'_> {
        Forward::Client(ToClient { to: *to, head: Head::NONE, payload: &self.reply, padding: 0 })
    }
}

fn start(reply: &mut Vec<u8>, class: Class, asked: Asked) -> Writer<'_> {
    Writer::new(reply, class, asked.method, asked.transaction)
}

fn finish(mut writer: Writer<'_>, asked: Asked, key: Option<&Key>) {
    if let Some(key) = key {
        writer.integrity(key);
    }
    if asked.fingerprinted {
        writer.fingerprint();
    }
}
