//! Events of a room and messages between participants.

use crate::{
    chat::ChatText,
    file::FileId,
    opaque::Opaque,
    participant::Participant,
    protocol::{
        ChatEvent, DataEvent, FileSignalEvent, FileState, FileWithdrawnEvent, HandLoweredEvent,
        HandoverEvent, IceCandidate, MutedEvent, ParticipantId, ParticipantLeft, Poll, PollId,
        PollOption, PollRemoved, ReactionEvent, RefusedEvent, ServerEvent, SessionDescription,
        SettingsEvent, SharedFile, SignalEvent, Speaker, SpeakersEvent, SpotlightEvent,
        SubscribedEvent, SubscribedTrack, Topology, TopologyChanged, UnmuteEvent, Waiting,
        WaitingLeft, WantedEvent,
    },
    reaction::Reaction,
    rejection::Rejection,
    rights::{MediaRights, Sources},
    sdp::restricted,
};

/// Maximum size of an SDP, in bytes.
pub const MAX_SDP_BYTES: usize = 64 << 10;
/// Maximum size of an SDP for the media server, in bytes. It may have a section for each track of
/// a large room.
pub const MAX_SFU_SDP_BYTES: usize = 256 << 10;
/// Maximum size of an ICE candidate, all its strings together, in bytes.
pub const MAX_CANDIDATE_BYTES: usize = 2 << 10;
/// Maximum size of a dialect's relayed payload as JSON, in bytes.
pub const MAX_FOREIGN_BYTES: usize = 128 << 10;
/// Approximate size of a logged event beyond its strings, in bytes.
const EVENT_OVERHEAD_BYTES: usize = 192;

/// An event of a room, as its recipients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A participant joined.
    Joined(Participant),
    /// A participant's media state changed.
    Updated(Participant),
    /// A participant left; with its last state.
    Left(Participant),
    /// A chat message.
    Chat {
        /// The sender, set by the room.
        from: ParticipantId,
        /// The text.
        text: ChatText,
        /// Time of arrival at the server, in milliseconds since 1970 (UTC).
        at: u64,
        /// The recipient is the only one.
        private: bool,
        /// The file that is offered.
        file: Option<SharedFile>,
    },
    /// A message from a participant or the media server.
    Message {
        /// The sender, set by the room.
        from: ParticipantId,
        /// The message.
        message: Message,
    },
    /// The signaling of a file's transfer.
    FileSignal {
        /// The sender, set by the room.
        from: ParticipantId,
        /// The file.
        file: FileId,
        /// Number of the attempt.
        attempt: u32,
        /// The message.
        message: FileMessage,
    },
    /// A file is no longer offered.
    FileWithdrawn {
        /// The sender of the file, set by the room.
        from: ParticipantId,
        /// The file.
        file: FileId,
    },
    /// The topology changed.
    Topology(Topology),
    /// A participant receives the recipient's media by this topology.
    Handover {
        /// The sender, set by the room.
        from: ParticipantId,
        /// The topology.
        topology: Topology,
    },
    /// Tracks of the receiving sections of the recipient's link to the media server.
    Subscribed(Vec<SubscribedTrack>),
    /// Encodings of the recipient's video that have subscribers.
    Wanted(WantedEvent),
    /// The media server rejected a message of the recipient.
    Refused(RefusedEvent),
    /// Active speakers, loudest first.
    Speakers(Vec<Speaker>),
    /// A host has muted the recipient.
    Muted {
        /// The host.
        by: ParticipantId,
        /// The sources.
        sources: Sources,
    },
    /// A host asks the recipient to turn sources on.
    Unmute {
        /// The host.
        by: ParticipantId,
        /// The sources.
        sources: Sources,
    },
    /// A host has lowered the recipient's hand.
    HandLowered {
        /// The host.
        by: ParticipantId,
    },
    /// The room's settings changed.
    Settings(SettingsEvent),
    /// The participants in the spotlight changed.
    Spotlight(Vec<ParticipantId>),
    /// A reaction.
    Reaction {
        /// The sender, set by the room.
        from: ParticipantId,
        /// The emoji.
        emoji: Reaction,
    },
    /// A poll was opened or closed, or its result changed.
    Poll(Poll),
    /// A poll was removed.
    PollRemoved(PollId),
    /// Data from the application that embeds the room.
    Data(DataEvent),
    /// Somebody is in the waiting room.
    WaitingJoined(Waiting),
    /// Somebody is no longer in the waiting room.
    WaitingLeft(ParticipantId),
}

impl Event {
    /// Approximate size in bytes.
    pub(crate) fn byte_size(&self) -> usize {
        EVENT_OVERHEAD_BYTES
            + match self {
                Self::Joined(participant)
                | Self::Updated(participant)
                | Self::Left(participant) => {
                    participant.name.as_str().len()
                        + participant.profile.as_ref().map_or(0, Opaque::byte_size)
                }
                Self::Chat { text, file, .. } => {
                    text.as_str().len() + file.as_ref().map_or(0, file_size)
                }
                Self::FileSignal { file, message, .. } => file.as_str().len() + message.byte_size(),
                Self::FileWithdrawn { file, .. } => file.as_str().len(),
                Self::Message { message, .. } => message.byte_size(),
                Self::Topology(_)
                | Self::Handover { .. }
                | Self::Muted { .. }
                | Self::Unmute { .. }
                | Self::HandLowered { .. }
                | Self::PollRemoved(_)
                | Self::WaitingLeft(_) => 0,
                Self::Settings(settings) => {
                    settings.room.name.as_str().len() + settings.metadata.len()
                }
                Self::Spotlight(ids) => ids.iter().map(|id| id.as_str().len()).sum(),
                Self::Reaction { emoji, .. } => emoji.as_str().len(),
                Self::Poll(poll) => {
                    let names = |option: &PollOption| {
                        option.names.iter().map(|name| name.as_str().len()).sum::<usize>()
                    };
                    let option = |option: &PollOption| option.text.as_str().len() + names(option);
                    poll.question.as_str().len() + poll.options.iter().map(option).sum::<usize>()
                }
                Self::Data(data) => data.data.len() + data.topic.len(),
                Self::WaitingJoined(waiting) => waiting.name.as_str().len(),
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

/// Size of an offer in bytes.
pub(crate) fn file_size(file: &SharedFile) -> usize {
    file.id.as_str().len() + file.name.as_str().len()
}

/// A message about a file's transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileMessage {
    /// A description or candidate.
    Signal(Message),
    /// A state.
    State(FileState),
}

impl FileMessage {
    fn byte_size(&self) -> usize {
        match self {
            Self::Signal(message) => message.byte_size(),
            Self::State(_) => 0,
        }
    }
}

/// A message between participants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// An offer or answer.
    Description(SessionDescription),
    /// An ICE candidate.
    Candidate(IceCandidate),
    /// A message of a dialect client.
    Foreign(Foreign),
}

/// A message of a [dialect](crate::dialect) client and the event that carries it to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Name of the event that the recipients receive.
    pub event: &'static str,
    /// The event's argument.
    pub payload: Option<Opaque>,
}

impl Message {
    /// Rejects a message that is too large to relay.
    pub(crate) fn bounded(self) -> Result<Self, Rejection> {
        match &self {
            Self::Description(_) if self.byte_size() > MAX_SDP_BYTES => {
                Err(Rejection::TooLarge("description"))
            }
            Self::Candidate(_) if self.byte_size() > MAX_CANDIDATE_BYTES => {
                Err(Rejection::TooLarge("candidate"))
            }
            Self::Foreign(_) if self.byte_size() > MAX_FOREIGN_BYTES => {
                Err(Rejection::TooLarge("payload"))
            }
            _ => Ok(self),
        }
    }

    /// The message within the sender's rights. Only the descriptions of who lacks one are read.
    pub(crate) fn restricted_to(self, rights: MediaRights) -> Result<Self, Rejection> {
        match self {
            Self::Description(SessionDescription { kind, sdp }) if rights != MediaRights::ALL => {
                let sdp = restricted(&sdp, rights)?;
                Ok(Self::Description(SessionDescription { kind, sdp }))
            }
            message => Ok(message),
        }
    }

    fn byte_size(&self) -> usize {
        match self {
            Self::Description(description) => description.sdp.len(),
            Self::Candidate(candidate) => {
                let texts = [&candidate.sdp_mid, &candidate.username_fragment];
                texts.into_iter().flatten().map(String::len).sum::<usize>()
                    + candidate.candidate.len()
            }
            Self::Foreign(foreign) => foreign.payload.as_ref().map_or(0, Opaque::byte_size),
        }
    }
}

impl Event {
    /// True for what the media server says about the recipient's link, and about no later one.
    pub fn is_of_link(&self) -> bool {
        match self {
            Self::Message { from, .. } => *from == ParticipantId::sfu(),
            Self::Subscribed(_) | Self::Wanted(_) => true,
            _ => false,
        }
    }

    /// Converts to an event of the native protocol; `None` for a dialect's message.
    pub fn to_native(&self) -> Option<ServerEvent> {
        Some(match self {
            Self::Joined(participant) => ServerEvent::ParticipantJoined(participant.clone().into()),
            Self::Updated(participant) => {
                ServerEvent::ParticipantUpdated(participant.clone().into())
            }
            Self::Left(Participant { id, .. }) => {
                ServerEvent::ParticipantLeft(ParticipantLeft { id: id.clone() })
            }
            Self::Chat { from, text, at, private, file } => ServerEvent::Chat(ChatEvent {
                from: from.clone(),
                text: text.clone(),
                at: *at,
                private: *private,
                file: file.clone(),
            }),
            Self::FileSignal { from, file, attempt, message } => {
                let (description, candidate, state) = match message.clone() {
                    FileMessage::Signal(Message::Description(it)) => (Some(it), None, None),
                    FileMessage::Signal(Message::Candidate(it)) => (None, Some(it), None),
                    FileMessage::Signal(Message::Foreign(_)) => return None,
                    FileMessage::State(state) => (None, None, Some(state)),
                };
                ServerEvent::FileSignal(FileSignalEvent {
                    from: from.clone(),
                    file: file.clone(),
                    attempt: *attempt,
                    description,
                    candidate,
                    state,
                })
            }
            Self::FileWithdrawn { from, file } => {
                let (from, file) = (from.clone(), file.clone());
                ServerEvent::FileWithdrawn(FileWithdrawnEvent { from, file })
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
            Self::Muted { by, sources } => {
                let sources = sources.iter().collect();
                ServerEvent::Muted(MutedEvent { by: by.clone(), sources })
            }
            Self::Unmute { by, sources } => {
                let sources = sources.iter().collect();
                ServerEvent::Unmute(UnmuteEvent { by: by.clone(), sources })
            }
            Self::HandLowered { by } => {
                ServerEvent::HandLowered(HandLoweredEvent { by: by.clone() })
            }
            Self::Settings(settings) => ServerEvent::Settings(settings.clone()),
            Self::Spotlight(ids) => {
                ServerEvent::Spotlight(SpotlightEvent { participants: ids.clone() })
            }
            Self::Reaction { from, emoji } => {
                ServerEvent::Reaction(ReactionEvent { from: from.clone(), emoji: emoji.clone() })
            }
            Self::Poll(poll) => ServerEvent::Poll(poll.clone()),
            Self::PollRemoved(poll) => ServerEvent::PollRemoved(PollRemoved { poll: *poll }),
            Self::Data(data) => ServerEvent::Data(data.clone()),
            Self::WaitingJoined(waiting) => ServerEvent::WaitingJoined(waiting.clone()),
            Self::WaitingLeft(id) => ServerEvent::WaitingLeft(WaitingLeft { id: id.clone() }),
        })
    }
}
