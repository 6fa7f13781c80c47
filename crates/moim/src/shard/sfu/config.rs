//! The configuration of the SFU service.

use std::{io, net::SocketAddr, time::SystemTime};

use sfu::Transport;

use crate::{net::reachable::ReachableAddresses, shard::random::random_bytes};

/// Each address is a candidate over UDP and TCP.
pub(super) fn candidates(reachable: &ReachableAddresses) -> Vec<(Transport, SocketAddr)> {
    let both = |address| [(Transport::Udp, address), (Transport::Tcp, address)];
    reachable.candidates().into_iter().flat_map(both).collect()
}

/// Creates the SFU configuration of each shard.
pub(crate) struct SfuConfigs {
    candidates: Vec<(Transport, SocketAddr)>,
}

impl SfuConfigs {
    pub(crate) fn new(reachable: &ReachableAddresses) -> Self {
        Self { candidates: candidates(reachable) }
    }

    /// Creates the configuration of one shard.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn for_shard(&self, shard: u16) -> io::Result<sfu::Config> {
        Ok(sfu::Config {
            candidates: self.candidates.clone(),
            wall_clock: SystemTime::now(),
            #[cfg(debug_assertions)]
            panics_at: crate::faults::are_planted().then_some(crate::faults::LINK_PANIC),
            ..sfu::Config::new(shard, random_bytes()?)
        })
    }
}
