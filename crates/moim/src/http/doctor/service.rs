//! What the routes share.

use std::{net::SocketAddr, sync::Arc};

use super::{
    followed::FollowedTests, probe_port::ProbePort, recent_tests::RecentTests,
    test_permits::TestPermits,
};
use crate::{
    net::reach::ReachLog,
    shard,
    signaling::{
        Signaling,
        rate::{PerClient, Rate},
    },
    store::Store,
};

/// Reports of one address: a few in a row, then one in ten minutes.
const REPORT_RATE: Rate = Rate { burst: 4.0, per_second: 1.0 / 600.0 };
/// Clients whose reports are limited.
const MAX_CLIENTS: usize = 4096;

/// What the routes share.
pub(crate) struct Doctor {
    pub(super) signaling: Arc<Signaling>,
    pub(super) probes: ProbePort,
    pub(super) visits: TestPermits,
    pub(super) reach: ReachLog,
    pub(super) followed: FollowedTests,
    /// `None` if servers are not dialled back.
    pub(super) dial_back: Option<RecentTests>,
    pub(super) store: Store,
    /// Limits reports to the host.
    pub(super) reports: PerClient,
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
        store: Store,
        probe_others: bool,
        listen: Vec<SocketAddr>,
    ) -> Self {
        Self {
            signaling,
            probes: ProbePort::new(shards.room_commands()),
            visits: TestPermits::default(),
            reach,
            followed,
            dial_back: probe_others.then(RecentTests::default),
            store,
            reports: PerClient::new(REPORT_RATE, MAX_CLIENTS),
            listen,
        }
    }
}
