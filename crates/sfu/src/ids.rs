//! Identifiers of peers, rooms and tracks.

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use str0m::media::{Mid, Rid};

/// A room. Its peers receive each other's tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u64);

/// One participant's link to the media server, unique over all shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerId(pub u64);

impl PeerId {
    /// The bit in which the numbers of a participant's two links differ, while one replaces the other.
    const TWIN: u64 = 1 << 38;

    /// The number of the participant's other link.
    #[must_use]
    pub fn twin(self) -> Self {
        Self(self.0 ^ Self::TWIN)
    }

    /// The number that stands for the participant: that of its first link.
    #[must_use]
    pub fn participant(self) -> Self {
        Self(self.0 & !Self::TWIN)
    }
}

/// The device or screen that a track captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// Audio of a microphone.
    Microphone,
    /// Video of a camera.
    Camera,
    /// Video of a shared screen or window.
    ScreenShare,
    /// Audio of a shared screen or window.
    ScreenShareAudio,
}

/// A published track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId {
    /// The publisher.
    pub peer: PeerId,
    /// The publisher has at most one track of each source.
    pub source: Source,
}

/// The transport protocol of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// One packet per datagram.
    Udp,
    /// ICE-TCP. The driver frames packets by their length (RFC 4571).
    Tcp,
}

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Audio,
    Video,
}

impl Source {
    /// All sources, in the order in which a peer's tracks are published.
    pub const ALL: [Self; 4] =
        [Self::Microphone, Self::Camera, Self::ScreenShare, Self::ScreenShareAudio];

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Microphone | Self::ScreenShareAudio => Kind::Audio,
            Self::Camera | Self::ScreenShare => Kind::Video,
        }
    }

    /// Returns whether the track belongs to a screen share rather than to a participant's devices.
    pub(crate) fn is_screen_share(self) -> bool {
        matches!(self, Self::ScreenShare | Self::ScreenShareAudio)
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.peer.0, self.source)
    }
}
