//! What the routes share.

use std::{net::SocketAddr, sync::Arc};

use super::{followed::FollowedTests, places::Places, probe_port::ProbePort};
use crate::{net::reach::ReachLog, shard, signaling::Signaling};

/// What the routes share.
pub(crate) struct Doctor {
    pub(super) signaling: Arc<Signaling>,
    pub(super) probes: ProbePort,
    pub(super) visits: Places,
    pub(super) reach: ReachLog,
    pub(super) followed: FollowedTests,
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
        listen: Vec<SocketAddr>,
    ) -> Self {
        let probes = ProbePort::new(shards.room_commands());
        Self { signaling, probes, visits: Places::default(), reach, followed, listen }
    }
}
