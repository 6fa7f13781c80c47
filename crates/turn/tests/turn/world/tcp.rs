//! The sockets of TCP allocations, as far as a world without TCP needs them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
};

use turn::{ConnectPeerError, ConnectionId, FiveTuple, RelayId, TcpOutput};

use super::{Sent, World, own};

/// What the server wanted done, and what of it is still so.
#[derive(Default)]
pub(crate) struct TcpSide {
    pub(crate) listening: HashMap<RelayId, SocketAddr>,
    /// Asked for, and neither connected nor failed.
    pub(crate) connecting: VecDeque<(ConnectionId, SocketAddr, SocketAddr)>,
    /// Open to peers.
    pub(crate) open: HashSet<ConnectionId>,
    /// Joined with clients' streams.
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
                    sent.extend(answer.map(|forward| own(&forward, &self.relays)));
                }
                TcpOutput::Unlisten { relay } => {
                    self.tcp.listening.remove(&relay).expect("only what listens is closed");
                }
                TcpOutput::Connect { connection, local, peer } => {
                    self.tcp.connecting.push_back((connection, local, peer));
                }
                TcpOutput::Splice { connection, client } => {
                    assert!(self.tcp.open.contains(&connection), "only what is open is joined");
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

    /// The oldest connection asked for succeeds or fails; its client is told.
    pub(crate) fn connected(&mut self, result: Result<(), ConnectPeerError>) -> ConnectionId {
        let (id, ..) = self.tcp.connecting.pop_front().expect("a connection is asked for");
        if result.is_ok() {
            self.tcp.open.insert(id);
        }
        let now = self.now();
        let answer = self.server.handle_connected(now, id, result);
        let sent: Vec<Sent> =
            answer.map(|forward| own(&forward, &self.relays)).into_iter().collect();
        self.send(sent);
        self.settle_tcp();
        id
    }

    /// A peer connects to a relayed address; whether it may stay.
    pub(crate) fn peer_connects(
        &mut self,
        peer: SocketAddr,
        relayed: SocketAddr,
    ) -> Option<ConnectionId> {
        let found = self.tcp.listening.iter().find(|(_, local)| local.port() == relayed.port());
        let (relay, _) = found.expect("somebody listens there");
        let (relay, now) = (*relay, self.now());
        let (id, forward) = self.server.handle_accepted(now, relay, peer)?;
        let sent = own(&forward, &self.relays);
        self.tcp.open.insert(id);
        self.send(vec![sent]);
        Some(id)
    }
}
