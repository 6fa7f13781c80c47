//! A room that has stopped, as data for the next process of this server.

use std::net::IpAddr;

use room::Snapshot;
use serde::{Deserialize, Serialize};

use super::{frozen_links::FrozenLinks, history::FrozenCall, visits::FrozenVisits};
use crate::net::client_prefix::ClientPrefix;

/// A room that has stopped.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FrozenRoom {
    /// Address to whose quota it counts.
    opener: IpAddr,
    room: Snapshot,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visits: Option<FrozenVisits>,
    /// The call that goes on in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<FrozenCall>,
    /// Places of its links, in a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    links: Option<FrozenLinks>,
}

/// The parts of a frozen room.
pub(super) struct FrozenParts {
    pub(super) opener: ClientPrefix,
    pub(super) room: Snapshot,
    pub(super) visits: Option<FrozenVisits>,
    pub(super) call: Option<FrozenCall>,
    pub(super) links: Option<FrozenLinks>,
}

impl FrozenRoom {
    pub(super) fn new(
        opener: ClientPrefix,
        room: Snapshot,
        visits: FrozenVisits,
        call: Option<FrozenCall>,
    ) -> Self {
        Self { opener: opener.address(), room, visits: Some(visits), call, links: None }
    }

    /// The same with its links.
    #[must_use]
    pub(super) fn with_links(self, links: Option<FrozenLinks>) -> Self {
        Self { links, ..self }
    }

    /// Changes of a room since its last snapshot.
    pub(super) fn changes(
        opener: ClientPrefix,
        room: Snapshot,
        visits: Option<FrozenVisits>,
    ) -> Self {
        Self { opener: opener.address(), room, visits, call: None, links: None }
    }

    /// The room after changes of it.
    #[must_use]
    pub(super) fn followed_by(self, changes: Self) -> Self {
        let room = self.room.followed_by(changes.room);
        Self {
            room,
            visits: changes.visits.or(self.visits),
            call: changes.call.or(self.call),
            links: changes.links.or(self.links),
            ..self
        }
    }

    /// The room as bytes, which the log of a cluster keeps.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Identifies the room among all that ever had its name.
    pub(super) fn id(&self) -> Option<&str> {
        self.visits.as_ref().map(FrozenVisits::id)
    }

    /// Size of its log as JSON.
    pub(super) fn log_bytes(&self) -> u64 {
        self.room.log_bytes()
    }

    /// Leaves out its log.
    pub(super) fn shed_log(&mut self) {
        self.room.shed_log();
    }

    pub(super) fn into_parts(self) -> FrozenParts {
        let Self { opener, room, visits, call, links } = self;
        FrozenParts { opener: opener.into(), room, visits, call, links }
    }
}
