//! Participants about to enter.

use crate::{
    audience::MemberKey,
    protocol::ParticipantId,
    request::{Connection, Join},
    rights::Role,
};

/// Decision on a newcomer.
pub(super) enum Welcome {
    /// It enters with this role; `None` in a room without hosts.
    Enter(Option<Role>),
    /// It waits for a host.
    Wait,
}

/// The place that a newcomer takes.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Free,
    /// That of its own earlier participant, as after a reload.
    Own(MemberKey),
    /// That of somebody who is not expected back.
    Vacated(MemberKey),
}

impl Slot {
    /// The member that leaves for it.
    pub(super) fn vacated(self) -> Option<MemberKey> {
        match self {
            Self::Free => None,
            Self::Own(key) | Self::Vacated(key) => Some(key),
        }
    }
}

/// A participant about to enter.
pub(super) struct Newcomer {
    pub(super) connection: Connection,
    pub(super) id: ParticipantId,
    pub(super) join: Join,
    pub(super) role: Option<Role>,
    /// It comes from the waiting room, so its join was answered before.
    pub(super) has_waited: bool,
    pub(super) place: Slot,
}
