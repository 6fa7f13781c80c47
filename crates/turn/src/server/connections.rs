//! Connections between clients and peers over TCP allocations (RFC 6062 §5.2 to §5.4).

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use foldhash::HashMap;

use super::{relay_id::RelayId, transaction::Transaction};
use crate::FiveTuple;

/// How long a peer may take to be connected to, and a client to bind a connection (RFC 6062 §5.2,
/// §5.4: 30 seconds).
pub(super) const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Names a connection to a peer, to the client too (RFC 6062 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u32);

impl ConnectionId {
    /// The id in a CONNECTION-ID attribute.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        Some(Self(u32::from_be_bytes(value.try_into().ok()?)))
    }

    /// Which of several servers, by [`super::Config::shard`], has this connection if any has it.
    #[must_use]
    pub fn shard(self) -> u8 {
        let [shard, ..] = self.0.to_be_bytes();
        shard
    }
}

/// A connection to a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    /// The allocation it is of.
    pub(super) relay: RelayId,
    pub(super) peer: SocketAddr,
    pub(super) state: State,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// Being opened, since the client asked for it.
    Connecting { transaction: Transaction, until: Instant },
    /// Open on the peer's side.
    Unbound { until: Instant },
    /// Joined with a stream of the client's.
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

/// The one owner of connections: what is in one of its indexes is in all.
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

    /// How many an allocation has.
    pub(super) fn count_of(&self, relay: RelayId) -> usize {
        self.by_relay.get(&relay).map_or(0, BTreeMap::len)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.by_id.get(&id)
    }

    /// Whether an allocation has one with that peer.
    pub(super) fn has(&self, relay: RelayId, peer: &SocketAddr) -> bool {
        self.by_relay.get(&relay).is_some_and(|peers| peers.contains_key(peer))
    }

    /// The one a client's stream is joined with.
    pub(super) fn of_client(&self, client: &FiveTuple) -> Option<ConnectionId> {
        self.by_client.get(client).copied()
    }

    /// Takes in a connection. The caller has seen to it that neither its id nor its peer has one.
    pub(super) fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.deadlines.extend(connection.state.deadline().map(|until| (until, id)));
        self.by_relay.entry(connection.relay).or_default().insert(connection.peer, id);
        self.by_id.insert(id, connection);
    }

    /// A connection has come so far.
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

    /// Those of an allocation.
    pub(super) fn of_relay(&self, relay: RelayId) -> Vec<ConnectionId> {
        self.by_relay.get(&relay).into_iter().flat_map(BTreeMap::values).copied().collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// One whose time is up.
    pub(super) fn due(&self, now: Instant) -> Option<ConnectionId> {
        self.deadlines.first().filter(|(until, _)| *until <= now).map(|(_, id)| *id)
    }
}
