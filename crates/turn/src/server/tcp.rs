//! TCP allocations (RFC 6062): their requests and their connections.

use std::{net::SocketAddr, time::Instant};

use rand::RngExt as _;

use super::{
    Server,
    connections::{CONNECTION_TIMEOUT, Connection, ConnectionId, State},
    forward::Forward,
    output::{ConnectPeerError, TcpOutput},
    rejection::Rejection,
    relay_id::RelayId,
    respond::Granted,
    transaction::Transaction,
};
use crate::{
    FiveTuple,
    credentials::Authenticated,
    policy::is_service,
    stun::{
        Message,
        attribute::{CONNECTION_ID, Family, XOR_PEER_ADDRESS},
    },
};

impl Server {
    /// RFC 6062 §5.2
    pub(super) fn connect(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        user: &Authenticated<'_>,
    ) -> Result<Granted, Rejection> {
        let (relay, allocation) = self.owned_allocation(now, from, user)?;
        if !allocation.is_tcp() {
            return Err(Rejection::ALLOCATION_MISMATCH);
        }
        let family = Family::of(allocation.relayed.advertised.ip());
        let local = allocation.relayed.local;
        let peer = message.xor_address(XOR_PEER_ADDRESS).ok_or(Rejection::BAD_REQUEST)?;
        let own_relays = self.check_peer(peer.ip(), |other| other == family)?;
        if peer.port() == 0 {
            return Err(Rejection::BAD_REQUEST);
        }
        if user.is_member && !own_relays && is_service(peer.port()) {
            return Err(Rejection::FORBIDDEN);
        }
        let target = self.connect_target(peer, own_relays).ok_or(Rejection::FORBIDDEN)?;
        if self.connections.has(relay, &peer) {
            return Err(Rejection::CONNECTION_EXISTS);
        }
        let transaction = Transaction::from(message);
        // The driver reports a timeout itself; this one is a safety net.
        let state = State::Connecting { transaction, until: now + 2 * CONNECTION_TIMEOUT };
        let connection =
            self.admit(Connection { relay, peer, state }).ok_or(Rejection::CAPACITY)?;
        self.tcp_outputs.push_back(TcpOutput::Connect { connection, local, peer: target });
        Ok(Granted::Pending)
    }

    /// The address to connect to for a peer; for one of our relayed addresses, the one it is bound
    /// to. Services of this machine are never peers, whatever the operator allows: they would take
    /// the client for a local one.
    fn connect_target(&self, peer: SocketAddr, own_relays: bool) -> Option<SocketAddr> {
        let relay = self.allocations.at(&peer).and_then(|relay| self.allocations.get(relay));
        if let Some(relay) = relay {
            return relay.is_tcp().then_some(relay.relayed.local);
        }
        let service = self.policy.is_own(peer.ip()) && self.config.services.contains(&peer.port());
        (!own_relays && !service).then_some(peer)
    }

    /// Handles the result of connecting to a peer. Returns the response to the client's request.
    pub fn handle_connected(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        connected: Result<(), ConnectPeerError>,
    ) -> Option<Forward<'_>> {
        let found = *self.connections.get(connection)?;
        let State::Connecting { transaction, .. } = found.state else { return None };
        let allocation = self.allocations.get(found.relay)?;
        let client = allocation.client;
        let key = allocation.key.clone();
        if connected.is_err() {
            self.connections.remove(connection);
            return Some(self.reject(&client, transaction, &key, Rejection::CONNECTION_FAILED));
        }
        self.connections.set_state(connection, State::Unbound { until: now + CONNECTION_TIMEOUT });
        self.grant(&client, transaction, &key, Granted::Connected(connection))
    }

    /// Handles a connection from a peer to a relayed address (RFC 6062 §5.3). Returns its id and
    /// the ConnectionAttempt indication for the client; `None` if the connection is to be closed.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
    ) -> Option<(ConnectionId, Forward<'_>)> {
        let peer = self.as_advertised(SocketAddr::new(peer.ip().to_canonical(), peer.port()));
        let from_relay = self.allocations.at(&peer).is_some();
        let allocation =
            self.allocations.get(relay).filter(|allocation| allocation.expires > now)?;
        let permitted = allocation.peers.permission(now, &peer.ip());
        if permitted.is_none_or(|permission| permission.own_relays && !from_relay) {
            self.counters.dropped_unpermitted += 1;
            return None;
        }
        let client = allocation.client;
        if self.connections.has(relay, &peer) {
            return None;
        }
        let state = State::Unbound { until: now + CONNECTION_TIMEOUT };
        let connection = self.admit(Connection { relay, peer, state })?;
        let forward = self.connection_attempt(&client, connection, peer);
        Some((connection, forward))
    }

    /// The advertised form of one of our own relayed addresses.
    fn as_advertised(&self, local: SocketAddr) -> SocketAddr {
        let announced = self.config.announce.iter().copied();
        let mut advertised = announced
            .filter(|ip| ip.is_ipv4() == local.is_ipv4() && self.policy.is_own(local.ip()))
            .map(|ip| SocketAddr::new(ip, local.port()));
        advertised
            .find(|advertised| {
                let relay =
                    self.allocations.at(advertised).and_then(|relay| self.allocations.get(relay));
                relay.is_some_and(|relay| relay.relayed.local == local)
            })
            .unwrap_or(local)
    }

    /// RFC 6062 §5.4
    pub(super) fn connection_bind(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        user: &Authenticated<'_>,
    ) -> Result<Granted, Rejection> {
        let id = message.attribute(CONNECTION_ID).and_then(ConnectionId::read);
        let id = id.ok_or(Rejection::BAD_REQUEST)?;
        let is_taken = self.allocations.of_client(from).is_some()
            || self.connections.of_client(from).is_some();
        if !from.transport.is_stream() || is_taken {
            return Err(Rejection::BAD_REQUEST);
        }
        let connection = *self.connections.get(id).ok_or(Rejection::BAD_REQUEST)?;
        let State::Unbound { until } = connection.state else { return Err(Rejection::BAD_REQUEST) };
        let allocation = self.allocations.get(connection.relay).ok_or(Rejection::BAD_REQUEST)?;
        if !user.owns(&allocation.username, allocation.is_member) {
            return Err(Rejection::WRONG_CREDENTIALS);
        }
        if until <= now || allocation.expires <= now {
            return Err(Rejection::BAD_REQUEST);
        }
        self.connections.set_state(id, State::Bound { client: *from });
        self.counters.connections_bound += 1;
        self.tcp_outputs.push_back(TcpOutput::Splice { connection: id, client: *from });
        Ok(Granted::Empty)
    }

    /// Handles the end of a connection to a peer.
    pub fn handle_connection_closed(&mut self, connection: ConnectionId) {
        self.connections.remove(connection);
    }

    /// Adds a connection under a new id, if the limits admit it.
    fn admit(&mut self, connection: Connection) -> Option<ConnectionId> {
        let limits = &self.config.limits;
        if self.connections.len() >= limits.connections
            || self.connections.count_of(connection.relay) >= limits.connections_per_allocation
        {
            return None;
        }
        let id = loop {
            let [_, rest @ ..] = self.rng.random::<[u8; 4]>();
            let [a, b, c] = rest;
            let id = ConnectionId(u32::from_be_bytes([self.config.shard, a, b, c]));
            if self.connections.get(id).is_none() {
                break id;
            }
        };
        self.connections.insert(id, connection);
        Some(id)
    }

    /// Closes a connection in any state.
    fn disconnect(&mut self, id: ConnectionId) {
        if self.connections.remove(id).is_some() {
            self.tcp_outputs.push_back(TcpOutput::Close { connection: id });
        }
    }

    /// Closes all connections of an allocation that has ended.
    pub(super) fn disconnect_all(&mut self, relay: RelayId) {
        for id in self.connections.of_relay(relay) {
            self.disconnect(id);
        }
    }

    /// Closes the connection that was joined with a client's closed stream.
    pub(super) fn disconnect_client(&mut self, client: &FiveTuple) {
        if let Some(id) = self.connections.of_client(client) {
            self.disconnect(id);
        }
    }

    /// Closes connections that were not bound in time.
    pub(super) fn expire_connections(&mut self, now: Instant) {
        while let Some(id) = self.connections.due(now) {
            self.disconnect(id);
        }
    }

    /// The next action on sockets of TCP allocations.
    pub fn poll_tcp_output(&mut self) -> Option<TcpOutput> {
        self.tcp_outputs.pop_front()
    }

    /// Number of connections to peers of TCP allocations.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}
