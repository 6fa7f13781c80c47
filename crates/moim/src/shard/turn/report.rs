//! What the relay says of itself when asked.

use turn::Counters;

use super::dtls;

/// What a shard has done and has, or the sum of all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// Shards that have answered.
    pub(crate) shards: usize,
    /// What the TURN servers have done.
    pub(crate) counters: Counters,
    /// Allocations there are.
    pub(crate) allocations: usize,
    /// Connections to peers of TCP allocations there are.
    pub(crate) peers: usize,
    /// Relayed sockets open.
    pub(crate) relays: usize,
    /// Clients over TCP and TLS.
    pub(crate) streams: usize,
    /// Clients over DTLS, and how they came.
    pub(crate) dtls_sessions: usize,
    pub(crate) dtls: dtls::Tally,
    /// What sockets and queues didn't take, and what was nobody's.
    pub(crate) dropped: Dropped,
}

/// Packets that went no further, by why.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dropped {
    /// Not queued, as a client over TCP can't take as much.
    pub(crate) slow: u64,
    /// For a client that is gone.
    pub(crate) gone: u64,
    /// Not sent, as the system had no room or no way.
    pub(crate) unsent: u64,
    /// Not taken by another shard.
    pub(crate) crossing: u64,
    /// Datagrams of no protocol we speak.
    pub(crate) garbage: u64,
}

impl Report {
    /// Takes in another shard's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.shards += other.shards;
        self.counters += other.counters;
        self.allocations += other.allocations;
        self.peers += other.peers;
        self.relays += other.relays;
        self.streams += other.streams;
        self.dtls_sessions += other.dtls_sessions;
        let (dtls, more) = (&mut self.dtls, &other.dtls);
        dtls.challenged += more.challenged;
        dtls.begun += more.begun;
        dtls.connected += more.connected;
        dtls.refused += more.refused;
        dtls.panicked += more.panicked;
        dtls.stray += more.stray;
        let (dropped, more) = (&mut self.dropped, &other.dropped);
        dropped.slow += more.slow;
        dropped.gone += more.gone;
        dropped.unsent += more.unsent;
        dropped.crossing += more.crossing;
        dropped.garbage += more.garbage;
    }
}
