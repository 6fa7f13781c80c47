//! The nouns both sides share.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::name::{DisplayName, RoomName};

/// The media server's name where a participant's id would stand; no participant's id is as short.
const SFU: &str = "sfu";

macro_rules! token {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(pub(crate) String);

        impl $name {
            /// The token as it travels.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

token! {
    /// Names a participant for as long as it is in its room, across reconnects.
    #[derive(Debug)]
    ParticipantId
}
token! {
    /// Restores a participant after its socket dropped. A secret, so it has no `Debug` text.
    ResumeToken
}

impl ParticipantId {
    /// The media server, as the other end of a link.
    pub fn sfu() -> Self {
        Self(SFU.to_owned())
    }

    /// Whether it is the media server.
    pub fn is_sfu(&self) -> bool {
        self.0 == SFU
    }
}

impl std::fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeToken(…)")
    }
}

/// What a participant sends just now, and whether its hand is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// On, but muted by the participant's system for a while; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Interrupted>,
}

/// Sources that the system of their participant mutes: a phone call, another program, a switch on
/// the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Interrupted {
    /// The microphone is silent.
    pub mic: bool,
    /// The camera is black or frozen.
    pub camera: bool,
}

/// Someone in a room, as the others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Participant {
    /// Unique in the room.
    pub id: ParticipantId,
    /// As typed by the participant; not unique.
    pub name: DisplayName,
    /// What it sends.
    pub media: MediaState,
    /// It cannot, or will not, use the media server: others connect to it peer to peer, whatever
    /// the topology.
    pub direct: bool,
    /// Its name looks like that of another participant who came earlier: its place among them,
    /// from 2 on. It stays for as long as the participant does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub alike: Option<u32>,
    /// The media server has received nothing from it for some seconds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub interrupted: bool,
}

/// How media travels in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// Each participant sends to each other one.
    Mesh,
    /// Each participant sends once, to the media server.
    Sfu,
}

/// Who decides how media travels in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum TopologyChoice {
    /// The room itself, by how many are in it.
    #[default]
    Auto,
    /// It is a mesh, however many come.
    Mesh,
    /// It goes by the media server, however few there are.
    Sfu,
}

/// What a track shows; a participant has one track of each at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TrackSource {
    /// A voice.
    Microphone,
    /// A face.
    Camera,
    /// A shared screen or window.
    Screen,
    /// What the shared screen sounds like.
    ScreenAudio,
}

impl TrackSource {
    /// How many there are.
    pub const COUNT: usize = 4;
}

/// A sending section of the link to the media server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PublishedTrack {
    /// The media section's `mid`.
    pub mid: String,
    /// What is sent on it.
    pub source: TrackSource,
}

/// How somebody's track is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct WantedTrack {
    /// Whose track.
    pub participant: ParticipantId,
    /// Which of theirs.
    pub source: TrackSource,
    /// How wide it is shown, in device pixels; 0 where it is not.
    pub width: u32,
    /// How high it is shown, in device pixels; 0 where it is not.
    pub height: u32,
}

/// A receiving section of the link to the media server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
pub struct SubscribedTrack {
    /// The media section's `mid`.
    pub mid: String,
    /// Whose track is on it.
    pub participant: ParticipantId,
    /// Which of theirs.
    pub source: TrackSource,
    /// Why nothing of it comes, if that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
}

/// The reason for which nothing of a track comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// Its publisher sends a format that the browser did not agree to.
    Codec,
}

/// Somebody who is heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Speaker {
    /// Who.
    pub participant: ParticipantId,
    /// How loud: decibels above silence, 0 to 127 (127 less the level of RFC 6464).
    pub level: u8,
}

/// One row of the room list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomSummary {
    /// The room's name and address.
    pub name: RoomName,
    /// How many are in it, those reconnecting included.
    pub participants: u32,
    /// How many it holds.
    pub capacity: u32,
    /// Joining takes a password.
    pub locked: bool,
    /// Whose clients meet there, if it is not the native protocol's; it can't be joined then, and
    /// may bear the name of a room that can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub dialect: Option<Cow<'static, str>>,
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

/// Our STUN and TURN servers, with a credential that expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    /// For `RTCConfiguration.iceServers`.
    pub ice_servers: Vec<IceServer>,
}

/// `RTCSessionDescriptionInit` without the types that never travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SessionDescription {
    /// Offer or answer.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The SDP, which the server relays unread between participants.
    pub sdp: String,
}

/// The kinds of description that are signaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// A proposal.
    Offer,
    /// Its final answer.
    Answer,
    /// A provisional answer.
    Pranswer,
}

/// `RTCIceCandidateInit`, as `RTCIceCandidate.toJSON()` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// The candidate attribute; empty at the end of candidates.
    pub candidate: String,
    /// The media section's `mid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The media section's index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user name fragment the candidate belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}
