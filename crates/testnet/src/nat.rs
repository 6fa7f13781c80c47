//! Network address translation, by how it maps and filters (RFC 4787).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// How a box maps inside addresses to outside ports, and whom it lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    /// One port per inside address, open to anyone.
    FullCone,
    /// One port per inside address, open to whom the inside has sent to.
    PortRestricted,
    /// One port per inside address and destination, open to that destination.
    Symmetric,
}

#[derive(Debug)]
pub(crate) struct Nat {
    kind: NatKind,
    outside: IpAddr,
    next_port: u16,
    /// Inside address, and where it sends to for a symmetric box, to outside port.
    out: HashMap<(SocketAddr, Option<SocketAddr>), u16>,
    /// Outside port to inside address and those who may send there.
    back: HashMap<u16, (SocketAddr, Vec<SocketAddr>)>,
}

impl Nat {
    pub(crate) fn new(kind: NatKind, outside: IpAddr) -> Self {
        Self { kind, outside, next_port: 20_000, out: HashMap::new(), back: HashMap::new() }
    }

    /// The source a packet has once outside.
    pub(crate) fn outgoing(&mut self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let key = (from, (self.kind == NatKind::Symmetric).then_some(to));
        let port = *self.out.entry(key).or_insert_with(|| {
            // Not in a row, so that nobody guesses the next.
            self.next_port = self.next_port.wrapping_add(7919).max(1024);
            self.next_port
        });
        let (_, sent_to) = self.back.entry(port).or_insert_with(|| (from, Vec::new()));
        if !sent_to.contains(&to) {
            sent_to.push(to);
        }
        SocketAddr::new(self.outside, port)
    }

    /// Where inside a packet to one of our ports goes, if it may pass.
    pub(crate) fn incoming(&self, from: SocketAddr, port: u16) -> Option<SocketAddr> {
        let (inside, sent_to) = self.back.get(&port)?;
        (self.kind == NatKind::FullCone || sent_to.contains(&from)).then_some(*inside)
    }
}
