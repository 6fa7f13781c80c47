//! The values of one read of the metrics.

use crate::{
    net::{tcp::ConnectionCounters, tls::Expiry, udp::KernelBuffers},
    shard,
    signaling::Census,
};

/// All values, queried from their components.
pub(super) struct Readings<'a> {
    pub(super) shards: shard::Report,
    pub(super) kernel_buffers: Option<KernelBuffers>,
    pub(super) stuck: usize,
    pub(super) connection_counters: &'a ConnectionCounters,
    pub(super) connections: usize,
    pub(super) expiries: Vec<Expiry>,
    pub(super) acme_problems: Vec<(&'static str, usize)>,
    pub(super) acme_failures: Vec<(&'static str, u64)>,
    pub(super) census: Option<Census>,
}
