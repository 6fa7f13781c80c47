//! What happens in a room, and what one participant sends another.

use crate::{
    chat::ChatText,
    opaque::Opaque,
    participant::Participant,
    protocol::{
        ChatEvent, HandoverEvent, IceCandidate, ParticipantId, ParticipantLeft, RefusedEvent,
        ServerEvent, SessionDescription, SignalEvent, Speaker, SpeakersEvent, SubscribedEvent,
        SubscribedTrack, Topology, TopologyChanged, WantedEvent,
    },
    request::Refusal,
};

/// The most bytes of an SDP.
pub const MAX_SDP_BYTES: usize = 64 << 10;
/// The most bytes of an SDP for the media server, which may have a section for each track of a
/// large room.
pub const MAX_SFU_SDP_BYTES: usize = 256 << 10;
/// The most bytes of an ICE candidate, all its texts together.
pub const MAX_CANDIDATE_BYTES: usize = 2 << 10;
/// The most bytes of what a dialect's client sends another, as JSON.
pub const MAX_FOREIGN_BYTES: usize = 128 << 10;
/// What an event weighs in the log beyond its texts.
const EVENT_OVERHEAD: usize = 192;

/// Something that happened in a room, as those who are told of it see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody entered.
    Joined(Participant),
    /// Somebody's media or hand changed.
    Updated(Participant),
    /// Somebody is gone for good; as it was last.
    Left(Participant),
    /// Somebody wrote to everybody.
    Chat {
        /// Who; written by the room, never by the sender.
        from: ParticipantId,
        /// What.
        text: ChatText,
        /// When it reached the server, in milliseconds since 1970 (UTC).
        at: u64,
    },
    /// Somebody, or the media server, sent something.
    Message {
        /// Who; written by the room, never by the sender.
        from: ParticipantId,
        /// What.
        message: Message,
    },
    /// Media travels otherwise from now on.
    Topology(Topology),
    /// Somebody receives whoever is told by this topology now.
    Handover {
        /// Who; written by the room, never by the sender.
        from: ParticipantId,
        /// By what.
        topology: Topology,
    },
    /// Who is on which receiving section of the told one's link to the media server.
    Subscribed(Vec<SubscribedTrack>),
    /// Which encodings of a video of the told one's anybody is to get.
    Wanted(WantedEvent),
    /// The media server did not do what the told one told it.
    Refused(RefusedEvent),
    /// Who is heard, the loudest first.
    Speakers(Vec<Speaker>),
}

impl Event {
    /// Roughly the bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        EVENT_OVERHEAD
            + match self {
                Self::Joined(participant)
                | Self::Updated(participant)
                | Self::Left(participant) => {
                    participant.name.as_str().len()
                        + participant.card.as_ref().map_or(0, Opaque::weight)
                }
                Self::Chat { text, .. } => text.as_str().len(),
                Self::Message { message, .. } => message.weight(),
                Self::Topology(_) | Self::Handover { .. } => 0,
                Self::Subscribed(tracks) => {
                    let texts = |track: &SubscribedTrack| {
                        track.mid.len() + track.participant.as_str().len()
                    };
                    tracks.iter().map(|track| size_of::<SubscribedTrack>() + texts(track)).sum()
                }
                Self::Wanted(wanted) => wanted.rids.iter().map(String::len).sum(),
                Self::Refused(refused) => refused.error.message.len(),
                Self::Speakers(speakers) => speakers.len() * size_of::<Speaker>(),
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
    /// What a client of a dialect says.
    Foreign(Foreign),
}

/// What a client of a [dialect](crate::dialect) says to its fellows, under the name by which they
/// hear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The event that they are told.
    pub event: &'static str,
    /// Its argument, if it has one.
    pub payload: Option<Opaque>,
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
            Self::Foreign(_) if self.weight() > MAX_FOREIGN_BYTES => {
                Err(Refusal::TooLarge("payload"))
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
            Self::Foreign(foreign) => foreign.payload.as_ref().map_or(0, Opaque::weight),
        }
    }
}

impl Event {
    /// The event as the native protocol says it; none if only a dialect can.
    pub fn natively(&self) -> Option<ServerEvent> {
        Some(match self {
            Self::Joined(participant) => ServerEvent::ParticipantJoined(participant.clone().into()),
            Self::Updated(participant) => {
                ServerEvent::ParticipantUpdated(participant.clone().into())
            }
            Self::Left(Participant { id, .. }) => {
                ServerEvent::ParticipantLeft(ParticipantLeft { id: id.clone() })
            }
            Self::Chat { from, text, at } => {
                ServerEvent::Chat(ChatEvent { from: from.clone(), text: text.clone(), at: *at })
            }
            Self::Message { from, message } => {
                let from = from.clone();
                let (description, candidate) = match message.clone() {
                    Message::Description(description) => (Some(description), None),
                    Message::Candidate(candidate) => (None, Some(candidate)),
                    Message::Foreign(_) => return None,
                };
                ServerEvent::Signal(SignalEvent { from, description, candidate })
            }
            Self::Topology(topology) => {
                ServerEvent::Topology(TopologyChanged { topology: *topology })
            }
            Self::Handover { from, topology } => {
                ServerEvent::Handover(HandoverEvent { from: from.clone(), topology: *topology })
            }
            Self::Subscribed(tracks) => {
                ServerEvent::Subscribed(SubscribedEvent { tracks: tracks.clone() })
            }
            Self::Wanted(wanted) => ServerEvent::Wanted(wanted.clone()),
            Self::Refused(refused) => ServerEvent::Refused(refused.clone()),
            Self::Speakers(speakers) => {
                ServerEvent::Speakers(SpeakersEvent { speakers: speakers.clone() })
            }
        })
    }
}
