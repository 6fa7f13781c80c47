//! Requests of clients. Each is acknowledged with its reply or an error.

use serde::{Deserialize, Serialize};

use super::{
    hosting::Policy,
    types::{
        IceCandidate, MediaState, ParticipantId, PublishedTrack, ResumeToken, SessionDescription,
        SharedFile, Topology, TopologyChoice, WantedTrack,
    },
};
use crate::{
    chat::ChatText,
    credential::Credential,
    device::DeviceSecret,
    name::{DisplayName, RoomName},
    password::Password,
    reaction::Reaction,
};

/// `room:list`: lists the rooms and subscribes the socket to changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct ListRooms {
    /// Token that permits it, on a server that does not list its rooms to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Credential>,
}

/// `room:create`: creates a room, which stays open for a while even if empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct CreateRoom {
    /// The room's name and address.
    pub name: RoomName,
    /// Maximum number of participants; the server's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Password required to join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Topology; the server's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<TopologyChoice>,
    /// Secret of the device, which joins as host. Without it, the socket that created the room
    /// does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceSecret>,
    /// Initial rules; everything allowed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Token that permits it, on a server where not everybody may create rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Credential>,
    /// The room is in the public list; so it is if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
    /// Name of one of the server's templates, for what is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

/// `room:check`: asks whether joining a room needs its password, without trying to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CheckRoom {
    /// The room, which need not be listed or exist.
    pub room: RoomName,
}

/// `room:join`: joins a room, which is created if needed, or restores a participant whose socket
/// dropped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct JoinRoom {
    /// The room to join.
    pub room: RoomName,
    /// Display name.
    pub name: DisplayName,
    /// Password of a locked room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Initial media state; all off if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaState>,
    /// The client can use the media server; otherwise others connect to it peer to peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sfu: Option<bool>,
    /// Token of an earlier join by a closed page. Its participant leaves and this one takes its
    /// place, even in a full room and without the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ResumeToken>,
    /// Random secret that the client keeps, by which a host returns as host after its resume
    /// expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceSecret>,
    /// Join token: who this is and what it may do. It stands in for the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Credential>,
    /// Key of an invitation, from its link. It stands in for the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Credential>,
    /// Token of the join to restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumeToken>,
    /// Number of the last received room event, so that none is missed on resuming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub last: Option<u64>,
    /// If this join opens the room: it is in the public list; so it is if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
}

/// `room:leave`: leaves the room for good.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LeaveRoom {}

/// `signal`: a description or a candidate for another participant or the media server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct SignalRequest {
    /// The recipient; `sfu` is the media server.
    pub to: ParticipantId,
    /// An offer or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SessionDescription>,
    /// An ICE candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<IceCandidate>,
}

/// `chat`: sends a chat message to all others in the room, or privately to one of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// The text.
    pub text: ChatText,
    /// The only recipient of a private message; all others if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ParticipantId>,
    /// Ascending serial number of the sender's messages. A message whose number is not above the
    /// previous one is a repetition and not sent again, so a client may retry after a lost reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub serial: Option<u64>,
    /// A file that is offered. The text is for clients that know nothing of files: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<SharedFile>,
}

/// `direct`: sets whether the others connect to this participant peer to peer, because it can't use
/// the media server.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct DirectRequest {
    /// The others connect peer to peer.
    pub direct: bool,
}

/// `publish`: sources of the sending sections of the next offer to the media server. Replaces
/// earlier requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// Sending sections; each `mid` and each source at most once.
    pub tracks: Vec<PublishedTrack>,
}

/// `subscribe`: display sizes of tracks. Replaces earlier requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SubscribeRequest {
    /// Each track at most once. Of tracks not listed, audio is sent in full and video in its lowest
    /// encoding.
    pub tracks: Vec<WantedTrack>,
}

/// `handover`: this participant receives another one's media by this topology, so that the other
/// may stop sending by the other topology.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct HandoverRequest {
    /// The participant whose media is received.
    pub to: ParticipantId,
    /// The topology.
    pub topology: Topology,
}

/// `reaction`: shows an emoji to all others for a moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ReactionRequest {
    /// The emoji.
    pub emoji: Reaction,
}
