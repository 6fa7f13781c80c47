//! The values of one read of the metrics.

use super::{process::ProcessUsage, udp_errors::UdpErrors};
use crate::{
    cluster::ClusterStatus,
    net::{tcp::ConnectionCounters, tls::Expiry, udp::KernelBuffers},
    shard,
    signaling::{Census, Counts},
    store::StoreCounts,
    webhooks::WebhookCounts,
};

/// All values, queried from their components.
pub(super) struct Readings<'a> {
    pub(super) shards: shard::Report,
    pub(super) kernel_buffers: Option<KernelBuffers>,
    pub(super) stuck: usize,
    /// Busy share of each shard, in thousandths.
    pub(super) busy_permille: Vec<u32>,
    pub(super) connection_counters: &'a ConnectionCounters,
    pub(super) connections: usize,
    pub(super) expiries: Vec<Expiry>,
    pub(super) acme_expiring: usize,
    pub(super) acme_problems: Vec<(&'static str, usize)>,
    pub(super) acme_failures: Vec<(&'static str, u64)>,
    pub(super) census: Option<Census>,
    pub(super) counts: Option<Counts>,
    /// Participants of each room.
    pub(super) room_sizes: Vec<u32>,
    pub(super) store: StoreCounts,
    pub(super) webhooks: WebhookCounts,
    /// Of a server in a cluster.
    pub(super) cluster: Option<ClusterStatus>,
    pub(super) hosted_rooms: usize,
    /// Start of the server, seconds since 1970.
    pub(super) started: f64,
    pub(super) process: ProcessUsage,
    pub(super) udp_errors: Option<UdpErrors>,
}
