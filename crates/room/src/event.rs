//! What happens in a room, and what one participant sends another.

use crate::{
    protocol::{
        IceCandidate, Participant, ParticipantId, ParticipantLeft, ServerEvent, SessionDescription,
        SignalEvent,
    },
    request::Refusal,
};

/// The most bytes of an SDP.
pub const MAX_SDP_BYTES: usize = 64 << 10;
/// The most bytes of an ICE candidate, all its texts together.
pub const MAX_CANDIDATE_BYTES: usize = 2 << 10;
/// What an event weighs in the log beyond its texts.
const EVENT_OVERHEAD: usize = 192;

/// Something that happened in a room, as those who are told of it see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody entered.
    Joined(Participant),
    /// Somebody's media or hand changed.
    Updated(Participant),
    /// Somebody is gone for good.
    Left(ParticipantId),
    /// Somebody sent something.
    Message {
        /// Who; written by the room, never by the sender.
        from: ParticipantId,
        /// What.
        message: Message,
    },
}

impl Event {
    /// Roughly the bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        EVENT_OVERHEAD
            + match self {
                Self::Joined(participant) | Self::Updated(participant) => {
                    participant.name.as_str().len()
                }
                Self::Left(_) => 0,
                Self::Message { message, .. } => message.weight(),
            }
    }
}

/// What participants relay to each other, which the room does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// An offer or answer.
    Description(SessionDescription),
    /// An ICE candidate.
    Candidate(IceCandidate),
}

impl Message {
    /// Refuses what is too large to relay.
    pub(crate) fn bounded(self) -> Result<Self, Refusal> {
        match &self {
            Self::Description(_) if self.weight() > MAX_SDP_BYTES => {
                Err(Refusal::TooLarge("description"))
            }
            Self::Candidate(_) if self.weight() > MAX_CANDIDATE_BYTES => {
                Err(Refusal::TooLarge("candidate"))
            }
            _ => Ok(self),
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Description(description) => description.sdp.len(),
            Self::Candidate(candidate) => {
                let texts = [&candidate.sdp_mid, &candidate.username_fragment];
                texts.into_iter().flatten().map(String::len).sum::<usize>()
                    + candidate.candidate.len()
            }
        }
    }
}

/// The event as the native protocol says it.
impl From<&Event> for ServerEvent {
    fn from(event: &Event) -> Self {
        match event {
            Event::Joined(participant) => Self::ParticipantJoined(participant.clone()),
            Event::Updated(participant) => Self::ParticipantUpdated(participant.clone()),
            Event::Left(id) => Self::ParticipantLeft(ParticipantLeft { id: id.clone() }),
            Event::Message { from, message } => {
                let from = from.clone();
                let (description, candidate) = match message.clone() {
                    Message::Description(description) => (Some(description), None),
                    Message::Candidate(candidate) => (None, Some(candidate)),
                };
                Self::Signal(SignalEvent { from, description, candidate })
            }
        }
    }
}
