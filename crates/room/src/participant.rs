//! Participants of a room.

use crate::{
    name::DisplayName,
    opaque::Opaque,
    protocol::{self, MediaState, ParticipantId},
};

/// A participant of a room. [`protocol::Participant`] is its form in the native protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Unique in the room.
    pub id: ParticipantId,
    /// Display name.
    pub name: DisplayName,
    /// Media state.
    pub media: MediaState,
    /// Others connect to it peer to peer, whatever the topology.
    pub direct: bool,
    /// Number among participants with confusable names, from 2 on; `None` for the first.
    pub alike: Option<u32>,
    /// The media server receives no media from it.
    pub interrupted: bool,
    /// Dialect-specific description; see [dialects](crate::dialect).
    pub profile: Option<Opaque>,
}

impl From<Participant> for protocol::Participant {
    fn from(participant: Participant) -> Self {
        let Participant { id, name, media, direct, alike, interrupted, profile: _ } = participant;
        Self { id, name, media, direct, alike, interrupted }
    }
}
