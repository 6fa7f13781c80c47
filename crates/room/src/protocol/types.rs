//! Types shared by requests and events.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::chat::ChatText;
use crate::{
    file::{FileId, FileName, FileSize},
    name::{DisplayName, RoomName},
    rights::Role,
};

/// Id of the media server in place of a participant's; participant ids are longer.
const SFU: &str = "sfu";
/// Id of the server's operator, who acts by the API.
const OPERATOR: &str = "operator";

macro_rules! token {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(pub(crate) String);

        impl $name {
            /// The token on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

token! {
    /// Identifies a participant while it is in its room, across reconnects.
    #[derive(Debug)]
    ParticipantId
}
token! {
    /// Identifies an invitation in its room. Nobody enters with it.
    #[derive(Debug)]
    InvitationId
}
token! {
    /// Restores a participant after its socket dropped. `Debug` hides it.
    ResumeToken
}

impl ParticipantId {
    /// Id of the media server.
    pub fn sfu() -> Self {
        Self(SFU.to_owned())
    }

    /// Id of the server's operator.
    pub fn operator() -> Self {
        Self(OPERATOR.to_owned())
    }

    /// Returns whether this is the id of no participant.
    pub fn is_reserved(&self) -> bool {
        self.is_sfu() || self.0 == OPERATOR
    }

    /// Returns whether this is the media server.
    pub fn is_sfu(&self) -> bool {
        self.0 == SFU
    }
}

impl std::fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeToken(…)")
    }
}

/// Media that a participant sends, and its raised hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct MediaState {
    /// The microphone is on.
    pub mic: bool,
    /// The camera is on.
    pub camera: bool,
    /// A screen is shared.
    pub screen: bool,
    /// The hand is raised.
    pub hand: bool,
    /// Sources that are on but muted by the operating system; absent if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Interrupted>,
}

/// Sources muted by the operating system: by a phone call, another program, or a hardware switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Interrupted {
    /// The microphone is silent.
    pub mic: bool,
    /// The camera is black or frozen.
    pub camera: bool,
}

/// A participant, as the others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Participant {
    /// Unique in the room.
    pub id: ParticipantId,
    /// Display name; not unique.
    pub name: DisplayName,
    /// Media state.
    pub media: MediaState,
    /// The participant does not use the media server: others connect to it peer to peer, whatever
    /// the topology.
    pub direct: bool,
    /// Number among participants with confusable names, from 2 on; absent for the first. Constant
    /// until the participant leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub alike: Option<u32>,
    /// The media server has received no media from it for some seconds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub interrupted: bool,
    /// Role; absent in a room without hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub role: Option<Role>,
    /// Sources muted by a host, until the participant turns them on again; absent if none. Nobody
    /// is to play them, whatever arrives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<TrackSource>>"))]
    pub muted: Vec<TrackSource>,
    /// Sources that its token withholds, whatever its role; absent if none. Nobody is to play them,
    /// whatever arrives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<TrackSource>>"))]
    pub withheld: Vec<TrackSource>,
    /// It receives no media: its token or the server's operator withholds the right. Nobody need
    /// send it any.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub unsubscribed: bool,
    /// Ascending in the order in which hands were raised; absent if the hand is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub raised: Option<u64>,
}

/// Topology of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// Each participant sends to every other one.
    Mesh,
    /// Each participant sends once, to the media server.
    Sfu,
}

/// Topology setting of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum TopologyChoice {
    /// Automatic, by the number of participants.
    #[default]
    Auto,
    /// Always a mesh.
    Mesh,
    /// Always the media server.
    Sfu,
}

/// Source of a track; a participant has at most one track per source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TrackSource {
    /// Microphone.
    Microphone,
    /// Camera.
    Camera,
    /// Shared screen or window.
    Screen,
    /// Audio of the shared screen.
    ScreenAudio,
}

impl TrackSource {
    /// Number of sources.
    pub const COUNT: usize = Self::ALL.len();
    /// All sources.
    pub const ALL: [Self; 4] = [Self::Microphone, Self::Camera, Self::Screen, Self::ScreenAudio];
}

/// A sending section of the link to the media server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PublishedTrack {
    /// The media section's `mid`.
    pub mid: String,
    /// Source of its track.
    pub source: TrackSource,
}

/// Display size of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct WantedTrack {
    /// The publisher.
    pub participant: ParticipantId,
    /// The track's source.
    pub source: TrackSource,
    /// Displayed width in device pixels; 0 if hidden.
    pub width: u32,
    /// Displayed height in device pixels; 0 if hidden.
    pub height: u32,
}

/// A receiving section of the link to the media server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
pub struct SubscribedTrack {
    /// The media section's `mid`.
    pub mid: String,
    /// The publisher of its track.
    pub participant: ParticipantId,
    /// The track's source.
    pub source: TrackSource,
    /// Reason for which no media is received, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
}

/// Reason for which no media of a track is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// The publisher sends a codec that the subscriber did not negotiate.
    Codec,
}

/// An active speaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Speaker {
    /// The participant.
    pub participant: ParticipantId,
    /// Audio level in decibels above silence, 0 to 127 (127 minus the level of RFC 6464).
    pub level: u8,
}

/// One row of the room list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomSummary {
    /// The room's name and address.
    pub name: RoomName,
    /// Number of participants, including reconnecting ones.
    pub participants: u32,
    /// Maximum number of participants.
    pub capacity: u32,
    /// Joining requires a password.
    pub locked: bool,
    /// Dialect of its clients, if not the native protocol. Such a room can't be joined natively and
    /// may share its name with a native room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub dialect: Option<Cow<'static, str>>,
    /// The room is not in the public list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub unlisted: bool,
}

/// A file that the sender of a chat message offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SharedFile {
    /// Random id, which the recipients name to receive the file.
    pub id: FileId,
    /// Name, without a folder.
    pub name: FileName,
    /// Size in bytes.
    pub size: FileSize,
}

/// A chat message of a room, for newcomers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ChatMessage {
    /// The sender, who may have left.
    pub from: ParticipantId,
    /// The sender's name.
    pub name: DisplayName,
    /// The text.
    pub text: ChatText,
    /// Time of arrival at the server, in milliseconds since 1970 (UTC).
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    /// The file that is offered; absent of a message of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub file: Option<SharedFile>,
}

/// The `RTCIceServer` dictionary (W3C WebRTC §4.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// TURN username: `expiry:participant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub username: Option<String>,
    /// TURN password: base64 of the HMAC of the username.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub credential: Option<String>,
}

/// STUN and TURN servers of this server, with a temporary credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    /// For `RTCConfiguration.iceServers`.
    pub ice_servers: Vec<IceServer>,
}

/// `RTCSessionDescriptionInit` without the types that are never signaled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SessionDescription {
    /// Offer or answer.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The SDP, which the server relays unread between participants.
    pub sdp: String,
}

/// Types of signaled descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// An offer.
    Offer,
    /// A final answer.
    Answer,
    /// A provisional answer.
    Pranswer,
}

/// `RTCIceCandidateInit`, as returned by `RTCIceCandidate.toJSON()`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// The candidate attribute; empty for end-of-candidates.
    pub candidate: String,
    /// The media section's `mid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The media section's index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE username fragment of the candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}
