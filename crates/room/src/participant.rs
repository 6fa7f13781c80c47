//! Participants of a room.

use crate::{
    name::DisplayName,
    opaque::Opaque,
    protocol::{self, MediaState, ParticipantId},
    rights::{Role, Sources},
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
    /// Role; `None` in a room without hosts.
    pub role: Option<Role>,
    /// Sources that a host has muted.
    pub muted: Sources,
    /// Sources that its token withholds.
    pub withheld: Sources,
    /// It receives no media.
    pub unsubscribed: bool,
    /// Ascending in the order in which hands were raised; `None` if the hand is down.
    pub raised: Option<u64>,
    /// Dialect-specific description; see [dialects](crate::dialect).
    pub profile: Option<Opaque>,
}

impl From<Participant> for protocol::Participant {
    fn from(participant: Participant) -> Self {
        let Participant { id, name, media, direct, alike, interrupted, .. } = participant;
        let Participant { role, muted, withheld, unsubscribed, raised, .. } = participant;
        let (muted, withheld) = (muted.iter().collect(), withheld.iter().collect());
        Self {
            id,
            name,
            media,
            direct,
            alike,
            interrupted,
            role,
            muted,
            withheld,
            unsubscribed,
            raised,
        }
    }
}
