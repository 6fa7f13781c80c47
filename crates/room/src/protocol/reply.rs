//! What the server answers, inside `{ok: …}`.

use serde::{Deserialize, Serialize};

use super::{IceServer, Participant, ResumeToken, RoomSummary, Topology};

/// Answers `room:list`; also pushed as `room:list` on change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomList {
    /// The fullest rooms first, bounded in number.
    pub rooms: Vec<RoomSummary>,
}

/// Answers `room:create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomCreated {
    /// The room as made.
    pub room: RoomSummary,
}

/// Answers `room:join`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// The participant that joined.
    #[serde(rename = "self")]
    pub me: Participant,
    /// The room joined.
    pub room: RoomSummary,
    /// The others, in the order they joined.
    pub participants: Vec<Participant>,
    /// How media travels just now.
    pub topology: Topology,
    /// For `RTCConfiguration.iceServers`.
    pub ice_servers: Vec<IceServer>,
    /// Restores this participant within [`resume_seconds`](Self::resume_seconds).
    pub resume: ResumeToken,
    /// How long a dropped participant is kept, in seconds.
    pub resume_seconds: u32,
    /// An earlier participant was restored; events it missed follow this answer.
    pub resumed: bool,
    /// The number of the newest room event before this join (on resuming: the `last` asked for).
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub last: u64,
}
