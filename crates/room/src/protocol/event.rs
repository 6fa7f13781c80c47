//! Events from the server. Room events carry a second argument: their number in the room, ascending
//! with gaps, which a client returns as `last` on resuming.

use serde::{Deserialize, Serialize};

use super::{
    error::ErrorBody,
    file::{FileSignalEvent, FileWithdrawnEvent},
    hosting::{
        DataEvent, DismissedEvent, HandLoweredEvent, MutedEvent, SettingsEvent, SpotlightEvent,
        UnmuteEvent, Waiting, WaitingLeft,
    },
    polling::{Poll, PollRemoved},
    reply::{Joined, RoomList},
    types::{
        IceCandidate, IceServers, Participant, ParticipantId, SessionDescription, SharedFile,
        Speaker, SubscribedTrack, Topology, TrackSource,
    },
};
use crate::{chat::ChatText, reaction::Reaction};

/// An event with its payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ServerEvent {
    /// `room:list`: the lobby changed. Not numbered.
    RoomList(RoomList),
    /// `participant:joined`: a participant joined.
    ParticipantJoined(Participant),
    /// `participant:updated`: a participant's state changed.
    ParticipantUpdated(Participant),
    /// `participant:left`: a participant left for good.
    ParticipantLeft(ParticipantLeft),
    /// `signal`: a description or candidate from another participant or the media server.
    Signal(SignalEvent),
    /// `topology`: the topology changed.
    Topology(TopologyChanged),
    /// `chat`: a chat message.
    Chat(ChatEvent),
    /// `file:signal`: a description, candidate or state of a transfer.
    FileSignal(FileSignalEvent),
    /// `file:withdrawn`: a file is no longer offered.
    FileWithdrawn(FileWithdrawnEvent),
    /// `handover`: another participant receives this one's media by a topology.
    Handover(HandoverEvent),
    /// `subscribed`: tracks of the receiving sections of the link to the media server.
    Subscribed(SubscribedEvent),
    /// `wanted`: encodings of this participant's video that have subscribers.
    Wanted(WantedEvent),
    /// `refused`: the media server rejected a message of this participant.
    Refused(RefusedEvent),
    /// `speakers`: the active speakers. Not numbered.
    Speakers(SpeakersEvent),
    /// `muted`: a host has muted this participant.
    Muted(MutedEvent),
    /// `unmute`: a host asks this participant to turn sources on.
    Unmute(UnmuteEvent),
    /// `hand_lowered`: a host has lowered this participant's hand.
    HandLowered(HandLoweredEvent),
    /// `room:settings`: the room's settings changed.
    Settings(SettingsEvent),
    /// `spotlight`: the participants shown large changed.
    Spotlight(SpotlightEvent),
    /// `reaction`: a participant's reaction. Not numbered.
    Reaction(ReactionEvent),
    /// `poll`: a poll was opened or closed, or somebody has voted. Not numbered.
    Poll(Poll),
    /// `poll:removed`: a poll was removed. Not numbered.
    PollRemoved(PollRemoved),
    /// `waiting:joined`: somebody is in the waiting room, for those who may admit. Not numbered.
    WaitingJoined(Waiting),
    /// `waiting:left`: somebody is no longer in the waiting room. Not numbered.
    WaitingLeft(WaitingLeft),
    /// `room:admitted`: this socket is admitted from the waiting room. Not numbered.
    Admitted(Box<Joined>),
    /// `room:dismissed`: this socket is no longer in the room or its waiting room. Not numbered.
    Dismissed(DismissedEvent),
    /// `data`: data from the application that embeds the room. Not numbered.
    Data(DataEvent),
    /// `ice:servers`: new credentials, well before the old ones expire. Not numbered.
    IceServers(IceServers),
    /// `server:draining`: the server shuts down; peer-to-peer calls continue. Not numbered.
    ServerDraining(ServerDraining),
    /// `server:restarting`: another process of this server takes over within a second; reconnect
    /// and resume. Not numbered.
    ServerRestarting(ServerRestarting),
}

impl ServerEvent {
    /// The Socket.IO event name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RoomList(_) => "room:list",
            Self::ParticipantJoined(_) => "participant:joined",
            Self::ParticipantUpdated(_) => "participant:updated",
            Self::ParticipantLeft(_) => "participant:left",
            Self::Signal(_) => "signal",
            Self::Topology(_) => "topology",
            Self::Chat(_) => "chat",
            Self::FileSignal(_) => "file:signal",
            Self::FileWithdrawn(_) => "file:withdrawn",
            Self::Handover(_) => "handover",
            Self::Subscribed(_) => "subscribed",
            Self::Wanted(_) => "wanted",
            Self::Refused(_) => "refused",
            Self::Speakers(_) => "speakers",
            Self::Muted(_) => "muted",
            Self::Unmute(_) => "unmute",
            Self::HandLowered(_) => "hand_lowered",
            Self::Settings(_) => "room:settings",
            Self::Spotlight(_) => "spotlight",
            Self::Reaction(_) => "reaction",
            Self::Poll(_) => "poll",
            Self::PollRemoved(_) => "poll:removed",
            Self::WaitingJoined(_) => "waiting:joined",
            Self::WaitingLeft(_) => "waiting:left",
            Self::Admitted(_) => "room:admitted",
            Self::Dismissed(_) => "room:dismissed",
            Self::Data(_) => "data",
            Self::IceServers(_) => "ice:servers",
            Self::ServerDraining(_) => "server:draining",
            Self::ServerRestarting(_) => "server:restarting",
        }
    }
}

/// Payload of `participant:left`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ParticipantLeft {
    /// The participant that left.
    pub id: ParticipantId,
}

/// Payload of `topology`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TopologyChanged {
    /// The new topology.
    pub topology: Topology,
}

/// Payload of `chat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ChatEvent {
    /// The sender, set by the server.
    pub from: ParticipantId,
    /// The text.
    pub text: ChatText,
    /// Time of arrival at the server, in milliseconds since 1970 (UTC).
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    /// Nobody else received it; absent of a message to all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub private: bool,
    /// The file that is offered; absent of a message of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub file: Option<SharedFile>,
}

/// Payload of `reaction`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ReactionEvent {
    /// The sender, set by the server.
    pub from: ParticipantId,
    /// The emoji.
    pub emoji: Reaction,
}

/// Payload of `handover`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HandoverEvent {
    /// The receiving participant, set by the server.
    pub from: ParticipantId,
    /// The topology by which it receives this participant's media.
    pub topology: Topology,
}

/// Payload of `subscribed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SubscribedEvent {
    /// All sections in use. A section may carry another track later.
    pub tracks: Vec<SubscribedTrack>,
}

/// Payload of `wanted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WantedEvent {
    /// The video's source.
    pub source: TrackSource,
    /// The video is shown by at least one participant.
    pub shown: bool,
    /// The wanted simulcast encodings, lowest first; empty without simulcast.
    pub rids: Vec<String>,
}

/// Payload of `refused`. The media server's state is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RefusedEvent {
    /// The rejected message.
    pub what: SfuRequestKind,
    /// The reason.
    pub error: ErrorBody,
}

/// Kind of a message to the media server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SfuRequestKind {
    /// A `signal` with an offer.
    Offer,
    /// A `signal` with an answer to the media server's offer.
    Answer,
    /// `publish`.
    Publish,
    /// `subscribe`.
    Subscribe,
}

/// Payload of `speakers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SpeakersEvent {
    /// Loudest first.
    pub speakers: Vec<Speaker>,
}

/// Payload of `server:draining`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ServerDraining {}

/// Payload of `server:restarting`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ServerRestarting {}

/// Payload of `signal`: either a description or a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
pub struct SignalEvent {
    /// The sender, set by the server. `sfu` is the media server.
    pub from: ParticipantId,
    /// An offer or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SessionDescription>,
    /// An ICE candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<IceCandidate>,
}
