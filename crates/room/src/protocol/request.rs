//! What a client asks. Each type names its event; each is acknowledged with its reply or an error.

use serde::{Deserialize, Serialize};

use super::{
    IceCandidate, MediaState, ParticipantId, PublishedTrack, ResumeToken, SessionDescription,
    Topology, TopologyChoice, WantedTrack,
};
use crate::{
    chat::ChatText,
    name::{DisplayName, RoomName},
    password::Password,
};

/// `room:list`: the rooms there are; asking also subscribes the socket to changes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ListRooms {}

/// `room:create`: makes a room, which stays open for a while even with nobody in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct CreateRoom {
    /// Its name and address.
    pub name: RoomName,
    /// How many it holds; the server's default otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// What joining takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Forces how media travels; the server's default otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<TopologyChoice>,
}

/// `room:join`: enters a room, which is made if there is none of that name, or restores a
/// participant whose socket dropped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct JoinRoom {
    /// The room to enter.
    pub room: RoomName,
    /// What the others will see.
    pub name: DisplayName,
    /// If the room takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// What the participant starts with; all off otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaState>,
    /// It can use the media server; others connect to it peer to peer otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sfu: Option<bool>,
    /// The token of an earlier join, by a page that is no more: its participant leaves, and this
    /// one takes its place, in a full room and without the password, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ResumeToken>,
    /// The token of the join to restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumeToken>,
    /// The number of the last room event seen, so that none is missed on resuming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub last: Option<u64>,
}

/// `room:leave`: leaves for good, at once.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LeaveRoom {}

/// `signal`: a description or a candidate for one other participant or for the media server;
/// exactly one of the two.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct SignalRequest {
    /// Who is to get it; `sfu` is the media server.
    pub to: ParticipantId,
    /// An offer or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SessionDescription>,
    /// An ICE candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<IceCandidate>,
}

/// `chat`: writes to all others in the room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// What.
    pub text: ChatText,
    /// Which of one's messages it is, rising: one whose number is not above the last one's came
    /// before and is not told again. So it can be sent again where its answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub serial: Option<u64>,
}

/// `direct`: whether the others are to connect to this participant peer to peer from now on,
/// since it cannot use the media server.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct DirectRequest {
    /// They are.
    pub direct: bool,
}

/// `publish`: what the sending sections of the next offer to the media server are; replaces what
/// was said before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// Each section and each source once.
    pub tracks: Vec<PublishedTrack>,
}

/// `subscribe`: how tracks are shown; replaces what was said before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SubscribeRequest {
    /// Each track once. Of others, audio is sent in any case, and video as small as it comes.
    pub tracks: Vec<WantedTrack>,
}

/// `handover`: this participant receives another one by this topology now, so that the other may
/// stop sending the other way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct HandoverRequest {
    /// Who is received.
    pub to: ParticipantId,
    /// By what.
    pub topology: Topology,
}
