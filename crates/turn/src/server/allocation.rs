//! An allocation, the request that made it, and a reservation (RFC 8656 §3.2, §7.2).

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use super::{
    accounts::Holders, peers::Peers, rejection::Rejection, relay_id::RelayId,
    transaction::Transaction,
};
use crate::{
    FiveTuple,
    stun::{Key, attribute::Family},
};

/// A relayed transport address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayedAddress {
    /// The address in XOR-RELAYED-ADDRESS.
    pub(crate) advertised: SocketAddr,
    /// The address that the socket is bound to.
    pub(crate) local: SocketAddr,
}

/// An allocation of a client.
pub(crate) struct Allocation {
    pub(crate) client: FiveTuple,
    pub(crate) relayed: RelayedAddress,
    pub(crate) peer_transport: PeerTransport,
    /// The IPv6 socket of a dual allocation (ADDITIONAL-ADDRESS-FAMILY).
    pub(crate) second: Option<(RelayId, RelayedAddress)>,
    pub(crate) username: Box<str>,
    /// The credential is a room's.
    pub(crate) is_member: bool,
    pub(crate) holders: Holders,
    pub(crate) key: Key,
    pub(crate) expires: Instant,
    pub(crate) peers: Peers,
    pub(crate) request: AllocateRequest,
    /// Number of moves to other addresses; `None` where the client did not ask for mobility
    /// (RFC 8016).
    pub(crate) mobility_seq: Option<u32>,
}

impl Allocation {
    /// The relay and relayed address of the peer's family. `own` is the id of this allocation.
    #[inline]
    pub(crate) fn relayed_for(&self, own: RelayId, peer: IpAddr) -> Option<(RelayId, SocketAddr)> {
        if self.relayed.advertised.is_ipv4() == peer.is_ipv4() {
            return Some((own, self.relayed.advertised));
        }
        let (relay, relayed) = self.second.as_ref()?;
        let same_family = relayed.advertised.is_ipv4() == peer.is_ipv4();
        same_family.then_some((*relay, relayed.advertised))
    }

    pub(crate) fn is_tcp(&self) -> bool {
        self.peer_transport == PeerTransport::Tcp
    }

    /// Returns whether a relayed address of this family exists.
    pub(crate) fn has(&self, family: Family) -> bool {
        let second = self.second.iter().map(|(_, relayed)| relayed);
        std::iter::once(&self.relayed)
            .chain(second)
            .any(|relayed| Family::of(relayed.advertised.ip()) == family)
    }

    /// Returns whether some of its sockets are not open yet, so that no response was sent.
    pub(crate) fn is_opening(&self) -> bool {
        self.request.attempts.is_some()
    }
}

/// The transport between the server and peers (REQUESTED-TRANSPORT, RFC 8656 §18.8, RFC 6062 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerTransport {
    Udp,
    Tcp,
}

/// The Allocate request that an allocation came from, kept to answer retransmissions alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocateRequest {
    pub(crate) transaction: Transaction,
    /// The granted lifetime in seconds.
    pub(crate) lifetime: u32,
    pub(crate) ports: PortRequest,
    /// The family of a dual request that was not granted, for ADDRESS-ERROR-CODE.
    pub(crate) rejected_family: Option<(Family, Rejection)>,
    /// The token of the port that was reserved with it.
    pub(crate) token: Option<Token>,
    /// Number of ports tried for the socket being opened; `None` once all sockets are open.
    pub(crate) attempts: Option<u8>,
}

/// The sockets that an Allocate request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortRequest {
    /// One socket, on any port.
    Any,
    /// One socket, on an even port (EVEN-PORT).
    Even,
    /// One socket on an even port, and the next port reserved (EVEN-PORT with the R bit).
    Pair,
    /// One socket of each family (ADDITIONAL-ADDRESS-FAMILY).
    Both,
}

impl PortRequest {
    pub(crate) fn fits(self, port: u16) -> bool {
        !matches!(self, Self::Even | Self::Pair) || port.is_multiple_of(2)
    }
}

/// RESERVATION-TOKEN (RFC 8656 §18.9)
pub(crate) type Token = [u8; 8];

/// A port reserved for a user's next allocation (RFC 8656 §7.2).
pub(crate) struct Reservation {
    pub(crate) relayed: RelayedAddress,
    pub(crate) username: Box<str>,
    pub(crate) is_member: bool,
    pub(crate) holders: Holders,
    pub(crate) token: Token,
    pub(crate) expires: Instant,
    /// The allocation that requested the reservation, until the reserved socket is open.
    pub(crate) opening: Option<RelayId>,
}
