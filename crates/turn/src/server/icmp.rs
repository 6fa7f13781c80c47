//! ICMP errors about datagrams that did not arrive (RFC 8656 §11.5).

use std::{net::SocketAddr, time::Instant};

use rand::RngExt as _;

use super::{Server, forward::Forward, relay_id::RelayId};
use crate::stun::{
    Class, Method, TransactionId, Writer,
    attribute::{ICMP, XOR_PEER_ADDRESS},
};

/// An ICMP or `ICMPv6` error, depending on the peer's family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpError {
    /// The type, in the numbering of that protocol.
    pub kind: u8,
    /// The code.
    pub code: u8,
    /// The MTU of the next hop in bytes, if the datagram was too big for it; otherwise ignored.
    pub mtu: u32,
}

impl IcmpError {
    /// ICMP: destination unreachable
    const UNREACHABLE: u8 = 3;
    /// Code of destination unreachable: fragmentation needed
    const TOO_BIG: u8 = 4;
    /// ICMP: time exceeded
    const EXCEEDED: u8 = 11;
    /// `ICMPv6`: destination unreachable
    const UNREACHABLE_V6: u8 = 1;
    /// `ICMPv6`: packet too big
    const TOO_BIG_V6: u8 = 2;
    /// `ICMPv6`: time exceeded
    const EXCEEDED_V6: u8 = 3;

    /// The value of an ICMP attribute; `None` for errors that are not relayed.
    fn value(self, v4: bool) -> Option<[u8; 8]> {
        let kinds: &[u8] = if v4 {
            &[Self::UNREACHABLE, Self::EXCEEDED]
        } else {
            &[Self::UNREACHABLE_V6, Self::TOO_BIG_V6, Self::EXCEEDED_V6]
        };
        if !kinds.contains(&self.kind) {
            return None;
        }
        let too_big = if v4 {
            (self.kind, self.code) == (Self::UNREACHABLE, Self::TOO_BIG)
        } else {
            self.kind == Self::TOO_BIG_V6
        };
        let [a, b, c, d] = if too_big { self.mtu } else { 0 }.to_be_bytes();
        Some([0, 0, self.kind, self.code, a, b, c, d])
    }
}

impl Server {
    /// Handles an ICMP error about a datagram that a relayed socket sent to `peer`. If the client
    /// has permitted the peer, it is notified by a Data indication with an ICMP attribute.
    pub fn handle_relay_error(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        error: IcmpError,
    ) -> Option<Forward<'_>> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let value = error.value(peer.is_ipv4())?;
        let owner = self.allocations.owner(relay).filter(|owner| owner.expires > now)?;
        // Data for our own relayed addresses never used the network, so this error is spoofed.
        let permission = owner.peers.permission(now, &peer.ip());
        permission.filter(|permission| !permission.own_relays)?;
        let to = owner.client;
        let transaction = TransactionId(self.rng.random());
        Writer::new(&mut self.reply, Class::Indication, Method::DATA, transaction)
            .xor_address(XOR_PEER_ADDRESS, peer)
            .attribute(ICMP, &value);
        self.counters.relayed_errors += 1;
        Some(self.reply_to(&to))
    }
}
