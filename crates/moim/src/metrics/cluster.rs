//! Metrics of the cluster. A server alone has none.

use super::page::Page;
use crate::cluster::ClusterStatus;

/// Adds the metrics of the cluster.
pub(super) fn write(page: &mut Page, status: &ClusterStatus) {
    let engine = &status.engine;
    page.gauge("cluster_engine_up", "1 while Redis is connected", u8::from(engine.is_connected));
    page.counter("cluster_engine_connections", "Connections made to Redis", engine.connections);
    page.counter("cluster_engine_losses", "Times that Redis had lost its memory", engine.losses);
    page.gauge("cluster_leased", "1 while this node holds its lease", u8::from(status.is_leased));
    page.counter("cluster_leases_regained", "Leases held again after their end", status.regained);
    page.gauge("cluster_rooms", "Rooms that this node owns", status.rooms);
    page.gauge("cluster_rooms_unkept", "Rooms that go on without Redis", status.unkept);
    page.gauge("cluster_nodes", "Nodes whose leases live, this one included", status.nodes.len());
}
