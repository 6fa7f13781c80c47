//! The ways out of a shard: its UDP sockets, and its links to other shards, of this node and others.

use std::{collections::HashSet, io, net::SocketAddr, time::Instant};

use sfu::ShardMessage;
use socket2::Socket;
use turn::RelayId;

use super::{inter_shard::ShardLinks, node_links::NodeLinks, node_table::is_remote};
use crate::net::udp::{GsoSender, Route, SocketId, UdpSockets};

/// The output side of a shard, which its services share.
pub(crate) struct Wire {
    pub(super) sockets: UdpSockets,
    pub(super) gso: GsoSender,
    pub(crate) links: ShardLinks,
    /// In a cluster.
    pub(super) nodes: Option<NodeLinks>,
}

impl Wire {
    /// Sends a datagram (a head, a payload and zero bytes) from an address of the port. It may wait
    /// for others of its size to the same receiver, but not past the next [`Self::flush`].
    pub(crate) fn send(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        head: &[u8],
        payload: &[u8],
        padding: usize,
    ) {
        let Some((socket, source)) = self.sockets.sending_from(from) else {
            self.gso.unsent += 1;
            return;
        };
        self.gso.push(&self.sockets, Route { socket, source, to }, head, payload, padding);
    }

    /// Sends a datagram from a relayed address, with the same delay.
    pub(crate) fn send_relayed(&mut self, relay: RelayId, to: SocketAddr, payload: &[u8]) {
        let route = Route { socket: SocketId::Relayed(relay), source: None, to };
        self.gso.push(&self.sockets, route, &[], payload, 0);
    }

    /// Sends a datagram from a relayed address with the don't-fragment flag.
    pub(crate) fn send_unfragmented(&mut self, relay: RelayId, to: SocketAddr, payload: &[u8]) {
        self.gso.flush(&self.sockets);
        if self.sockets.send_unfragmented(relay, to, payload).is_err() {
            self.gso.unsent += 1;
        }
    }

    /// Sends a message to the SFU of another shard, of this node or another.
    pub(crate) fn push_message(&mut self, now: Instant, message: ShardMessage) {
        if !is_remote(message.to) {
            self.links.push_message(message);
        } else if let Some(nodes) = &mut self.nodes {
            nodes.send(now, &message);
        }
    }

    /// Sends what waits for shards of other nodes.
    pub(super) fn transmit_to_nodes(&mut self, now: Instant) {
        let Self { sockets, gso, nodes, .. } = self;
        let Some(nodes) = nodes else { return };
        nodes.transmit(now, |to, datagram| {
            let route = Route { socket: SocketId::Node, source: None, to };
            gso.push(sockets, route, &[], datagram, 0);
        });
    }

    /// Opens the socket of a relayed address.
    pub(crate) fn open_relayed(&mut self, relay: RelayId, local: SocketAddr) -> io::Result<()> {
        self.sockets.open(relay, local)
    }

    /// Duplicates the sockets of these relayed addresses.
    pub(crate) fn duplicate_relayed(&self, addresses: &HashSet<SocketAddr>) -> Vec<Socket> {
        self.sockets.duplicate_relayed(addresses)
    }

    /// Flushes and closes the socket of a relayed address, and returns that address.
    pub(crate) fn close_relayed(&mut self, relay: RelayId) -> Option<SocketAddr> {
        self.gso.flush(&self.sockets);
        self.sockets.close(relay)
    }

    /// Counts the open relayed sockets.
    pub(crate) fn relayed_sockets(&self) -> usize {
        self.sockets.relayed()
    }

    /// Sends every datagram that waits for others.
    pub(super) fn flush_datagrams(&mut self) {
        self.gso.flush(&self.sockets);
    }

    /// Sends everything that waits: datagrams, and batches for other shards.
    pub(super) fn flush(&mut self) {
        self.flush_datagrams();
        self.links.flush();
    }
}
