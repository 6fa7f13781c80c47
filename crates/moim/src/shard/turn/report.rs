//! Counters and gauges of the TURN service.

use turn::Counters;

use super::dtls::DtlsCounters;

/// The counters of one shard, or the sum over all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// Counters of the TURN servers.
    pub(crate) counters: Counters,
    pub(crate) allocations: usize,
    /// Connections to peers of TCP allocations.
    pub(crate) peers: usize,
    /// Open relayed sockets.
    pub(crate) relayed_sockets: usize,
    /// Clients over TCP and TLS.
    pub(crate) stream_clients: usize,
    /// Clients over DTLS.
    pub(crate) dtls_sessions: usize,
    pub(crate) dtls: DtlsCounters,
    pub(crate) dropped: Dropped,
}

/// Messages that could not be sent to a client, by reason.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dropped {
    /// The queue of a client over TCP was full.
    pub(crate) slow_client: u64,
    /// The client was gone.
    pub(crate) gone_client: u64,
}

impl Report {
    /// Adds the counters of another shard.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counters += other.counters;
        self.allocations += other.allocations;
        self.peers += other.peers;
        self.relayed_sockets += other.relayed_sockets;
        self.stream_clients += other.stream_clients;
        self.dtls_sessions += other.dtls_sessions;
        self.dtls.add(&other.dtls);
        self.dropped.slow_client += other.dropped.slow_client;
        self.dropped.gone_client += other.dropped.gone_client;
    }
}
