//! Counters and gauges of shards.

use super::{sfu, turn};

/// The counters of one shard, or the sum over all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// Shards in the sum.
    pub(crate) shards: usize,
    pub(crate) turn: turn::report::Report,
    pub(crate) sfu: sfu::report::Report,
    pub(crate) dropped: Dropped,
}

/// Packets that the shard itself has dropped.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dropped {
    /// Datagrams not accepted by the system.
    pub(crate) unsent: u64,
    /// Packets not accepted by the queue of another shard.
    pub(crate) between_shards: u64,
    /// Datagrams of an unknown protocol.
    pub(crate) garbage: u64,
}

impl Report {
    /// Adds the counters of another shard.
    pub(crate) fn add(&mut self, other: &Self) {
        self.shards += other.shards;
        self.turn.add(&other.turn);
        self.sfu.add(&other.sfu);
        self.dropped.unsent += other.dropped.unsent;
        self.dropped.between_shards += other.dropped.between_shards;
        self.dropped.garbage += other.dropped.garbage;
    }
}
