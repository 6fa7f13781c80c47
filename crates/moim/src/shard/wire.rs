//! What a shard's tenants send by.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use turn::RelayId;

use super::inter_shard::Links;
use crate::net::udp::{Egress, Outlets, Via, Way};

/// All ways out of a shard.
pub(crate) struct Wire {
    pub(super) outlets: Outlets,
    pub(super) egress: Egress,
    pub(crate) links: Links,
}

impl Wire {
    /// Sends a datagram from an address of the one port: a head, a payload and zero bytes, one
    /// behind the other. It leaves together with others of its size for the same receiver, at the
    /// latest before the shard sleeps.
    pub(crate) fn send(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        head: &[u8],
        payload: &[u8],
        padding: usize,
    ) {
        let Some((via, source)) = self.outlets.leaving(from) else {
            self.egress.unsent += 1;
            return;
        };
        self.egress.push(&self.outlets, Way { via, source, to }, head, payload, padding);
    }

    /// Sends a datagram from a relayed socket, likewise.
    pub(crate) fn send_relayed(&mut self, relay: RelayId, to: SocketAddr, payload: &[u8]) {
        let way = Way { via: Via::Relay(relay), source: None::<IpAddr>, to };
        self.egress.push(&self.outlets, way, &[], payload, 0);
    }

    /// Sends a datagram from a relayed socket, whole or not at all (DONT-FRAGMENT).
    pub(crate) fn send_whole(&mut self, relay: RelayId, to: SocketAddr, payload: &[u8]) {
        self.egress.flush(&self.outlets);
        let outlet = self.outlets.of(Via::Relay(relay));
        if outlet.is_none_or(|outlet| outlet.send_whole(to, payload).is_err()) {
            self.egress.unsent += 1;
        }
    }

    /// Opens a relayed socket, which is read from then on.
    pub(crate) fn open(&mut self, relay: RelayId, local: SocketAddr) -> io::Result<()> {
        self.outlets.open(relay, local)
    }

    /// Closes a relayed socket once what it has to send has left; says where it was bound.
    pub(crate) fn close(&mut self, relay: RelayId) -> Option<SocketAddr> {
        self.egress.flush(&self.outlets);
        self.outlets.close(relay)
    }

    /// How many relayed sockets are open.
    pub(crate) fn relays(&self) -> usize {
        self.outlets.relays()
    }

    /// Sends the datagrams that have not left yet.
    pub(super) fn flush_runs(&mut self) {
        self.egress.flush(&self.outlets);
    }

    /// Sends whatever has not left yet.
    pub(super) fn flush(&mut self) {
        self.flush_runs();
        self.links.flush();
    }

    /// Datagrams the system had no room or no way for.
    pub(crate) fn unsent(&self) -> u64 {
        self.egress.unsent
    }
}
