//! Claims of a token: those of LiveKit's access tokens, and our own.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::time::UnixTime;

/// Claims as they are in the token. Unknown ones are ignored, as JWTs require (RFC 7519 §4).
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    pub(crate) iss: Option<String>,
    #[serde(default)]
    pub(crate) sub: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) jti: Option<String>,
    #[serde(default)]
    pub(crate) aud: Names,
    #[serde(default, deserialize_with = "date")]
    pub(crate) exp: Option<UnixTime>,
    #[serde(default, deserialize_with = "date")]
    pub(crate) nbf: Option<UnixTime>,
    #[serde(default)]
    pub(crate) metadata: Option<String>,
    #[serde(default)]
    pub(crate) attributes: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) video: Option<VideoGrant>,
    #[serde(default)]
    pub(crate) moim: Option<MoimGrant>,
}

/// LiveKit's `video` claim. An absent permission to publish or subscribe is given; all others are
/// not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VideoGrant {
    /// May join [`room`](Self::room).
    pub room_join: Option<bool>,
    /// The room of `room_join` and `room_admin`.
    pub room: Option<String>,
    /// May create and delete rooms.
    pub room_create: Option<bool>,
    /// May list rooms.
    pub room_list: Option<bool>,
    /// May moderate [`room`](Self::room).
    pub room_admin: Option<bool>,
    /// May send audio and video.
    pub can_publish: Option<bool>,
    /// May receive audio and video.
    pub can_subscribe: Option<bool>,
    /// May send messages.
    pub can_publish_data: Option<bool>,
    /// Sources that may be sent; all if absent or empty.
    pub can_publish_sources: Option<Vec<String>>,
    /// Must not be shown to others.
    pub hidden: Option<bool>,
}

/// The claim `moim`, for what LiveKit's have no word for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MoimGrant {
    /// Role in the room.
    pub role: Option<Role>,
    /// Template of the room, if the token opens it.
    pub template: Option<String>,
    /// True: waits until a host admits. False: does not wait. Absent: as the room's policy has it.
    pub lobby: Option<bool>,
}

/// Role in a room with hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Receives, chats and raises a hand.
    Viewer,
    /// Also publishes.
    Speaker,
    /// Also admits, mutes, removes and locks.
    CoHost,
    /// Also changes roles and ends the room.
    Host,
}

/// Source of a track, by LiveKit's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// `camera`.
    Camera,
    /// `microphone`.
    Microphone,
    /// `screen_share`.
    Screen,
    /// `screen_share_audio`.
    ScreenAudio,
}

impl Source {
    /// The source with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "camera" => Some(Self::Camera),
            "microphone" => Some(Self::Microphone),
            "screen_share" => Some(Self::Screen),
            "screen_share_audio" => Some(Self::ScreenAudio),
            _ => None,
        }
    }
}

/// One name or several (RFC 7519 §4.1.3).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Names {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::One(name) => name.is_empty(),
            Self::Many(names) => names.is_empty(),
        }
    }

    pub(crate) fn is_many(&self) -> bool {
        matches!(self, Self::Many(names) if names.len() > 1)
    }

    pub(crate) fn has(&self, wanted: &str) -> bool {
        match self {
            Self::None => false,
            Self::One(name) => name == wanted,
            Self::Many(names) => names.iter().any(|name| name == wanted),
        }
    }
}

/// A date in seconds, perhaps with a fraction (RFC 7519 §2).
pub(crate) fn date<'de, D: Deserializer<'de>>(value: D) -> Result<Option<UnixTime>, D::Error> {
    let Some(seconds) = Option::<f64>::deserialize(value)? else { return Ok(None) };
    if !seconds.is_finite() {
        return Ok(None);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and a date before 1970 is as expired as 1970"
    )]
    let whole = seconds as u64;
    Ok(Some(UnixTime(whole)))
}
