//! What a server says to send: a view of the packet it was handed, never a copy.

use super::RelayId;
use crate::channel::ChannelNumber;
use crate::stun::attribute::{AddressValue, DATA, XOR_PEER_ADDRESS};
use crate::stun::{Class, MAGIC_COOKIE, Method, TransactionId, message_type};
use crate::{FiveTuple, channel};
use std::net::SocketAddr;

/// One packet to send.
#[derive(Debug, Clone, Copy)]
pub enum Forward<'a> {
    /// To a client, over what it reaches us by.
    Client(ToClient<'a>),
    /// To a peer, from a relayed socket.
    Peer(ToPeer<'a>),
    /// To a relayed address of a sibling's, or a message of a client that is a sibling's.
    Sibling(ToSibling<'a>),
    /// To the media server of this machine.
    Media(ToMedia<'a>),
}

/// A packet for a client: a head, a payload and zero bytes, one behind the other.
#[derive(Debug, Clone, Copy)]
pub struct ToClient<'a> {
    /// Over `transport`, from `server`, to `client`.
    pub to: FiveTuple,
    /// What goes before the payload.
    pub head: Head,
    /// The data relayed, or a whole response.
    pub payload: &'a [u8],
    /// How many zero bytes follow.
    pub padding: usize,
}

impl ToClient<'_> {
    /// Appends the packet to `out`.
    pub fn write_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(self.payload);
        out.resize(out.len() + self.padding, 0);
    }
}

/// A packet for a peer.
#[derive(Debug, Clone, Copy)]
pub struct ToPeer<'a> {
    /// Whose socket sends it.
    pub relay: RelayId,
    /// The peer.
    pub to: SocketAddr,
    /// Whether the packet must not be fragmented on its way (DONT-FRAGMENT, RFC 8656 §15).
    pub dont_fragment: bool,
    /// All of the packet.
    pub payload: &'a [u8],
}

/// A packet for another server on this machine: for its [`super::Server::handle_sibling`], or for
/// its [`super::Server::handle_passed_on`] where it is a client's own message.
#[derive(Debug, Clone, Copy)]
pub struct ToSibling<'a> {
    /// Which one, by [`crate::siblings::Sibling::index`].
    pub sibling: u8,
    /// Whether it is a message of a client over UDP, which came here.
    pub is_client: bool,
    /// The relayed address of the client it is from, or that client's own.
    pub source: SocketAddr,
    /// The relayed address it is for, or the one of ours that the client sent it to.
    pub to: SocketAddr,
    /// All of the packet.
    pub payload: &'a [u8],
}

/// A packet for the media server of this machine.
#[derive(Debug, Clone, Copy)]
pub struct ToMedia<'a> {
    /// The relayed address of the client it is from.
    pub source: SocketAddr,
    /// The media server's address.
    pub to: SocketAddr,
    /// All of the packet.
    pub payload: &'a [u8],
}

/// Header, an IPv6 XOR-PEER-ADDRESS, and the header of DATA.
const LONGEST: usize = 20 + 24 + 4;

/// The few bytes before a payload.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Head {
    /// No bytes: the payload is a whole message.
    pub(crate) const NONE: Self = Self { bytes: [0; LONGEST], len: 0 };

    /// As they go over the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The head of a ChannelData message (RFC 8656 §12.4).
    pub(crate) fn channel_data(number: ChannelNumber, payload: u16) -> Self {
        let mut head = Self::NONE;
        head.push(&number.value().to_be_bytes());
        head.push(&payload.to_be_bytes());
        debug_assert_eq!(head.len, channel::HEADER);
        head
    }

    /// The head of a Data indication; `None` where the payload leaves no room for one
    /// (RFC 8656 §11.5).
    pub(crate) fn data_indication(
        transaction: TransactionId,
        peer: SocketAddr,
        payload: u16,
    ) -> Option<Self> {
        let address = AddressValue::xor(peer, &transaction);
        let address = address.as_bytes();
        let address_len = u16::try_from(address.len()).ok()?;
        let length = payload.checked_next_multiple_of(4)?.checked_add(4 + address_len + 4)?;
        let mut head = Self::NONE;
        head.push(&message_type(Class::Indication, Method::DATA).to_be_bytes());
        head.push(&length.to_be_bytes());
        head.push(&MAGIC_COOKIE.to_be_bytes());
        head.push(&transaction.0);
        head.push(&XOR_PEER_ADDRESS.to_be_bytes());
        head.push(&address_len.to_be_bytes());
        head.push(address);
        head.push(&DATA.to_be_bytes());
        head.push(&payload.to_be_bytes());
        Some(head)
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.bytes.get_mut(self.len..self.len + bytes.len());
        debug_assert!(room.is_some(), "the longest head fits");
        if let Some(room) = room {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }
}
