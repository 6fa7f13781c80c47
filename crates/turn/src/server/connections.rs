//! Connections between clients and peers of TCP allocations (RFC 6062 §5.2 to §5.4).

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use foldhash::HashMap;

use super::{relay_id::RelayId, transaction::Transaction};
use crate::FiveTuple;

/// Time in which a peer must accept a connection and a client must bind it (RFC 6062 §5.2, §5.4).
pub(super) const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Identifies a connection to a peer, to the client too (RFC 6062 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u32);

impl ConnectionId {
    /// Parses the value of a CONNECTION-ID attribute.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        Some(Self(u32::from_be_bytes(value.try_into().ok()?)))
    }

    /// The shard, by [`Config::shard`](super::Config::shard), that issued the id.
    #[must_use]
    pub fn shard(self) -> u8 {
        let [shard, ..] = self.0.to_be_bytes();
        shard
    }
}

/// A connection to a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    /// The allocation that it belongs to.
    pub(super) relay: RelayId,
    pub(super) peer: SocketAddr,
    pub(super) state: State,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// The driver is connecting to the peer for a Connect request.
    Connecting { transaction: Transaction, until: Instant },
    /// The peer's side is open; the client has not bound it yet.
    Unbound { until: Instant },
    /// Joined with a client's stream.
    Bound { client: FiveTuple },
}

impl State {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Connecting { until, .. } | Self::Unbound { until } => Some(*until),
            Self::Bound { .. } => None,
        }
    }
}

/// The one owner of connections. Its methods keep all of its indexes consistent.
#[derive(Default)]
pub(super) struct Connections {
    by_id: HashMap<ConnectionId, Connection>,
    by_relay: HashMap<RelayId, BTreeMap<SocketAddr, ConnectionId>>,
    by_client: HashMap<FiveTuple, ConnectionId>,
    deadlines: BTreeSet<(Instant, ConnectionId)>,
}

impl Connections {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Number of connections of an allocation.
    pub(super) fn count_of(&self, relay: RelayId) -> usize {
        self.by_relay.get(&relay).map_or(0, BTreeMap::len)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.by_id.get(&id)
    }

    /// Returns whether an allocation has a connection with this peer.
    pub(super) fn has(&self, relay: RelayId, peer: &SocketAddr) -> bool {
        self.by_relay.get(&relay).is_some_and(|peers| peers.contains_key(peer))
    }

    /// The connection that a client's stream is joined with.
    pub(super) fn of_client(&self, client: &FiveTuple) -> Option<ConnectionId> {
        self.by_client.get(client).copied()
    }

    /// Adds a connection. The caller has checked that its id is unused and its peer not connected.
    pub(super) fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.deadlines.extend(connection.state.deadline().map(|until| (until, id)));
        self.by_relay.entry(connection.relay).or_default().insert(connection.peer, id);
        self.by_id.insert(id, connection);
    }

    /// Changes the state of a connection.
    pub(super) fn set_state(&mut self, id: ConnectionId, state: State) {
        let Some(connection) = self.by_id.get_mut(&id) else { return };
        let before = std::mem::replace(&mut connection.state, state);
        if let Some(until) = before.deadline() {
            self.deadlines.remove(&(until, id));
        }
        self.deadlines.extend(state.deadline().map(|until| (until, id)));
        if let State::Bound { client } = state {
            self.by_client.insert(client, id);
        }
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let connection = self.by_id.remove(&id)?;
        if let Some(until) = connection.state.deadline() {
            self.deadlines.remove(&(until, id));
        }
        if let State::Bound { client } = connection.state {
            self.by_client.remove(&client);
        }
        if let Some(peers) = self.by_relay.get_mut(&connection.relay) {
            peers.remove(&connection.peer);
            if peers.is_empty() {
                self.by_relay.remove(&connection.relay);
            }
        }
        Some(connection)
    }

    /// The connections of an allocation.
    pub(super) fn of_relay(&self, relay: RelayId) -> Vec<ConnectionId> {
        self.by_relay.get(&relay).into_iter().flat_map(BTreeMap::values).copied().collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// A connection whose deadline has passed.
    pub(super) fn due(&self, now: Instant) -> Option<ConnectionId> {
        self.deadlines.first().filter(|(until, _)| *until <= now).map(|(_, id)| *id)
    }
}
