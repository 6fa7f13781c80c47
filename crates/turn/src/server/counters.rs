//! Counters for metrics.

use super::response_counts::ResponseCounts;

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Allocations made.
    pub allocated: u64,
    /// Allocations that have ended, for any reason.
    pub ended: u64,
    /// Ports reserved for a later allocation.
    pub reserved: u64,
    /// Allocations moved to another client address.
    pub moved: u64,
    /// Packets relayed from clients.
    pub from_clients: u64,
    /// Packets relayed from peers over the network.
    pub from_peers: u64,
    /// Packets from clients that reached a relayed address or the media server of this machine
    /// without the network.
    pub hairpinned: u64,
    /// Connections of TCP allocations joined with a client's stream.
    pub connections_bound: u64,
    /// Relayed payload in bytes, both directions.
    pub relayed_bytes: u64,
    /// ICMP errors relayed.
    pub relayed_errors: u64,
    /// Requests by method and outcome.
    pub responses: ResponseCounts,
    /// Requests rejected with an error response.
    pub rejected: u64,
    /// Dropped: not a message of a known protocol.
    pub dropped_malformed: u64,
    /// Dropped: a response, an unknown method, or data without an allocation or a channel.
    pub dropped_unexpected: u64,
    /// Dropped: data to or from a peer without permission.
    pub dropped_unpermitted: u64,
    /// Dropped: data to an address of this machine that is no relayed address of ours.
    pub dropped_own: u64,
    /// Dropped: data beyond a bandwidth limit.
    pub dropped_bandwidth: u64,
    /// Dropped: unauthenticated requests beyond the rate limit of their network.
    pub dropped_rate: u64,
}

/// Sums the counters of several servers.
impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.allocated += other.allocated;
        self.ended += other.ended;
        self.reserved += other.reserved;
        self.moved += other.moved;
        self.from_clients += other.from_clients;
        self.from_peers += other.from_peers;
        self.hairpinned += other.hairpinned;
        self.connections_bound += other.connections_bound;
        self.relayed_bytes += other.relayed_bytes;
        self.relayed_errors += other.relayed_errors;
        self.responses += other.responses;
        self.rejected += other.rejected;
        self.dropped_malformed += other.dropped_malformed;
        self.dropped_unexpected += other.dropped_unexpected;
        self.dropped_unpermitted += other.dropped_unpermitted;
        self.dropped_own += other.dropped_own;
        self.dropped_bandwidth += other.dropped_bandwidth;
        self.dropped_rate += other.dropped_rate;
    }
}
