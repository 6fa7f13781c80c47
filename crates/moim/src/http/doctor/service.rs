//! What the routes share.

use std::{net::SocketAddr, sync::Arc};

use super::{
    followed::FollowedTests, places::Places, probe_port::ProbePort, recent_tests::RecentTests,
};
use crate::{net::reach::ReachLog, shard, signaling::Signaling};

/// What the routes share.
pub(crate) struct Doctor {
    pub(super) signaling: Arc<Signaling>,
    pub(super) probes: ProbePort,
    pub(super) visits: Places,
    pub(super) reach: ReachLog,
    pub(super) followed: FollowedTests,
    /// `None` if servers are not dialled back.
    pub(super) dial_back: Option<RecentTests>,
    /// Addresses that are listened on.
    pub(super) listen: Vec<SocketAddr>,
}

impl Doctor {
    /// A doctor of the server that listens on `listen`.
    pub(crate) fn new(
        signaling: Arc<Signaling>,
        shards: &shard::Handle,
        reach: ReachLog,
        followed: FollowedTests,
        probe_others: bool,
        listen: Vec<SocketAddr>,
    ) -> Self {
        let probes = ProbePort::new(shards.room_commands());
        let dial_back = probe_others.then(RecentTests::default);
        let visits = Places::default();
        Self { signaling, probes, visits, reach, followed, dial_back, listen }
    }
}
