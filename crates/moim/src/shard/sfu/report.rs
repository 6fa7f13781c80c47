//! Counters and gauges of the SFU service.

use super::link_quality::{LinkCounts, QualityHistograms};

/// The counters of one shard, or the sum over all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub(crate) peers: usize,
    /// Rooms with peers here. A room on several shards counts on each.
    pub(crate) rooms: usize,
    /// ICE-TCP clients.
    pub(crate) stream_clients: usize,
    /// Entries in all maps of the core; zero without peers.
    pub(crate) entries: usize,
    /// Replayed or forged packets from the addresses of peers.
    pub(crate) dropped: sfu::Dropped,
    /// Links that ended with a panic of str0m.
    pub(crate) panics: u64,
    pub(crate) counters: SfuCounters,
    pub(crate) media: sfu::MediaCounts,
    /// Links that were connected, or failed.
    pub(crate) links: LinkCounts,
    pub(crate) quality: QualityHistograms,
}

/// Counters of links and packets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SfuCounters {
    /// Links connected.
    pub(crate) connected: u64,
    /// Links that ended without a request.
    pub(crate) ended: u64,
    /// Requests refused by the core.
    pub(crate) refused: u64,
    /// Links closed because the event queue of their room was full.
    pub(crate) event_overflows: u64,
    /// Datagrams received from peers.
    pub(crate) received: u64,
    /// Datagrams sent to peers.
    pub(crate) sent: u64,
    /// Datagrams forwarded to other shards.
    pub(crate) forwarded: u64,
    /// Packets of tracks from other shards.
    pub(crate) cascaded: u64,
    /// DTLS and RTP from addresses that no connectivity check has authenticated.
    pub(crate) unauthenticated: u64,
    /// Packets dropped because the queue of an ICE-TCP client was full.
    pub(crate) slow_client: u64,
    /// Packets for an ICE-TCP client that was gone.
    pub(crate) gone_client: u64,
}

impl Report {
    /// Adds the counters of another shard.
    pub(crate) fn add(&mut self, other: &Self) {
        self.peers += other.peers;
        self.rooms += other.rooms;
        self.stream_clients += other.stream_clients;
        self.entries += other.entries;
        self.dropped.replayed += other.dropped.replayed;
        self.dropped.forged += other.dropped.forged;
        self.panics += other.panics;
        self.counters.add(&other.counters);
        self.links.add(&other.links);
        self.quality.add(&other.quality);
        let (media, more) = (&mut self.media, &other.media);
        media.paused_for_bandwidth += more.paused_for_bandwidth;
        media.paused_hidden += more.paused_hidden;
        media.paused_by_limit += more.paused_by_limit;
        media.keyframe_requests_received += more.keyframe_requests_received;
        media.keyframe_requests_sent += more.keyframe_requests_sent;
    }
}

impl SfuCounters {
    fn add(&mut self, other: &Self) {
        self.connected += other.connected;
        self.ended += other.ended;
        self.refused += other.refused;
        self.event_overflows += other.event_overflows;
        self.received += other.received;
        self.sent += other.sent;
        self.forwarded += other.forwarded;
        self.cascaded += other.cascaded;
        self.unauthenticated += other.unauthenticated;
        self.slow_client += other.slow_client;
        self.gone_client += other.gone_client;
    }
}
