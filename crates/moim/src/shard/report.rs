//! Counters and gauges of shards.

use super::{node_links::NodeLinkCounters, sfu, turn};
use crate::histogram::{Histogram, PACKET_DELAY_SECONDS};

/// The counters of one shard, or the sum over all.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Shards in the sum.
    pub(crate) shards: usize,
    pub(crate) turn: turn::report::Report,
    pub(crate) sfu: sfu::report::Report,
    /// Links to other nodes.
    pub(crate) nodes: NodeLinkCounters,
    pub(crate) dropped: Dropped,
    /// Times from the kernel's receipt of packets until what they caused was sent.
    pub(crate) packet_delay: Histogram,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            shards: 0,
            turn: turn::report::Report::default(),
            sfu: sfu::report::Report::default(),
            nodes: NodeLinkCounters::default(),
            dropped: Dropped::default(),
            packet_delay: Histogram::new(PACKET_DELAY_SECONDS),
        }
    }
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
        self.nodes.add(&other.nodes);
        self.packet_delay.add(&other.packet_delay);
        self.dropped.unsent += other.dropped.unsent;
        self.dropped.between_shards += other.dropped.between_shards;
        self.dropped.garbage += other.dropped.garbage;
    }
}
