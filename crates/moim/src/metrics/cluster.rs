//! Metrics of the cluster. A server alone has none.

use super::page::Page;
use crate::{cluster::ClusterStatus, shard::NodeLinkCounters};

/// Adds the metrics of the cluster. `hosted` rooms of other nodes have links here.
pub(super) fn write(
    page: &mut Page,
    status: &ClusterStatus,
    hosted: usize,
    links: &NodeLinkCounters,
) {
    let engine = &status.engine;
    page.gauge("cluster_engine_up", "1 while Redis is connected", u8::from(engine.is_connected));
    page.counter("cluster_engine_connections", "Connections made to Redis", engine.connections);
    page.counter("cluster_engine_losses", "Times that Redis had lost its memory", engine.losses);
    page.gauge("cluster_leased", "1 while this node holds its lease", u8::from(status.is_leased));
    page.counter("cluster_leases_regained", "Leases held again after their end", status.regained);
    page.gauge("cluster_rooms", "Rooms that this node owns", status.rooms);
    page.gauge("cluster_rooms_unkept", "Rooms that go on without Redis", status.unkept);
    page.counter("cluster_claims", "Rooms that this node has claimed", status.claims);
    page.counter("cluster_fenced", "Rooms that another node had claimed", status.fenced);
    page.gauge("cluster_nodes", "Nodes whose leases live, this one included", status.nodes.len());
    page.gauge("cluster_hosted_rooms", "Rooms of other nodes with links here", hosted);
    page.gauge("node_links", "Links of shards to those of other nodes", links.links);
    page.gauge(
        "node_links_missing",
        "Links of shards to those of other nodes that rooms have needed for seconds in vain",
        links.missing,
    );
    page.counters(
        "node_link_bytes",
        "Bytes of UDP between nodes, by direction",
        "direction",
        &[("in", links.received_bytes), ("out", links.sent_bytes)],
    );
    page.counter("node_media_bytes", "Bytes of media received from other nodes", links.media_bytes);
    let media = &links.media;
    page.counters(
        "node_media_packets",
        "Packets of media from other nodes, by what became of them",
        "outcome",
        &[
            ("received", media.received.saturating_sub(media.repaired)),
            ("repaired", media.repaired),
            ("lost", media.lost),
            ("duplicate", media.duplicates),
        ],
    );
    page.counter("node_media_resent", "Packets of media sent again to other nodes", media.resent);
    page.counter(
        "node_malformed",
        "Messages of other nodes that can't be used",
        media.malformed + links.malformed,
    );
    page.counter("node_congested", "Reports of congestion between nodes", links.congested);
    page.counter(
        "node_link_panics",
        "Links to shards of other nodes lost to a panic",
        links.panics,
    );
}
