//! Network address translation, by mapping and filtering behavior (RFC 4787).

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

/// The mapping and filtering behavior of a NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    /// Endpoint-independent mapping and filtering.
    FullCone,
    /// Endpoint-independent mapping, address- and port-dependent filtering.
    PortRestricted,
    /// Address- and port-dependent mapping and filtering.
    Symmetric,
}

#[derive(Debug)]
pub(crate) struct Nat {
    kind: NatKind,
    outside: IpAddr,
    next_port: u16,
    /// The outside port of each inside address, and of each destination for a symmetric NAT.
    out: HashMap<(SocketAddr, Option<SocketAddr>), u16>,
    /// The inside address of each outside port, and the destinations it has sent to.
    back: HashMap<u16, (SocketAddr, Vec<SocketAddr>)>,
}

impl Nat {
    pub(crate) fn new(kind: NatKind, outside: IpAddr) -> Self {
        Self { kind, outside, next_port: 20_000, out: HashMap::new(), back: HashMap::new() }
    }

    /// The translated source of an outgoing packet.
    pub(crate) fn outgoing(&mut self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let key = (from, (self.kind == NatKind::Symmetric).then_some(to));
        let port = *self.out.entry(key).or_insert_with(|| {
            // Not sequential, so that ports can't be predicted.
            self.next_port = self.next_port.wrapping_add(7919).max(1024);
            self.next_port
        });
        let (_, sent_to) = self.back.entry(port).or_insert_with(|| (from, Vec::new()));
        if !sent_to.contains(&to) {
            sent_to.push(to);
        }
        SocketAddr::new(self.outside, port)
    }

    /// The inside address of an incoming packet, if the NAT admits it.
    pub(crate) fn incoming(&self, from: SocketAddr, port: u16) -> Option<SocketAddr> {
        let (inside, sent_to) = self.back.get(&port)?;
        (self.kind == NatKind::FullCone || sent_to.contains(&from)).then_some(*inside)
    }
}
