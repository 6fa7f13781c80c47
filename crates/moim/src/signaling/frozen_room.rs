//! A room that has stopped, as data for the next process of this server.

use std::net::IpAddr;

use room::Snapshot;
use serde::{Deserialize, Serialize};

use super::visits::FrozenVisits;
use crate::net::client_prefix::ClientPrefix;

/// A room that has stopped.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FrozenRoom {
    /// Address to whose quota it counts.
    opener: IpAddr,
    room: Snapshot,
    #[serde(default)]
    visits: Option<FrozenVisits>,
}

impl FrozenRoom {
    pub(super) fn new(opener: ClientPrefix, room: Snapshot, visits: FrozenVisits) -> Self {
        Self { opener: opener.address(), room, visits: Some(visits) }
    }

    pub(super) fn into_parts(self) -> (ClientPrefix, Snapshot, Option<FrozenVisits>) {
        (self.opener.into(), self.room, self.visits)
    }
}
