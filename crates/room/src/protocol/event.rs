//! What the server says unasked. Each event of a room is emitted with a second argument: its
//! number in the room, rising but with gaps, which a client gives back as `last` on resuming.

use serde::{Deserialize, Serialize};

use crate::chat::ChatText;

use super::{
    ErrorBody, IceCandidate, IceServers, Participant, ParticipantId, RoomList, SessionDescription,
    Speaker, SubscribedTrack, Topology, TrackSource,
};

/// An event's name and payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ServerEvent {
    /// `room:list`: the lobby changed. Not numbered.
    RoomList(RoomList),
    /// `participant:joined`: somebody entered.
    ParticipantJoined(Participant),
    /// `participant:updated`: somebody's media or hand changed.
    ParticipantUpdated(Participant),
    /// `participant:left`: somebody is gone for good.
    ParticipantLeft(ParticipantLeft),
    /// `signal`: a description or candidate from another participant or the media server.
    Signal(SignalEvent),
    /// `topology`: how media travels from now on.
    Topology(TopologyChanged),
    /// `chat`: somebody writes.
    Chat(ChatEvent),
    /// `handover`: somebody receives this participant by a topology now.
    Handover(HandoverEvent),
    /// `subscribed`: who is on which receiving section of the link to the media server.
    Subscribed(SubscribedEvent),
    /// `wanted`: which encodings of a video of this participant's anybody is to get.
    Wanted(WantedEvent),
    /// `refused`: the media server did not do what this participant told it.
    Refused(RefusedEvent),
    /// `speakers`: who is heard just now. Not numbered.
    Speakers(SpeakersEvent),
    /// `ice:servers`: fresh credentials, well before the old ones expire. Not numbered.
    IceServers(IceServers),
    /// `server:draining`: the server is going away; calls between peers go on. Not numbered.
    ServerDraining(ServerDraining),
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
            Self::Handover(_) => "handover",
            Self::Subscribed(_) => "subscribed",
            Self::Wanted(_) => "wanted",
            Self::Refused(_) => "refused",
            Self::Speakers(_) => "speakers",
            Self::IceServers(_) => "ice:servers",
            Self::ServerDraining(_) => "server:draining",
        }
    }
}

/// Payload of `participant:left`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ParticipantLeft {
    /// Who left.
    pub id: ParticipantId,
}

/// Payload of `topology`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TopologyChanged {
    /// The topology from now on.
    pub topology: Topology,
}

/// Payload of `chat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ChatEvent {
    /// Who wrote it; written by the server.
    pub from: ParticipantId,
    /// What.
    pub text: ChatText,
    /// When it reached the server, in milliseconds since 1970 (UTC).
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
}

/// Payload of `handover`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HandoverEvent {
    /// Who says so; written by the server.
    pub from: ParticipantId,
    /// By what it receives this participant.
    pub topology: Topology,
}

/// Payload of `subscribed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SubscribedEvent {
    /// All sections in use. A section may carry somebody else later.
    pub tracks: Vec<SubscribedTrack>,
}

/// Payload of `wanted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WantedEvent {
    /// Which of this participant's videos.
    pub source: TrackSource,
    /// It is shown anywhere at all.
    pub shown: bool,
    /// The wanted encodings of a simulcast, the smallest first; of one without, none.
    pub rids: Vec<String>,
}

/// Payload of `refused`. Nothing has changed at the media server then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RefusedEvent {
    /// What was refused.
    pub what: ToldSfu,
    /// Why.
    pub error: ErrorBody,
}

/// What the media server was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ToldSfu {
    /// A `signal` with an offer.
    Offer,
    /// A `signal` with the answer to an offer of its.
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
    /// The loudest first.
    pub speakers: Vec<Speaker>,
}

/// Payload of `server:draining`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ServerDraining {}

/// Payload of `signal`; exactly one of description and candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
pub struct SignalEvent {
    /// Who sent it; written by the server. `sfu` is the media server.
    pub from: ParticipantId,
    /// An offer or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SessionDescription>,
    /// An ICE candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<IceCandidate>,
}
