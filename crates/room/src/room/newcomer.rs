//! Participants about to enter.

use crate::{
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

/// A participant about to enter.
pub(super) struct Newcomer {
    pub(super) connection: Connection,
    pub(super) id: ParticipantId,
    pub(super) join: Join,
    pub(super) role: Option<Role>,
    /// It comes from the waiting room, so its join was answered before.
    pub(super) has_waited: bool,
}
