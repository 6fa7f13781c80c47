//! Replies of the server, inside `{ok: …}`.

use serde::{Deserialize, Serialize};

use super::{
    hosting::{Policy, Waiting},
    polling::Poll,
    types::{
        ChatMessage, IceServer, Participant, ParticipantId, ResumeToken, RoomSummary, Topology,
    },
};

/// Reply to `room:list`; also sent as event `room:list` on change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
pub struct RoomList {
    /// Rooms with the most participants first, bounded in number.
    pub rooms: Vec<RoomSummary>,
    /// Names of the server's templates for `room:create`, in the reply alone; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<String>>,
}

/// Reply to `room:create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomCreated {
    /// The created room.
    pub room: RoomSummary,
}

/// Reply to `room:check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomChecked {
    /// A join without the password would be rejected as `password_required`. False also for a room
    /// that does not exist.
    pub locked: bool,
}

/// Reply to `room:join`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// The participant itself.
    #[serde(rename = "self")]
    pub me: Participant,
    /// The room.
    pub room: RoomSummary,
    /// The other participants, in the order they joined.
    pub participants: Vec<Participant>,
    /// The current topology.
    pub topology: Topology,
    /// Rules; absent in a room without hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub policy: Option<Policy>,
    /// The waiting room, for those who may admit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Waiting>>"))]
    pub waiting: Vec<Waiting>,
    /// Participants in the spotlight; absent if none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<ParticipantId>>"))]
    pub spotlight: Vec<ParticipantId>,
    /// Text of the application that embeds the room; absent if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub metadata: String,
    /// The last messages of the room's chat; absent if none, and on resuming.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<ChatMessage>>"))]
    pub chat: Vec<ChatMessage>,
    /// Polls of the room, the oldest first; absent if none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Poll>>"))]
    pub polls: Vec<Poll>,
    /// For `RTCConfiguration.iceServers`.
    pub ice_servers: Vec<IceServer>,
    /// Token that restores this participant within [`resume_seconds`](Self::resume_seconds).
    pub resume: ResumeToken,
    /// Time for which a disconnected participant is kept, in seconds.
    pub resume_seconds: u32,
    /// Maximum size of a file in the chat, in bytes; 0 if there can be none. Servers that don't tell
    /// permit 2 GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub max_file_bytes: Option<u64>,
    /// Identifies the process of the server. If another one resumes a participant, it has none of
    /// its links to the media server.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub instance: String,
    /// An earlier participant was restored; its missed events follow this reply.
    pub resumed: bool,
    /// Number of the newest room event before this join; on resuming, the requested `last`.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub last: u64,
}
