//! Writes responses. They carry only the attributes that the RFCs require.

use std::{net::SocketAddr, time::Instant};

use rand::RngExt as _;

use super::{
    Server,
    allocation::Token,
    auth::OFFERED,
    connections::ConnectionId,
    forward::{Forward, Header, ToClient},
    rejection::Rejection,
    relay_id::RelayId,
    transaction::Transaction,
};
use crate::{
    FiveTuple,
    stun::{
        Class, Key, Method, TransactionId, Writer,
        attribute::{
            CONNECTION_ID, Family, LIFETIME, MAPPED_ADDRESS, MOBILITY_TICKET, NONCE, OTHER_ADDRESS,
            PADDING, PASSWORD_ALGORITHMS, REALM, RESERVATION_TOKEN, RESPONSE_ORIGIN,
            UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS, XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
        },
    },
    ticket::{self, TicketContents},
};

/// Maximum number of types in UNKNOWN-ATTRIBUTES, so that the response stays small.
const MAX_UNKNOWN_LISTED: usize = 8;

/// The result of a request that was not rejected.
#[derive(Debug, Clone, Copy)]
pub(super) enum Granted {
    /// Answered later, once relayed sockets are open or a peer is connected; or a retransmission
    /// of such a request.
    Pending,
    /// A success response without attributes.
    Empty,
    /// An allocation was refreshed.
    Refreshed {
        /// The new lifetime in seconds.
        lifetime: u32,
        /// The ticket, if the client asked for one.
        ticket: Option<Ticket>,
    },
    /// A connection to a peer was established.
    Connected(ConnectionId),
    /// An allocation was made.
    Allocated(RelayId),
}

pub(super) type Ticket = [u8; ticket::TICKET_LEN];

/// The attributes of an Allocate success response.
struct AllocateResponse {
    relayed: [Option<SocketAddr>; 2],
    rejected_family: Option<(Family, Rejection)>,
    lifetime: u32,
    token: Option<Token>,
    ticket: Option<Ticket>,
}

/// The attributes of a Binding success response (RFC 8489 §12, RFC 5780 §6).
#[derive(Debug, Clone, Copy)]
pub(super) struct BindingResponse {
    pub(super) mapped: SocketAddr,
    /// The value of OTHER-ADDRESS, where the server has an alternate address.
    pub(super) other: Option<SocketAddr>,
    /// Length of PADDING.
    pub(super) padding: Option<usize>,
}

impl Server {
    /// Answers a Binding request.
    pub(super) fn binding_success(
        &mut self,
        to: &FiveTuple,
        transaction: Transaction,
        response: BindingResponse,
    ) -> Forward<'_> {
        self.counters.responses.count(transaction.method, None);
        let mut writer = start(&mut self.reply, Class::Success, transaction);
        writer.xor_address(XOR_MAPPED_ADDRESS, response.mapped);
        if let Some(other) = response.other {
            writer.address(MAPPED_ADDRESS, response.mapped);
            writer.address(RESPONSE_ORIGIN, to.server);
            writer.address(OTHER_ADDRESS, other);
        }
        if let Some(length) = response.padding {
            writer.attribute(PADDING, &vec![0; length]);
        }
        finish(writer, transaction, None);
        self.reply_to(to)
    }

    pub(super) fn grant(
        &mut self,
        to: &FiveTuple,
        transaction: Transaction,
        key: &Key,
        granted: Granted,
    ) -> Option<Forward<'_>> {
        let allocate = match granted {
            Granted::Pending => return None,
            Granted::Allocated(relay) => Some(self.allocate_response(relay)?),
            Granted::Empty | Granted::Refreshed { .. } | Granted::Connected(_) => None,
        };
        self.counters.responses.count(transaction.method, None);
        let mut writer = start(&mut self.reply, Class::Success, transaction);
        if let Granted::Refreshed { lifetime, ticket } = granted {
            writer.attribute(LIFETIME, &lifetime.to_be_bytes());
            if let Some(ticket) = ticket {
                writer.attribute(MOBILITY_TICKET, &ticket);
            }
        }
        if let Granted::Connected(id) = granted {
            writer.attribute(CONNECTION_ID, &id.0.to_be_bytes());
        }
        if let Some(response) = allocate {
            for relayed in response.relayed.into_iter().flatten() {
                writer.xor_address(XOR_RELAYED_ADDRESS, relayed);
            }
            if let Some((family, rejection)) = response.rejected_family {
                writer.address_error(family, rejection.code, rejection.reason);
            }
            writer.attribute(LIFETIME, &response.lifetime.to_be_bytes());
            if let Some(token) = response.token {
                writer.attribute(RESERVATION_TOKEN, &token);
            }
            writer.xor_address(XOR_MAPPED_ADDRESS, to.client);
            if let Some(ticket) = response.ticket {
                writer.attribute(MOBILITY_TICKET, &ticket);
            }
        }
        finish(writer, transaction, Some(key));
        Some(self.reply_to(to))
    }

    fn allocate_response(&self, relay: RelayId) -> Option<AllocateResponse> {
        let allocation = self.allocations.get(relay)?;
        let second = allocation.second.map(|(_, relayed)| relayed.advertised);
        let ticket = allocation.mobility_seq.map(|mobility_seq| {
            self.tickets.mint(TicketContents { relay: relay.to_bits(), mobility_seq })
        });
        Some(AllocateResponse {
            relayed: [Some(allocation.relayed.advertised), second],
            rejected_family: allocation.request.rejected_family,
            lifetime: allocation.request.lifetime,
            token: allocation.request.token,
            ticket,
        })
    }

    /// Notifies a client that a peer has connected (RFC 6062 §5.3).
    pub(super) fn connection_attempt(
        &mut self,
        to: &FiveTuple,
        connection: ConnectionId,
        peer: SocketAddr,
    ) -> Forward<'_> {
        let id = TransactionId(self.rng.random());
        let method = Method::CONNECTION_ATTEMPT;
        let mut writer = Writer::new(&mut self.reply, Class::Indication, method, id);
        writer.attribute(CONNECTION_ID, &connection.0.to_be_bytes());
        writer.xor_address(XOR_PEER_ADDRESS, peer);
        self.reply_to(to)
    }

    /// Rejects an unauthenticated request. A challenge carries the realm and nonce for the next
    /// attempt.
    pub(super) fn challenge(
        &mut self,
        now: Instant,
        to: &FiveTuple,
        transaction: Transaction,
        rejection: Rejection,
    ) -> Forward<'_> {
        self.count_rejection(transaction, rejection);
        let time = self.nonce_time(now);
        let mut writer = start(&mut self.reply, Class::Error, transaction);
        writer.error(rejection.code, rejection.reason);
        if rejection.is_challenge() {
            writer.attribute(REALM, self.config.realm.as_bytes());
            writer.attribute(NONCE, &self.nonces.mint(time, to.client.ip()));
            writer.attribute(PASSWORD_ALGORITHMS, OFFERED);
        }
        finish(writer, transaction, None);
        self.reply_to(to)
    }

    pub(super) fn reject(
        &mut self,
        to: &FiveTuple,
        transaction: Transaction,
        key: &Key,
        rejection: Rejection,
    ) -> Forward<'_> {
        self.count_rejection(transaction, rejection);
        let mut writer = start(&mut self.reply, Class::Error, transaction);
        writer.error(rejection.code, rejection.reason);
        finish(writer, transaction, Some(key));
        self.reply_to(to)
    }

    /// Rejects a message with unknown comprehension-required attributes (RFC 8489 §6.3.1).
    pub(super) fn reject_unknown(
        &mut self,
        to: &FiveTuple,
        transaction: Transaction,
        key: Option<&Key>,
        unknown: impl Iterator<Item = u16>,
    ) -> Forward<'_> {
        let rejection = Rejection::UNKNOWN_ATTRIBUTE;
        self.count_rejection(transaction, rejection);
        let list: Vec<u8> = unknown.take(MAX_UNKNOWN_LISTED).flat_map(u16::to_be_bytes).collect();
        let mut writer = start(&mut self.reply, Class::Error, transaction);
        writer.error(rejection.code, rejection.reason);
        writer.attribute(UNKNOWN_ATTRIBUTES, &list);
        finish(writer, transaction, key);
        self.reply_to(to)
    }

    fn count_rejection(&mut self, transaction: Transaction, rejection: Rejection) {
        self.counters.rejected += 1;
        self.counters.responses.count(transaction.method, Some(rejection.code));
    }

    /// The message in the reply buffer, addressed to a client.
    pub(super) fn reply_to(&self, to: &FiveTuple) -> Forward<'_> {
        let payload = &self.reply;
        Forward::Client(ToClient { to: *to, header: Header::NONE, payload, padding: 0 })
    }
}

fn start(reply: &mut Vec<u8>, class: Class, transaction: Transaction) -> Writer<'_> {
    Writer::new(reply, class, transaction.method, transaction.id)
}

fn finish(mut writer: Writer<'_>, transaction: Transaction, key: Option<&Key>) {
    if let Some(key) = key {
        writer.protect(key, transaction.integrity);
    }
    if transaction.fingerprinted {
        writer.fingerprint();
    }
}
