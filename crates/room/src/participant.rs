//! Somebody in a room, as the room has them.

use crate::{
    name::DisplayName,
    opaque::Opaque,
    protocol::{self, MediaState, ParticipantId},
};

/// Somebody in a room. The native protocol tells of them by
/// [`protocol::Participant`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Unique in the room.
    pub id: ParticipantId,
    /// What others see.
    pub name: DisplayName,
    /// What it sends.
    pub media: MediaState,
    /// It is connected to peer to peer, whatever the topology.
    pub direct: bool,
    /// Its place among those here whose names look alike, from 2 on; none for the first.
    pub alike: Option<u32>,
    /// The media server receives nothing from it.
    pub interrupted: bool,
    /// What clients of its [dialect](crate::dialect) are to know of it besides.
    pub card: Option<Opaque>,
}

impl From<Participant> for protocol::Participant {
    fn from(participant: Participant) -> Self {
        let Participant { id, name, media, direct, alike, interrupted, card: _ } = participant;
        Self { id, name, media, direct, alike, interrupted }
    }
}
