//! A room that has stopped, as data for the next process of this server.

use std::net::IpAddr;

use room::Snapshot;
use serde::{Deserialize, Serialize};

use crate::net::client_prefix::ClientPrefix;

/// A room that has stopped.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FrozenRoom {
    /// Address to whose quota it counts.
    opener: IpAddr,
    room: Snapshot,
}

impl FrozenRoom {
    pub(super) fn new(opener: ClientPrefix, room: Snapshot) -> Self {
        Self { opener: opener.address(), room }
    }

    pub(super) fn into_parts(self) -> (ClientPrefix, Snapshot) {
        (self.opener.into(), self.room)
    }
}
