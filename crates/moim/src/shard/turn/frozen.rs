//! The relay's allocations as data, for the next process of this server (a warm restart).

use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};
use socket2::Socket;
use turn::FrozenAllocation;

/// The allocations of all shards.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct FrozenRelay {
    /// In the order of the shards; `None` for a shard that did not answer.
    shards: Vec<Option<FrozenShard>>,
}

/// The allocations of one shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FrozenShard {
    /// The ports of its relayed addresses. A shard with other ones can't continue them.
    ports: RangeInclusive<u16>,
    allocations: Vec<FrozenAllocation>,
}

/// What a process continues of the one before.
#[derive(Debug, Clone)]
pub(crate) struct RelayState {
    /// The key of the nonces of the process before, or a new key.
    pub(crate) nonces: turn::NonceKey,
    /// `None` if there was no process before.
    pub(crate) handover: Option<RelayHandover>,
}

/// Allocations of the process before.
#[derive(Debug, Clone)]
pub(crate) struct RelayHandover {
    pub(crate) relay: FrozenRelay,
    /// Time since they were frozen.
    pub(crate) elapsed: Duration,
}

/// Allocations that one shard continues.
#[derive(Debug)]
pub(crate) struct Restoring {
    pub(crate) allocations: Vec<FrozenAllocation>,
    pub(crate) elapsed: Duration,
}

/// What a shard leaves to the next process.
pub(crate) struct LeftByShard {
    pub(crate) shard: FrozenShard,
    /// Duplicates of the sockets of its allocations.
    pub(crate) sockets: Vec<Socket>,
    /// Number of allocations that end with this process.
    pub(crate) ending: usize,
    /// Number of allocations that there is no room for.
    pub(crate) excess: usize,
}

impl FrozenRelay {
    pub(crate) fn new(shards: Vec<Option<FrozenShard>>) -> Self {
        Self { shards }
    }

    /// The number of allocations.
    pub(crate) fn allocations(&self) -> usize {
        self.shards.iter().flatten().map(|shard| shard.allocations.len()).sum()
    }
}

impl FrozenShard {
    pub(super) fn new(ports: RangeInclusive<u16>, allocations: Vec<FrozenAllocation>) -> Self {
        Self { ports, allocations }
    }
}

impl RelayHandover {
    /// The allocations for each of the shards with these ports: none if those have changed.
    pub(crate) fn for_shards(&self, ports: &[RangeInclusive<u16>]) -> Vec<Restoring> {
        let frozen = &self.relay.shards;
        let is_same = frozen.len() == ports.len()
            && frozen
                .iter()
                .zip(ports)
                .all(|(frozen, ports)| frozen.as_ref().is_none_or(|frozen| frozen.ports == *ports));
        let lost = if is_same { 0 } else { self.relay.allocations() };
        if lost > 0 {
            tracing::warn!(
                lost,
                "--turn-ports or --shards have changed: clients of the relay allocate again"
            );
        }
        let of_shard = |index: usize| {
            let frozen = frozen.get(index).and_then(Option::as_ref).filter(|_| is_same);
            let allocations = frozen.map(|frozen| frozen.allocations.clone()).unwrap_or_default();
            Restoring { allocations, elapsed: self.elapsed }
        };
        (0..ports.len()).map(of_shard).collect()
    }
}

impl Restoring {
    /// The addresses that sockets of the allocations are bound to.
    pub(crate) fn local_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.allocations.iter().flat_map(FrozenAllocation::local_addresses)
    }
}
