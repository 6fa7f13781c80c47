//! The sockets of TCP allocations, simulated without TCP.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
};

use turn::{ConnectPeerError, ConnectionId, FiveTuple, RelayId, TcpOutput};

use super::{Sent, World, owned};

/// The state of the sockets that the server has asked for.
#[derive(Default)]
pub(crate) struct TcpSide {
    pub(crate) listening: HashMap<RelayId, SocketAddr>,
    /// Connect actions without a result yet: id, source, destination.
    pub(crate) connecting: VecDeque<(ConnectionId, SocketAddr, SocketAddr)>,
    /// Connections that are open to peers.
    pub(crate) open: HashSet<ConnectionId>,
    /// Connections joined with clients' streams.
    pub(crate) spliced: Vec<(ConnectionId, FiveTuple)>,
}

impl World {
    pub(super) fn settle_tcp(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(output) = self.server.poll_tcp_output() {
            match output {
                TcpOutput::Listen { relay, local } => {
                    let opened = match self.fail_opening.pop_front() {
                        Some(why) => Err(why),
                        None => {
                            assert!(!self.tcp.listening.values().any(|taken| *taken == local));
                            assert!(self.tcp.listening.insert(relay, local).is_none());
                            Ok(())
                        }
                    };
                    let now = self.now();
                    let answer = self.server.handle_relay_opened(now, relay, opened);
                    sent.extend(answer.map(|forward| owned(&forward, &self.relays)));
                }
                TcpOutput::Unlisten { relay } => {
                    self.tcp.listening.remove(&relay).expect("an unlistened relay was listening");
                }
                TcpOutput::Connect { connection, local, peer } => {
                    self.tcp.connecting.push_back((connection, local, peer));
                }
                TcpOutput::Splice { connection, client } => {
                    assert!(self.tcp.open.contains(&connection), "a spliced connection is open");
                    self.tcp.spliced.push((connection, client));
                }
                TcpOutput::Close { connection } => {
                    self.tcp.open.remove(&connection);
                    self.tcp.connecting.retain(|(id, ..)| *id != connection);
                    self.tcp.spliced.retain(|(id, _)| *id != connection);
                }
            }
        }
        sent
    }

    /// Reports a result for the oldest pending connection.
    pub(crate) fn connected(&mut self, result: Result<(), ConnectPeerError>) -> ConnectionId {
        let (id, ..) = self.tcp.connecting.pop_front().expect("a pending Connect");
        if result.is_ok() {
            self.tcp.open.insert(id);
        }
        let now = self.now();
        let answer = self.server.handle_connected(now, id, result);
        let sent: Vec<Sent> =
            answer.map(|forward| owned(&forward, &self.relays)).into_iter().collect();
        self.send(sent);
        self.settle_tcp();
        id
    }

    /// Connects a peer to a relayed address. Returns the connection if it is accepted.
    pub(crate) fn peer_connects(
        &mut self,
        peer: SocketAddr,
        relayed: SocketAddr,
    ) -> Option<ConnectionId> {
        let found = self.tcp.listening.iter().find(|(_, local)| local.port() == relayed.port());
        let (relay, _) = found.expect("a listener on this port");
        let (relay, now) = (*relay, self.now());
        let (id, forward) = self.server.handle_accepted(now, relay, peer)?;
        let sent = owned(&forward, &self.relays);
        self.tcp.open.insert(id);
        self.send(vec![sent]);
        Some(id)
    }
}
