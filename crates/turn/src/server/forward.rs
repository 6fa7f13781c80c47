//! Packets to send: views of the packet that the server was given, never copies.

use std::net::SocketAddr;

use super::relay_id::RelayId;
use crate::{
    FiveTuple, Transport,
    channel::{self, ChannelNumber},
    stun::{
        Class, MAGIC_COOKIE, Method, TransactionId,
        attribute::{AddressValue, DATA, XOR_PEER_ADDRESS},
        message_type,
    },
};

/// One packet to send.
#[derive(Debug, Clone, Copy)]
pub enum Forward<'a> {
    /// To a client, over its transport.
    Client(ToClient<'a>),
    /// To a peer, from a relayed socket.
    Peer(ToPeer<'a>),
    /// To another shard: data for one of its relayed addresses, or a message of one of its clients.
    Shard(ToShard<'a>),
    /// To the media server of this machine.
    Media(ToMedia<'a>),
}

/// A packet for a client: a header, a payload and zero bytes, in this order.
#[derive(Debug, Clone, Copy)]
pub struct ToClient<'a> {
    /// Over `transport`, from `server`, to `client`.
    pub to: FiveTuple,
    /// The bytes before the payload.
    pub header: Header,
    /// The relayed data, or a whole response.
    pub payload: &'a [u8],
    /// Number of zero bytes after the payload.
    pub padding: usize,
}

impl ToClient<'_> {
    /// Appends the packet to `out`.
    pub fn write_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.header.as_bytes());
        out.extend_from_slice(self.payload);
        out.resize(out.len() + self.padding, 0);
    }
}

/// A packet for a peer.
#[derive(Debug, Clone, Copy)]
pub struct ToPeer<'a> {
    /// The socket to send from.
    pub relay: RelayId,
    /// The peer.
    pub to: SocketAddr,
    /// True if the packet must not be fragmented (DONT-FRAGMENT, RFC 8656 §15).
    pub dont_fragment: bool,
    /// The whole packet.
    pub payload: &'a [u8],
}

/// A packet for another shard: for its
/// [`handle_forwarded`](super::Server::handle_forwarded) where it is a client's own message, else
/// for its [`handle_forwarded_data`](super::Server::handle_forwarded_data).
#[derive(Debug, Clone, Copy)]
pub struct ToShard<'a> {
    /// The shard, by [`Sibling::index`](crate::siblings::Sibling::index).
    pub shard: u8,
    /// True if it is a client's own message over UDP.
    pub is_client: bool,
    /// The relayed address of the sending client, or the client's own address for its own message.
    pub source: SocketAddr,
    /// The relayed address that it is for, or the server address that the client sent it to.
    pub to: SocketAddr,
    /// The whole packet.
    pub payload: &'a [u8],
}

/// A packet for the media server of this machine.
#[derive(Debug, Clone, Copy)]
pub struct ToMedia<'a> {
    /// The relayed address of the sending client.
    pub source: SocketAddr,
    /// The media server's address.
    pub to: SocketAddr,
    /// The whole packet.
    pub payload: &'a [u8],
}

/// Maximum length: a STUN header, an IPv6 XOR-PEER-ADDRESS, and the header of DATA.
const MAX_HEADER_LEN: usize = 20 + 24 + 4;

/// The bytes before a payload.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
}

impl Header {
    /// No header: the payload is a whole message.
    pub(crate) const NONE: Self = Self { bytes: [0; MAX_HEADER_LEN], len: 0 };

    /// The bytes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The header of a ChannelData message (RFC 8656 §12.4).
    pub(crate) fn channel_data(number: ChannelNumber, payload: u16) -> Self {
        let mut header = Self::NONE;
        header.push(&number.value().to_be_bytes());
        header.push(&payload.to_be_bytes());
        debug_assert_eq!(header.len, channel::HEADER_LEN);
        header
    }

    /// The header of a Data indication (RFC 8656 §11.4); `None` if the payload is too long for one.
    pub(crate) fn data_indication(
        transaction: TransactionId,
        peer: SocketAddr,
        payload: u16,
    ) -> Option<Self> {
        let address = AddressValue::xor(peer, &transaction);
        let address = address.as_bytes();
        let address_len = u16::try_from(address.len()).ok()?;
        let length = payload.checked_next_multiple_of(4)?.checked_add(4 + address_len + 4)?;
        let mut header = Self::NONE;
        header.push(&message_type(Class::Indication, Method::DATA).to_be_bytes());
        header.push(&length.to_be_bytes());
        header.push(&MAGIC_COOKIE.to_be_bytes());
        header.push(&transaction.0);
        header.push(&XOR_PEER_ADDRESS.to_be_bytes());
        header.push(&address_len.to_be_bytes());
        header.push(address);
        header.push(&DATA.to_be_bytes());
        header.push(&payload.to_be_bytes());
        Some(header)
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.bytes.get_mut(self.len..self.len + bytes.len());
        debug_assert!(room.is_some(), "the longest header fits");
        if let Some(room) = room {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }
}

/// Length of the padding of ChannelData: to 4 bytes in a stream, none in a datagram, where it is
/// optional (RFC 8656 §12.5).
pub(super) fn channel_padding(transport: Transport, payload: usize) -> usize {
    if transport.is_stream() { payload.next_multiple_of(4) - payload } else { 0 }
}
