//! The values of one read of the metrics.

use crate::{net::tcp::Tally, shard, signaling::Census};

/// All values, queried from their components.
pub(super) struct Readings<'a> {
    pub(super) shards: shard::Report,
    pub(super) stuck: usize,
    pub(super) tally: &'a Tally,
    pub(super) connections: usize,
    pub(super) census: Option<Census>,
}
